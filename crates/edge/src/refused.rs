//! Refused calls, as the audit log keeps them.

use domain::{Act, ClientId, Deed, Outcome};
use store::Store;

use crate::error::ApiError;

/// Notes that a change was refused to somebody who was known: the `deed` that was asked for, outside of the client's chain.
/// Every other error is left alone. A note that can't be written is logged: the refusal stands without it.
pub async fn note_refusal(store: &Store, client: &ClientId, act: &Act, deed: Deed, error: &ApiError) {
    let ApiError::Forbidden(message) = error else { return };
    if let Err(error) = store.audit_note(client, act, deed.with("message", message), Outcome::Refused).await {
        tracing::warn!(%error, "a refused call could not be noted");
    }
}
