//! `/api/v1/clients/{client_id}`: the client itself, its users, its workspaces, and who is in them; and its apps.
//!
//! 1. The credential is read and judged; the path's client must be the caller's own, or there is nothing here.
//! 2. Owners and admins manage all of it, by login or by a live key that holds `admin`; a workspace's admins who have logged
//!    in manage that workspace; everybody else sees a little.
//! 3. One change is one transaction with its event in the audit log. It is decided on what was read, and decided anew where
//!    somebody else has changed that meanwhile.

mod again;
mod apps;
mod caller;
mod client;
mod form;
mod page;
mod users;
mod workspaces;

use std::sync::Arc;

use domain::{Access, Action, AppId, Deed, GrantId, Moment, Party, UserId, WorkspaceId};
use edge::{ApiError, Reply, Request};
use identity::Identity;
use store::Store;

use caller::Caller;

/// What this function uses: the directory and the audit log, the keys of users who leave, and what [`Identity`] reads.
pub struct App {
    /// Clients, users, workspaces, and the keys of users who leave.
    pub store: Store,
    /// Who calls.
    pub identity: Identity,
    /// The scopes that exist.
    pub access: Access,
}

/// Answers a request.
///
/// # Errors
/// [`ApiError`].
pub async fn handle(app: Arc<App>, request: Request, now: Moment) -> Result<Reply, ApiError> {
    let ["api", "v1", "clients", client, rest @ ..] = &request.segments()[..] else {
        return Err(ApiError::NotFound);
    };
    let methods = methods(rest).ok_or(ApiError::NotFound)?;
    let method = request.method().as_str();
    if !methods.split(", ").any(|known| known == method) {
        return Err(ApiError::MethodNotAllowed(methods));
    }
    let caller = Caller::of(&app, &request, client, now).await?;
    match rest {
        [] => client_itself(&app, &caller, &request).await,
        ["apps"] => all_apps(&app, &caller, &request).await,
        ["apps", id] => one_app(&app, &caller, &request, id).await,
        ["apps", id, "rotate_secret"] => rotate_secret(&app, &caller, &request, id).await,
        ["users"] => all_users(&app, &caller, &request).await,
        ["users", id] => one_user(&app, &caller, &request, id).await,
        ["users", id, "grants"] => users::grants::list(&app, &caller, &request, &user_id(id)?).await,
        ["users", id, "grants", grant] => one_grant(&app, &caller, id, grant).await,
        ["workspaces"] => all_workspaces(&app, &caller, &request).await,
        ["workspaces", id] => one_workspace(&app, &caller, &request, id).await,
        ["workspaces", id, "members"] => workspaces::members::list(&app, &caller, &request, &workspace_id(id)?).await,
        ["workspaces", id, "members", user] => one_member(&app, &caller, &request, id, user).await,
        _ => Err(ApiError::NotFound),
    }
}

/// What may be done at a path behind the client's; `None` where there is nothing.
fn methods(rest: &[&str]) -> Option<&'static str> {
    match rest {
        [] | ["workspaces", _] => Some("GET, PATCH"),
        ["apps" | "users" | "workspaces"] => Some("GET, POST"),
        ["apps" | "users", _] => Some("GET, PATCH, DELETE"),
        ["apps", _, "rotate_secret"] => Some("POST"),
        ["users", _, "grants"] | ["workspaces", _, "members"] => Some("GET"),
        ["users", _, "grants", _] => Some("DELETE"),
        ["workspaces", _, "members", _] => Some("GET, PUT, DELETE"),
        _ => None,
    }
}

async fn client_itself(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    if request.method() == "GET" {
        return client::get(app, caller).await;
    }
    let deed = Deed::new(Action::ClientUpdated, caller.client_id());
    caller.noted(app, deed, client::update(app, caller, request).await).await
}

async fn all_apps(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    if request.method() == "GET" {
        return apps::list(app, caller, request).await;
    }
    let deed = Deed::new(Action::AppCreated, caller.client_id());
    caller.noted(app, deed, apps::create::create(app, caller, request).await).await
}

