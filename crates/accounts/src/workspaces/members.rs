//! `…/workspaces/{id}/members`: who is in a workspace.

use domain::{Action, Deed, User, UserId, WorkspaceId, WorkspaceRole};
use edge::{ApiError, Reply, Request};
use serde::{Deserialize, Serialize};
use store::account_change::{AccountChange, AccountChanged, Edit};

use super::create::too_many;
use super::{managed, read};
use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;
use crate::form::bad;
use crate::page::Asked;
use crate::users;

/// A member as callers see it.
#[derive(Serialize)]
struct MemberView<'a> {
    user_id: &'a UserId,
    role: WorkspaceRole,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct MemberForm {
    role: String,
}

/// Lists a workspace's members.
pub(crate) async fn list(
    app: &App,
    caller: &Caller,
    request: &Request,
    workspace: &WorkspaceId,
) -> Result<Reply, ApiError> {
    managed(app, caller, workspace).await?;
    let list = format!("members {} {workspace}", caller.client_id());
    let asked = Asked::read(request, list, |place| UserId::parse(place).is_some())?;
    let page = app.store.member_list(workspace, asked.limit, asked.after.as_deref()).await?;
    let data = page.items.iter().map(|member| MemberView { user_id: &member.user_id, role: member.role }).collect();
    Ok(edge::ok(&asked.answer(data, page.next.as_deref())))
}

/// One member of a workspace.
pub(crate) async fn get(app: &App, caller: &Caller, workspace: &WorkspaceId, user: &UserId) -> Result<Reply, ApiError> {
    managed(app, caller, workspace).await?;
    let user = users::read(app, caller, user).await?;
    let role = *user.workspaces.get(workspace).ok_or(ApiError::NotFound)?;
    Ok(edge::ok(&MemberView { user_id: &user.id, role }))
}

/// Takes a user into a workspace, or gives it another role there.
pub(crate) async fn put(
    app: &App,
    caller: &Caller,
    request: &Request,
    workspace: &WorkspaceId,
    user: &UserId,
) -> Result<Reply, ApiError> {
    managed(app, caller, workspace).await?;
    let form: MemberForm = edge::json(request)?;
    let role = WorkspaceRole::parse(&form.role).filter(|role| *role != WorkspaceRole::Owner);
    let role = role.ok_or_else(|| bad("`role` must be `admin` or `member`"))?;
    let answer = edge::ok(&MemberView { user_id: user, role });
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let before = users::read(app, caller, user).await?;
        match before.workspaces.get(workspace) {
            Some(WorkspaceRole::Owner) => return Err(owner_stays()),
            Some(held) if *held == role => return Ok(answer),
            None if before.workspaces.len() >= User::MAX_WORKSPACES => return Err(too_many()),
            _ => {}
        }
        let mut after = before.clone();
        after.workspaces.insert(workspace.clone(), role);
        let deed = Deed::new(Action::WorkspaceMemberSet, workspace).with("user_id", user).with("role", role);
        if is_made(app, caller, Edit::Changed { before, after }, deed).await? {
            return Ok(answer);
        }
    }
}

/// Takes a user out of a workspace. One who is not in it stays out.
pub(crate) async fn remove(
    app: &App,
    caller: &Caller,
    workspace: &WorkspaceId,
    user: &UserId,
) -> Result<Reply, ApiError> {
    // Whoever wants to leave may, whatever the workspace's state.
    if caller.is(user) {
        caller.sees(workspace)?;
        read(app, caller, workspace).await?;
    } else {
        managed(app, caller, workspace).await?;
    }
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let before = users::read(app, caller, user).await?;
        match before.workspaces.get(workspace) {
            Some(WorkspaceRole::Owner) => return Err(owner_stays()),
            Some(_) => {}
            None => return Ok(edge::no_content()),
        }
        let mut after = before.clone();
        after.workspaces.remove(workspace);
        let deed = Deed::new(Action::WorkspaceMemberRemoved, workspace).with("user_id", user);
        if is_made(app, caller, Edit::Changed { before, after }, deed).await? {
            return Ok(edge::no_content());
        }
    }
}

/// Changes a user; `false` where somebody else has changed it meanwhile.
async fn is_made(app: &App, caller: &Caller, user: Edit<User>, deed: Deed) -> Result<bool, ApiError> {
    let change = AccountChange { users: vec![user], ..AccountChange::default() };
    let made = caller.make(app, &change, deed, None).await?;
    Ok(made == AccountChanged::Done)
}

fn owner_stays() -> ApiError {
    ApiError::Conflict("The workspace's owner stays until it is handed on: see `owner_user_id`".to_owned())
}
