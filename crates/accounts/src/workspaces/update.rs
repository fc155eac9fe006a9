//! `PATCH …/workspaces/{id}`.

use domain::{
    Action, Deed, Scope, ScopeSet, User, UserId, UserStatus, Workspace, WorkspaceId, WorkspaceRole, WorkspaceStatus,
};
use edge::{ApiError, Given, Reply, Request, checked_name};
use serde::Deserialize;
use store::account_change::{AccountChange, AccountChanged, Edit};

use super::{WorkspaceView, managed};
use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;
use crate::client;
use crate::form::{bad, scopes_or_none};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateForm {
    name: Option<String>,
    personal_keys_allowed: Option<bool>,
    #[serde(default)]
    member_scopes: Given<Vec<Scope>>,
    owner_user_id: Option<UserId>,
    status: Option<String>,
}

/// What is asked for, read.
struct Asked {
    name: Option<String>,
    personal_keys_allowed: Option<bool>,
    member_scopes: Given<ScopeSet>,
    owner_user_id: Option<UserId>,
    status: Option<WorkspaceStatus>,
}

impl Asked {
    fn read(request: &Request) -> Result<Self, ApiError> {
        let form: UpdateForm = edge::json(request)?;
        let status =
            |name: &str| WorkspaceStatus::parse(name).ok_or_else(|| bad("`status` must be `active` or `suspended`"));
        Ok(Self {
            name: form.name.as_deref().map(checked_name).transpose()?,
            personal_keys_allowed: form.personal_keys_allowed,
            member_scopes: scopes_or_none(form.member_scopes)?,
            owner_user_id: form.owner_user_id,
            status: form.status.as_deref().map(status).transpose()?,
        })
    }

    /// The workspace as it becomes.
    fn applied_to(&self, workspace: &Workspace) -> Workspace {
        let mut after = workspace.clone();
        if let Some(name) = &self.name {
            after.name.clone_from(name);
        }
        if let Some(allowed) = self.personal_keys_allowed {
            after.personal_keys_allowed = allowed;
        }
        self.member_scopes.clone().put(&mut after.member_scopes);
        if let Some(owner) = &self.owner_user_id {
            after.owner_user_id = owner.clone();
        }
        if let Some(status) = self.status {
            after.status = status;
        }
        after
    }
}

/// Changes what is given. What takes something away reaches every function within five seconds.
pub(crate) async fn update(app: &App, caller: &Caller, request: &Request, id: &WorkspaceId) -> Result<Reply, ApiError> {
    // Whoever does not manage it learns nothing of the form.
    managed(app, caller, id).await?;
    let asked = Asked::read(request)?;
    if asked.status.is_some() {
        caller.admin()?;
    }
    if let Given::Value(scopes) = &asked.member_scopes {
        caller.gives("member_scopes", scopes, &app.access)?;
    }
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let before = managed(app, caller, id).await?;
        let after = asked.applied_to(&before);
        if after == before {
            return Ok(edge::ok(&WorkspaceView::of(&after)));
        }
        if after.name != before.name && client::read(app, caller).await?.default_workspace_id == *id {
            return Err(ApiError::Conflict(format!("This workspace is called `{}` for good", Workspace::DEFAULT)));
        }
        let Some(users) = hand_on(app, caller, &before, &after.owner_user_id).await? else { continue };
        let deed = deed(&before, &after);
        let workspaces = vec![Edit::Changed { before, after: after.clone() }];
        let change = AccountChange { users, workspaces, ..AccountChange::default() };
        let made = caller.make(app, &change, deed, None).await?;
        if made == AccountChanged::Done {
            return Ok(edge::ok(&WorkspaceView::of(&after)));
        }
    }
}

/// What becomes of two users where one hands the workspace on to the other; `None` where that is to be decided anew.
async fn hand_on(
    app: &App,
    caller: &Caller,
    workspace: &Workspace,
    heir: &UserId,
) -> Result<Option<Vec<Edit<User>>>, ApiError> {
    if workspace.owner_user_id == *heir {
        return Ok(Some(Vec::new()));
    }
    caller.hands_on(workspace)?;
    let user = app.store.user_by_id(&workspace.client_id, heir).await?;
    let fits = |user: &User| user.status == UserStatus::Active && user.workspaces.contains_key(&workspace.id);
    let Some(heir) = user.filter(fits) else {
        return Err(ApiError::Conflict(
            "`owner_user_id` must be a user who is in the workspace, and has come".to_owned(),
        ));
    };
    let Some(former) = app.store.user_by_id(&workspace.client_id, &workspace.owner_user_id).await? else {
        return Ok(None);
    };
    let as_role = |before: User, role| {
        let mut after = before.clone();
        after.workspaces.insert(workspace.id.clone(), role);
        Edit::Changed { before, after }
    };
    Ok(Some(vec![as_role(heir, WorkspaceRole::Owner), as_role(former, WorkspaceRole::Admin)]))
}

/// What the audit log says: what has changed, as it is from now on.
fn deed(before: &Workspace, after: &Workspace) -> Deed {
    let mut deed = Deed::new(Action::WorkspaceUpdated, &after.id);
    if before.name != after.name {
        deed = deed.with("name", &after.name);
    }
    if before.personal_keys_allowed != after.personal_keys_allowed {
        deed = deed.with("personal_keys_allowed", after.personal_keys_allowed);
    }
    if before.member_scopes != after.member_scopes {
        deed = deed.with("member_scopes", &after.member_scopes);
    }
    if before.owner_user_id != after.owner_user_id {
        deed = deed.with("owner_user_id", &after.owner_user_id);
    }
    if before.status != after.status {
        deed = deed.with("status", after.status);
    }
    deed
}
