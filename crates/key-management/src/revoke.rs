//! `DELETE …/api_keys/{id}`.

use domain::KeyId;
use edge::{ApiError, Reply};
use store::keys::Revocation;

use crate::App;
use crate::caller::Caller;

/// Revokes a key: every function that has it cached refuses it, and all that hangs on it, within five seconds. The
/// record stays. A second call changes nothing and answers the same.
pub(crate) async fn revoke(app: &App, caller: &Caller, id: &KeyId) -> Result<Reply, ApiError> {
    let record = app.store.key_of_client(caller.client_id(), id).await?.ok_or(ApiError::NotFound)?;
    caller.may_see(&record)?;
    caller.is_not_itself(id)?;
    match app.store.key_revoke(caller.client_id(), id, &caller.act).await? {
        Revocation::Revoked | Revocation::AlreadyRevoked => Ok(edge::no_content()),
        Revocation::NotFound => Err(ApiError::NotFound),
    }
}
