//! `PATCH …/api_keys/{id}`.

use domain::{Action, AllowedAddresses, Deed, KeyId, KeyRecord, Metadata, Moment, ScopeSet, Timestamp};
use edge::{ApiError, Given, Reply, Request};
use serde::{Deserialize, Serialize};

use crate::App;
use crate::caller::Caller;
use crate::change::{Changed, Decided, change};
use crate::record::{RecordView, Shown};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateForm {
    name: Option<String>,
    scopes: Option<ScopeSet>,
    #[serde(default)]
    expires_at: Given<Timestamp>,
    #[serde(default)]
    allowed_ips: Given<AllowedAddresses>,
    #[serde(default)]
    metadata: Given<Metadata>,
}

/// Whether the change gives anything: a scope that was not held, a later end, or an address that was not allowed.
fn is_wider(record: &KeyRecord, changed: &KeyRecord) -> bool {
    let later = match (record.expires_at, changed.expires_at) {
        (Some(_), None) => true,
        (Some(before), Some(after)) => after > before,
        (None, _) => false,
    };
    later || record.scopes.first_uncovered(&changed.scopes).is_some() || !record.allowed_ips.cover(&changed.allowed_ips)
}

/// Changes what is given. What takes something away reaches every function that has the key cached within five seconds.
pub(crate) async fn update(
    app: &App,
    caller: &Caller,
    id: &KeyId,
    request: &Request,
    now: Moment,
) -> Result<Reply, ApiError> {
    let form: UpdateForm = edge::json(request)?;
    let name = form.name.as_deref().map(edge::checked_name).transpose()?;
    let at = now.timestamp();
    if matches!(form.expires_at, Given::Value(end) if end <= at) {
        return Err(ApiError::BadRequest("`expires_at` must be in the future".to_owned()));
    }
    let decide = |record: KeyRecord, _: &Shown| {
        let mut changed = record.clone();
        if let Some(scopes) = &form.scopes {
            if let Some(place) = app.access.first_unknown(scopes) {
                return Err(ApiError::unknown_scope(place));
            }
            changed.scopes = scopes.clone();
        }
        form.expires_at.put(&mut changed.expires_at);
        form.allowed_ips.put_or_default(&mut changed.allowed_ips);
        form.metadata.put_or_default(&mut changed.metadata);
        if is_wider(&record, &changed) {
            caller.may_grant(&changed)?;
        }
        if let Some(name) = &name {
            changed.name.clone_from(name);
        }
        let deed = deed(&record, &changed);
        Ok(Decided { record: changed, deed, replay: None, rest: () })
    };
    // What may be asked depends on what becomes of the record.
    let changed = change(app, caller, id, now, None, |_| Ok(()), decide);
    match Box::pin(changed).await? {
        Changed::Done(done) => Ok(edge::ok(&RecordView::of(&done.record, &done.shown))),
        Changed::Answered(reply) => Ok(reply),
    }
}

/// What the audit log says: each member that has changed, as it is from now on. Metadata are the caller's own and may be
/// long: that they have changed is enough.
fn deed(before: &KeyRecord, after: &KeyRecord) -> Deed {
    fn with<T: PartialEq + Serialize>(deed: Deed, name: &str, before: &T, after: &T) -> Deed {
        if before == after { deed } else { deed.with(name, after) }
    }
    let deed = Deed::new(Action::KeyUpdated, &after.id);
    let deed = with(deed, "name", &before.name, &after.name);
    let deed = with(deed, "scopes", &before.scopes, &after.scopes);
    let deed = with(deed, "expires_at", &before.expires_at, &after.expires_at);
    let deed = with(deed, "allowed_ips", &before.allowed_ips, &after.allowed_ips);
    if before.metadata == after.metadata { deed } else { deed.with("metadata", "changed") }
}
