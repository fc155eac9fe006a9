//! `/api/v1/clients/{client_id}/api_keys`: create, list, get, change, rotate and revoke. `…/agents`: list, get and end.
//! `…/audit_events`: what was done.
//!
//! 1. The credential is read and judged; the path's client must be the caller's own, or there is nothing here.
//! 2. The caller needs `keys:manage`, or is a user who has logged in and manages the own personal keys and those of
//!    workspaces; nobody gives more than they hold.
//! 3. One change is one transaction with its event in the audit log; the key string is in the answer that creates it, and
//!    nowhere else.

mod agents;
mod audit_events;
mod caller;
mod change;
mod create;
mod import;
mod import_row;
mod list;
mod record;
mod revoke;
mod rotate;
mod update;

use std::sync::Arc;

use domain::{Access, Action, AgentId, Deed, KeyId, Moment};
use edge::{ApiError, Reply, Request};
use identity::Identity;
use store::Store;

use caller::Caller;
use record::{RecordView, Shown};

/// What this function uses: the keys table, the directory, the audit log, when keys were last used, and what [`Identity`]
/// reads.
pub struct App {
    /// Key records, clients and workspaces.
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
    if let ["api", "v1", "clients", client, "audit_events"] = &request.segments()[..] {
        return match request.method().as_str() {
            "GET" => audit_events::list(&app, &request, client, now).await,
            _ => Err(ApiError::MethodNotAllowed("GET")),
        };
    }
    if let ["api", "v1", "clients", client, "agents", rest @ ..] = &request.segments()[..] {
        return agents(&app, &request, client, rest, now).await;
    }
    let ["api", "v1", "clients", client, "api_keys", rest @ ..] = &request.segments()[..] else {
        return Err(ApiError::NotFound);
    };
    match (request.method().as_str(), rest) {
        ("GET", []) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            caller.manages_keys()?;
            list::list(&app, &caller, &request, now).await
        }
        ("POST", []) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            let deed = Deed::new(Action::KeyCreated, caller.client_id());
            caller.noted(&app, deed, create::create(&app, &caller, &request, now)).await
        }
        ("POST", ["import"]) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            let deed = Deed::new(Action::KeyImported, caller.client_id());
            // Boxed: few calls are imports, and all have a future of the same size.
            let importing = Box::pin(import::import(&app, &caller, &request, now));
            caller.noted(&app, deed, importing).await
        }
        (_, ["import"]) => Err(ApiError::MethodNotAllowed("POST")),
        ("GET" | "PATCH" | "DELETE", [id]) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            one_key(&app, &caller, &request, &key_id(id)?, now).await
        }
        ("POST", [id, "rotate"]) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            let id = key_id(id)?;
            let deed = Deed::new(Action::KeyRotated, &id);
            caller.noted(&app, deed, rotate::rotate(&app, &caller, &id, &request, now)).await
        }
        (_, []) => Err(ApiError::MethodNotAllowed("GET, POST")),
        (_, [_]) => Err(ApiError::MethodNotAllowed("GET, PATCH, DELETE")),
        (_, [_, "rotate"]) => Err(ApiError::MethodNotAllowed("POST")),
        _ => Err(ApiError::NotFound),
    }
}

async fn agents(app: &App, request: &Request, client: &str, rest: &[&str], now: Moment) -> Result<Reply, ApiError> {
    match (request.method().as_str(), rest) {
        ("GET", []) => agents::list(app, &Caller::of(app, request, client, now).await?, request, now).await,
        ("GET" | "DELETE", [id]) => {
            let caller = Caller::of(app, request, client, now).await?;
            let id = AgentId::parse(id).ok_or(ApiError::NotFound)?;
            if request.method() == "GET" {
                agents::get(app, &caller, &id, now).await
            } else {
                agents::end(app, &caller, &id).await
            }
        }
        (_, []) => Err(ApiError::MethodNotAllowed("GET")),
        (_, [_]) => Err(ApiError::MethodNotAllowed("GET, DELETE")),
        _ => Err(ApiError::NotFound),
    }
}

fn key_id(text: &str) -> Result<KeyId, ApiError> {
    KeyId::parse(text).ok_or(ApiError::NotFound)
}

async fn one_key(app: &App, caller: &Caller, request: &Request, id: &KeyId, now: Moment) -> Result<Reply, ApiError> {
    match request.method().as_str() {
        "GET" => get(app, caller, id, now).await,
        "PATCH" => {
            let deed = Deed::new(Action::KeyUpdated, id);
            caller.noted(app, deed, update::update(app, caller, id, request, now)).await
        }
        _ => {
            let deed = Deed::new(Action::KeyRevoked, id);
            caller.noted(app, deed, revoke::revoke(app, caller, id)).await
        }
    }
}

async fn get(app: &App, caller: &Caller, id: &KeyId, now: Moment) -> Result<Reply, ApiError> {
    caller.manages_keys()?;
    let record = app.store.key_of_client(caller.client_id(), id).await?.ok_or(ApiError::NotFound)?;
    caller.may_see(&record)?;
    let shown = Shown::one(app, &record, now).await?;
    Ok(edge::ok(&RecordView::of(&record, &shown)))
}
