//! `PATCH …/api_keys/{id}`.

use domain::{KeyId, KeyRecord, ScopeSet, Timestamp};
use edge::{ApiError, Reply, Request};
use serde::{Deserialize, Deserializer};

use crate::App;
use crate::caller::Caller;
use crate::change::change;
use crate::create::checked_name;
use crate::record::RecordView;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateForm {
    name: Option<String>,
    scopes: Option<ScopeSet>,
    #[serde(default)]
    expires_at: End,
}

/// Whether the change gives anything: a scope that was not held, or a later end.
fn is_wider(record: &KeyRecord, changed: &KeyRecord) -> bool {
    let later = match (record.expires_at, changed.expires_at) {
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
        (None, _) => false,
    };
    later || record.scopes.first_uncovered(&changed.scopes).is_some()
}

/// What becomes of the expiry.
#[derive(Clone, Copy, Default)]
enum End {
    /// Left out: it stays.
    #[default]
    AsItIs,
    /// `null` for none any more, or another time.
    Given(Option<Timestamp>),
}

impl<'de> Deserialize<'de> for End {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::deserialize(deserializer).map(Self::Given)
    }
}

/// Changes what is given. What takes something away reaches every function that has the key cached within five seconds.
pub(crate) async fn update(
    app: &App,
    caller: &Caller,
    id: &str,
    request: &Request,
    now: Timestamp,
) -> Result<Reply, ApiError> {
    let form: UpdateForm = edge::json(request)?;
    let name = form.name.as_deref().map(checked_name).transpose()?;
    if matches!(form.expires_at, End::Given(Some(end)) if end <= now) {
        return Err(ApiError::BadRequest("`expires_at` must be in the future".to_owned()));
    }
    let id = KeyId::parse(id).ok_or(ApiError::NotFound)?;
    let (record, ()) = change(app, caller, &id, now, |record: KeyRecord| {
        let mut changed = record.clone();
        if let Some(scopes) = &form.scopes {
            if let Some(place) = app.access.first_unknown(scopes) {
                return Err(ApiError::unknown_scope(place));
            }
            changed.scopes = scopes.clone();
        }
        if let End::Given(end) = form.expires_at {
            changed.expires_at = end;
        }
        if is_wider(&record, &changed) {
            caller.may_grant(&changed)?;
        }
        if let Some(name) = &name {
            changed.name.clone_from(name);
        }
        Ok((changed, ()))
    })
    .await?;
    Ok(edge::ok(&RecordView::of(&record)))
}
