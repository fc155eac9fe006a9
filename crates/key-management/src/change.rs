//! Changes of a record: read, decided, written where nobody else has written meanwhile.

use domain::{KeyId, KeyRecord, Timestamp};
use edge::ApiError;
use store::StoreError;
use store::keys::Replaced;

use crate::App;
use crate::caller::Caller;

/// How often a change is decided anew where others change the same record.
const ATTEMPTS: usize = 5;

/// Changes a key of the caller's client. `decide` gets the record as it is and gives what it becomes, and whatever
/// belongs to that; it may be asked more than once.
///
/// # Errors
/// 404; 403 where the caller may not change this key; 409 where it has ended, by revocation or expiry, which stays so;
/// what `decide` says; 503.
pub(crate) async fn change<T>(
    app: &App,
    caller: &Caller,
    id: &KeyId,
    now: Timestamp,
    decide: impl Fn(KeyRecord) -> Result<(KeyRecord, T), ApiError>,
) -> Result<(KeyRecord, T), ApiError> {
    for _ in 0..ATTEMPTS {
        let record = app.store.key_of_client(caller.client_id(), id).await?.ok_or(ApiError::NotFound)?;
        caller.may_manage(record.environment)?;
        caller.may_change(id)?;
        if let Err(ended) = record.alive(now) {
            return Err(ApiError::Conflict(format!("There is nothing to change: {ended}")));
        }
        let (changed, rest) = decide(record.clone())?;
        if changed == record {
            return Ok((changed, rest));
        }
        match app.store.key_replace(&changed, now).await? {
            Replaced::Done => return Ok((changed, rest)),
            Replaced::Outdated => {}
        }
    }
    Err(StoreError::Contended.into())
}
