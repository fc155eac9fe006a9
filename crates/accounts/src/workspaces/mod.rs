//! `…/workspaces`: groups inside the client.

pub(crate) mod create;
pub(crate) mod members;
pub(crate) mod update;

use domain::{ClientId, ScopeSet, Timestamp, UserId, Workspace, WorkspaceId, WorkspaceStatus};
use edge::{ApiError, Reply, Request};
use serde::Serialize;

use crate::App;
use crate::caller::Caller;
use crate::page::Asked;

/// A workspace as callers see it.
#[derive(Serialize)]
struct WorkspaceView<'a> {
    id: &'a WorkspaceId,
    client_id: &'a ClientId,
    name: &'a str,
    owner_user_id: &'a UserId,
    personal_keys_allowed: bool,
    member_scopes: Option<&'a ScopeSet>,
    status: WorkspaceStatus,
    created_at: Timestamp,
}

impl<'a> WorkspaceView<'a> {
    fn of(workspace: &'a Workspace) -> Self {
        Self {
            id: &workspace.id,
            client_id: &workspace.client_id,
            name: &workspace.name,
            owner_user_id: &workspace.owner_user_id,
            personal_keys_allowed: workspace.personal_keys_allowed,
            member_scopes: workspace.member_scopes.as_ref(),
            status: workspace.status,
            created_at: workspace.created_at,
        }
    }
}

/// Lists the workspaces that the caller sees: admins all, others those that they are in.
pub(crate) async fn list(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    caller.live()?;
    let client = caller.client_id();
    let is_id = |place: &str| WorkspaceId::parse(place).is_some();
    if caller.is_admin() {
        let asked = Asked::read(request, format!("workspaces {client}"), is_id)?;
        let page = app.store.workspace_list(client, asked.limit, asked.after.as_deref()).await?;
        let data = page.items.iter().map(WorkspaceView::of).collect();
        return Ok(edge::ok(&asked.answer(data, page.next.as_deref())));
    }
    let asked = Asked::read(request, format!("workspaces {client} of {}", caller.act.actor.id), is_id)?;
    let behind = |id: &&WorkspaceId| asked.after.as_deref().is_none_or(|place| id.as_str() > place);
    let ids: Vec<_> = caller.workspaces().into_iter().filter(behind).collect();
    let shown = &ids[..ids.len().min(asked.limit)];
    let mut workspaces = Vec::new();
    for id in shown {
        workspaces.extend(app.store.workspace_by_id(client, id).await?);
    }
    let next = shown.last().filter(|_| ids.len() > shown.len()).map(|id| id.as_str());
    Ok(edge::ok(&asked.answer(workspaces.iter().map(WorkspaceView::of).collect(), next)))
}

/// One workspace, to whoever sees it.
pub(crate) async fn get(app: &App, caller: &Caller, id: &WorkspaceId) -> Result<Reply, ApiError> {
    caller.sees(id)?;
    Ok(edge::ok(&WorkspaceView::of(&read(app, caller, id).await?)))
}

/// A workspace that the caller manages, as it is now.
///
/// # Errors
/// 404; 403 as [`Caller::manages`].
async fn managed(app: &App, caller: &Caller, id: &WorkspaceId) -> Result<Workspace, ApiError> {
    caller.sees(id)?;
    let workspace = read(app, caller, id).await?;
    caller.manages(&workspace)?;
    Ok(workspace)
}

/// A workspace of the caller's client, as it is now.
///
/// # Errors
/// 404.
async fn read(app: &App, caller: &Caller, id: &WorkspaceId) -> Result<Workspace, ApiError> {
    app.store.workspace_by_id(caller.client_id(), id).await?.ok_or(ApiError::NotFound)
}
