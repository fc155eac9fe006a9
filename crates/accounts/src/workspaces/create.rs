//! `POST …/workspaces`.

use domain::{Action, Deed, User, Workspace, WorkspaceRole};
use edge::{ApiError, Repeatable, Reply, Request, StatusCode, checked_name};
use identity::RefusalReason;
use serde::Deserialize;
use store::account_change::{AccountChange, AccountChanged, Edit};

use super::WorkspaceView;
use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;
use crate::client;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateForm {
    name: String,
}

/// Makes a workspace. It belongs to the user behind the caller, or to the client's owner where none stands behind a key.
pub(crate) async fn create(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    caller.admin()?;
    let form: CreateForm = edge::json(request)?;
    let name = checked_name(&form.name)?;
    let repeatable = Repeatable::read(request)?;
    let (client_id, at) = (caller.client_id(), caller.act.at);
    if let Some(reply) = repeatable.answered(&app.store, client_id, at).await? {
        return Ok(reply);
    }
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let Some(before) = owner(app, caller).await? else { continue };
        if before.workspaces.len() >= User::MAX_WORKSPACES {
            return Err(too_many());
        }
        let workspace = Workspace::new(client_id.clone(), name.clone(), before.id.clone(), at);
        let mut after = before.clone();
        after.workspaces.insert(workspace.id.clone(), WorkspaceRole::Owner);
        let view = WorkspaceView::of(&workspace);
        let kept = repeatable.keep(StatusCode::CREATED, &view);
        let deed = Deed::new(Action::WorkspaceCreated, &workspace.id)
            .with("name", &workspace.name)
            .with("owner_user_id", &workspace.owner_user_id);
        let change = AccountChange {
            users: vec![Edit::Changed { before, after }],
            workspaces: vec![Edit::New(workspace.clone())],
            ..AccountChange::default()
        };
        match caller.make(app, &change, deed, kept.as_ref()).await? {
            AccountChanged::Done => return Ok(edge::with_status(StatusCode::CREATED, &view)),
            AccountChanged::AnsweredBefore => return repeatable.answered_beside(&app.store, client_id, at).await,
            AccountChanged::Outdated | AccountChanged::EmailTaken | AccountChanged::SlugTaken => {}
        }
    }
}

/// Whose workspace it becomes; `None` where the client's owner has just changed.
///
/// # Errors
/// 401 where the caller's user is gone.
async fn owner(app: &App, caller: &Caller) -> Result<Option<User>, ApiError> {
    let Some(id) = caller.user_id() else {
        let owner = client::read(app, caller).await?.owner_user_id;
        return Ok(app.store.user_by_id(caller.client_id(), &owner).await?);
    };
    let user = app.store.user_by_id(caller.client_id(), id).await?;
    user.map(Some).ok_or(ApiError::Unauthorized(RefusalReason::UnknownUser))
}

/// Said of a user who can be in no more workspaces.
pub(super) fn too_many() -> ApiError {
    ApiError::Conflict(format!("The user is in {} workspaces, which is the most", User::MAX_WORKSPACES))
}