async fn one_app(app: &App, caller: &Caller, request: &Request, id: &str) -> Result<Reply, ApiError> {
    let id = AppId::parse(id).ok_or(ApiError::NotFound)?;
    match request.method().as_str() {
        "GET" => apps::get(app, caller, &id).await,
        "PATCH" => {
            let deed = Deed::new(Action::AppUpdated, &id);
            caller.noted(app, deed, apps::update::update(app, caller, request, &id).await).await
        }
        _ => {
            let deed = Deed::new(Action::AppRemoved, &id);
            caller.noted(app, deed, apps::remove(app, caller, &id).await).await
        }
    }
}

async fn rotate_secret(app: &App, caller: &Caller, request: &Request, id: &str) -> Result<Reply, ApiError> {
    let id = AppId::parse(id).ok_or(ApiError::NotFound)?;
    let deed = Deed::new(Action::AppSecretRotated, &id);
    caller.noted(app, deed, apps::rotate::rotate(app, caller, request, &id).await).await
}

async fn all_users(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    if request.method() == "GET" {
        return users::list(app, caller, request).await;
    }
    let deed = Deed::new(Action::UserInvited, caller.client_id());
    caller.noted(app, deed, users::invite::invite(app, caller, request).await).await
}

async fn one_user(app: &App, caller: &Caller, request: &Request, id: &str) -> Result<Reply, ApiError> {
    let id = user_id(id)?;
    match request.method().as_str() {
        "GET" => users::get(app, caller, &id).await,
        "PATCH" => {
            let deed = Deed::new(Action::UserRoleChanged, &id);
            caller.noted(app, deed, users::role::change(app, caller, request, &id).await).await
        }
        _ => {
            let deed = Deed::new(Action::UserRemoved, &id);
            caller.noted(app, deed, users::remove::remove(app, caller, &id).await).await
        }
    }
}

async fn one_grant(app: &App, caller: &Caller, user: &str, grant: &str) -> Result<Reply, ApiError> {
    let user = user_id(user)?;
    let grant = GrantId::parse(grant).ok_or(ApiError::NotFound)?;
    let deed = Deed::new(Action::AppGrantEnded, &user).with("grant_id", grant.as_str());
    caller.noted(app, deed, users::grants::end(app, caller, &user, &grant).await).await
}

async fn all_workspaces(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    if request.method() == "GET" {
        return workspaces::list(app, caller, request).await;
    }
    let deed = Deed::new(Action::WorkspaceCreated, caller.client_id());
    caller.noted(app, deed, workspaces::create::create(app, caller, request).await).await
}

async fn one_workspace(app: &App, caller: &Caller, request: &Request, id: &str) -> Result<Reply, ApiError> {
    let id = workspace_id(id)?;
    if request.method() == "GET" {
        return workspaces::get(app, caller, &id).await;
    }
    let deed = Deed::new(Action::WorkspaceUpdated, &id);
    caller.noted(app, deed, workspaces::update::update(app, caller, request, &id).await).await
}

async fn one_member(
    app: &App,
    caller: &Caller,
    request: &Request,
    workspace: &str,
    user: &str,
) -> Result<Reply, ApiError> {
    let workspace = workspace_id(workspace)?;
    let user = user_id(user)?;
    let deed = |action| Deed::new(action, Party::from(&workspace)).with("user_id", &user);
    match request.method().as_str() {
        "GET" => workspaces::members::get(app, caller, &workspace, &user).await,
        "PUT" => {
            let outcome = workspaces::members::put(app, caller, request, &workspace, &user).await;
            caller.noted(app, deed(Action::WorkspaceMemberSet), outcome).await
        }
        _ => {
            let outcome = workspaces::members::remove(app, caller, &workspace, &user).await;
            caller.noted(app, deed(Action::WorkspaceMemberRemoved), outcome).await
        }
    }
}

fn user_id(text: &str) -> Result<UserId, ApiError> {
    UserId::parse(text).ok_or(ApiError::NotFound)
}

fn workspace_id(text: &str) -> Result<WorkspaceId, ApiError> {
    WorkspaceId::parse(text).ok_or(ApiError::NotFound)
}
