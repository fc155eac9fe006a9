//! `/api/v1/clients/{client_id}/api_keys`: create, list, get, change, rotate and revoke.
//!
//! 1. The credential is read and judged; the path's client must be the caller's own, or there is nothing here.
//! 2. The caller needs `keys:manage`, and manages no more than it holds itself.
//! 3. One change is one transaction; the key string is in the answer that creates it, and nowhere else.

mod caller;
mod change;
mod create;
mod list;
mod record;
mod revoke;
mod rotate;
mod update;

use std::sync::Arc;

use domain::{Access, KeyId, Moment};
use edge::{ApiError, Reply, Request};
use identity::Identity;
use store::Store;

use caller::Caller;
use record::RecordView;

/// What this function uses: the keys table, the directory, and what [`Identity`] reads.
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
    let ["api", "v1", "clients", client, "api_keys", rest @ ..] = &edge::segments(&request)[..] else {
        return Err(ApiError::NotFound);
    };
    match (request.method().as_str(), rest) {
        ("GET", []) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            list::list(&app, &caller, &request).await
        }
        ("POST", []) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            create::create(&app, &caller, &request, now.timestamp()).await
        }
        ("GET", [id]) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            get(&app, &caller, id).await
        }
        ("PATCH", [id]) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            update::update(&app, &caller, id, &request, now.timestamp()).await
        }
        ("POST", [id, "rotate"]) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            rotate::rotate(&app, &caller, id, &request, now.timestamp()).await
        }
        ("DELETE", [id]) => {
            let caller = Caller::of(&app, &request, client, now).await?;
            revoke::revoke(&app, &caller, id, now.timestamp()).await
        }
        (_, []) => Err(ApiError::MethodNotAllowed("GET, POST")),
        (_, [_]) => Err(ApiError::MethodNotAllowed("GET, PATCH, DELETE")),
        (_, [_, "rotate"]) => Err(ApiError::MethodNotAllowed("POST")),
        _ => Err(ApiError::NotFound),
    }
}

async fn get(app: &App, caller: &Caller, id: &str) -> Result<Reply, ApiError> {
    let id = KeyId::parse(id).ok_or(ApiError::NotFound)?;
    let record = app.store.key_of_client(caller.client_id(), &id).await?.ok_or(ApiError::NotFound)?;
    caller.may_manage(record.environment)?;
    Ok(edge::ok(&RecordView::of(&record)))
}
