//! `POST …/api_keys/{id}/rotate`.

use domain::{KeyId, KeyRecord, PlainKey, Timestamp};
use edge::{ApiError, Reply, Request};
use serde::Deserialize;

use crate::App;
use crate::caller::Caller;
use crate::change::change;
use crate::record::NewKeyView;

/// How long the old secret counts beside the new one where nothing is said, in seconds: a day.
const OVERLAP: i64 = 24 * 3600;
/// How long it may: 30 days.
const LONGEST_OVERLAP: i64 = 30 * 24 * 3600;

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateForm {
    overlap_seconds: Option<i64>,
}

/// Gives a key a new secret under the same id. The old one counts until the overlap ends, so that a user can change over
/// without an interruption; a second rotation within it ends the oldest at once.
pub(crate) async fn rotate(
    app: &App,
    caller: &Caller,
    id: &str,
    request: &Request,
    now: Timestamp,
) -> Result<Reply, ApiError> {
    let form: RotateForm = edge::json_or_nothing(request)?;
    let overlap = form.overlap_seconds.unwrap_or(OVERLAP);
    if !(0..=LONGEST_OVERLAP).contains(&overlap) {
        return Err(ApiError::BadRequest("`overlap_seconds` must be 0 to 2592000 (30 days)".to_owned()));
    }
    let id = KeyId::parse(id).ok_or(ApiError::NotFound)?;
    let prefix = app.store.client_by_id(caller.client_id()).await?.and_then(|client| client.settings.key_prefix);
    let (record, plain) = change(app, caller, &id, now, |record: KeyRecord| {
        caller.covers_all(&record.scopes)?;
        caller.may_grant_until(record.expires_at)?;
        let prefix = prefix.clone().unwrap_or_else(|| record.environment.default_prefix());
        // The old string must go on to fit the record, so a prefix that was set meanwhile waits for the next key.
        let prefix = if overlap > 0 { record.prefix.clone() } else { prefix };
        let plain = PlainKey::random_for(&prefix, &record.id);
        Ok((record.rotated(&plain, overlap, now), plain))
    })
    .await?;
    Ok(NewKeyView::reply(&plain, &record))
}
