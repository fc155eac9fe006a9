//! `…/users`: who is in the client.

pub(crate) mod grants;
pub(crate) mod invite;
mod owners;
pub(crate) mod remove;
pub(crate) mod role;

use std::collections::BTreeMap;

use domain::{Email, Role, Timestamp, User, UserId, UserStatus, WorkspaceId, WorkspaceRole};
use edge::{ApiError, Reply, Request};
use serde::Serialize;

use crate::App;
use crate::caller::Caller;
use crate::page::Asked;

/// A user as an invitation shows it.
#[derive(Serialize)]
struct UserView<'a> {
    id: &'a UserId,
    email: &'a Email,
    role: Role,
    status: UserStatus,
}

/// A user as whoever manages users sees it.
#[derive(Serialize)]
struct UserRecord<'a> {
    #[serde(flatten)]
    user: UserView<'a>,
    workspaces: &'a BTreeMap<WorkspaceId, WorkspaceRole>,
    created_at: Timestamp,
}

impl<'a> UserView<'a> {
    fn of(user: &'a User) -> Self {
        Self { id: &user.id, email: &user.email, role: user.role, status: user.status }
    }
}

impl<'a> UserRecord<'a> {
    fn of(user: &'a User) -> Self {
        Self { user: UserView::of(user), workspaces: &user.workspaces, created_at: user.created_at }
    }
}

/// Lists the client's users.
pub(crate) async fn list(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    caller.admin()?;
    let client = caller.client_id();
    let asked = Asked::read(request, format!("users {client}"), |place| UserId::parse(place).is_some())?;
    let page = app.store.user_list(client, asked.limit, asked.after.as_deref()).await?;
    let data = page.items.iter().map(UserRecord::of).collect();
    Ok(edge::ok(&asked.answer(data, page.next.as_deref())))
}

/// One user, to admins and to that user.
pub(crate) async fn get(app: &App, caller: &Caller, id: &UserId) -> Result<Reply, ApiError> {
    if !caller.is(id) {
        caller.admin()?;
    }
    Ok(edge::ok(&UserRecord::of(&read(app, caller, id).await?)))
}

/// A user of the caller's client, as it is now.
///
/// # Errors
/// 404.
pub(crate) async fn read(app: &App, caller: &Caller, id: &UserId) -> Result<User, ApiError> {
    app.store.user_by_id(caller.client_id(), id).await?.ok_or(ApiError::NotFound)
}

/// # Errors
/// 400 for what is no role.
fn checked_role(name: &str) -> Result<Role, ApiError> {
    let wrong = || ApiError::BadRequest("`role` must be `owner`, `admin` or `member`".to_owned());
    Role::parse(name).ok_or_else(wrong)
}
