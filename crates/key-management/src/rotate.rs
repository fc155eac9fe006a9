//! `POST …/api_keys/{id}/rotate`.

use domain::{Action, Deed, Environment, KeyId, KeyRecord, Moment, PlainKey};
use edge::{ApiError, Repeatable, Reply, Request, StatusCode};
use serde::Deserialize;

use crate::App;
use crate::caller::Caller;
use crate::change::{Changed, Decided, change};
use crate::record::{NewKeyView, Shown};

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
/// without an interruption; within it there is no second rotation but one that ends both at once.
pub(crate) async fn rotate(
    app: &App,
    caller: &Caller,
    id: &KeyId,
    request: &Request,
    now: Moment,
) -> Result<Reply, ApiError> {
    let form: RotateForm = edge::json_or_nothing(request)?;
    let repeatable = Repeatable::read(request)?;
    let overlap = form.overlap_seconds.unwrap_or(OVERLAP);
    if !(0..=LONGEST_OVERLAP).contains(&overlap) {
        return Err(ApiError::BadRequest("`overlap_seconds` must be 0 to 2592000 (30 days)".to_owned()));
    }
    let at = now.timestamp();
    // As long as the old string counts it must fit the record: only without an overlap may the prefix be another.
    let client = if overlap == 0 { app.store.client_by_id(caller.client_id()).await? } else { None };
    let own_prefix = client.and_then(|client| client.settings.key_prefix);
    let client_prefix = |environment: Environment| own_prefix.clone().unwrap_or_else(|| environment.default_prefix());
    let may_ask = |record: &KeyRecord| caller.may_grant(record);
    let changed = change(app, caller, id, now, Some(&repeatable), may_ask, |record: KeyRecord, shown: &Shown| {
        // A rotation that is repeated because its answer was lost must not end the secret that is in use.
        let in_overlap = record.previous_secret.as_ref().is_some_and(|secret| at < secret.expires_at);
        if in_overlap && overlap > 0 {
            return Err(ApiError::Conflict(
                "The secret before this one still counts: wait for `previous_secret_expires_at`, or give \
                 `overlap_seconds` 0 to end both"
                    .to_owned(),
            ));
        }
        let prefix = if overlap > 0 { record.prefix.clone() } else { client_prefix(record.environment) };
        let plain = PlainKey::random_for(&prefix, &record.id);
        let record = record.rotated(&plain, overlap, at);
        let deed = Deed::new(Action::KeyRotated, id)
            .with("fingerprint", record.hash.fingerprint())
            .with("previous_secret_expires_at", record.previous_secret.as_ref().map(|secret| secret.expires_at));
        let replay = repeatable.keep(StatusCode::CREATED, &NewKeyView::of(None, &record, shown));
        Ok(Decided { record, deed, replay, rest: plain })
    });
    match Box::pin(changed).await? {
        Changed::Done(done) => {
            let view = NewKeyView::of(Some(&done.rest), &done.record, &done.shown);
            Ok(edge::with_status(StatusCode::CREATED, &view))
        }
        Changed::Answered(reply) => Ok(reply),
    }
}
