//! Changes of a record: read, decided, written where nobody else has written meanwhile.

use std::time::Duration;

use domain::{Deed, KeyId, KeyRecord, Moment, random};
use edge::{ApiError, Repeatable, Reply};
use store::StoreError;
use store::keys::KeyChanged;
use store::replay::Replay;

use crate::App;
use crate::caller::Caller;
use crate::record::Shown;

/// How often a change is decided anew where others change the same record.
const ATTEMPTS: u32 = 5;

/// What becomes of a record.
pub(crate) struct Decided<T> {
    /// The record as it becomes.
    pub(crate) record: KeyRecord,
    /// What the audit log says of it.
    pub(crate) deed: Deed,
    /// What to keep for a caller who asks for the same again.
    pub(crate) replay: Option<Replay>,
    /// Whatever else belongs to it.
    pub(crate) rest: T,
}

/// How a change went.
pub(crate) enum Changed<T> {
    /// The record is what it was to be.
    Done(Box<Done<T>>),
    /// The same was asked for before, and is answered already.
    Answered(Reply),
}

/// A change that is made.
pub(crate) struct Done<T> {
    /// The record as it is now.
    pub(crate) record: KeyRecord,
    /// What is shown beside it.
    pub(crate) shown: Shown,
    /// Whatever else belongs to it.
    pub(crate) rest: T,
}

/// Changes a key of the caller's client, in this order: what the caller may is asked first, of `may_ask` last; then
/// whether the call is answered already; then `decide` gets the record as it is, and what is shown beside it. All of it
/// is done anew where somebody else was faster.
///
/// # Errors
/// 404; 403 where the caller may not change this key; what `may_ask` says; 409 where the key has ended, by revocation or
/// expiry, which stays so; what `decide` says; 503.
pub(crate) async fn change<T>(
    app: &App,
    caller: &Caller,
    id: &KeyId,
    now: Moment,
    repeatable: Option<&Repeatable>,
    may_ask: impl Fn(&KeyRecord) -> Result<(), ApiError>,
    decide: impl Fn(KeyRecord, &Shown) -> Result<Decided<T>, ApiError>,
) -> Result<Changed<T>, ApiError> {
    for attempt in 0..ATTEMPTS {
        let record = app.store.key_of_client(caller.client_id(), id).await?.ok_or(ApiError::NotFound)?;
        caller.may_see(&record)?;
        caller.may_change(&record)?;
        caller.works_in(app, &record, now).await?;
        may_ask(&record)?;
        // Behind the read of the record: what it shows of another call of this name, that call's answer tells of, too.
        if let Some(repeatable) = repeatable
            && let Some(reply) = repeatable.answered(&app.store, caller.client_id(), now.timestamp()).await?
        {
            return Ok(Changed::Answered(reply));
        }
        // Before the commit: what is changed is answered.
        let shown = Shown::one(app, &record, now).await?;
        let decided = match record.alive(now.timestamp()) {
            Ok(()) => decide(record.clone(), &shown),
            Err(ended) => Err(ApiError::Conflict(format!("There is nothing to change: {ended}"))),
        };
        let decided = match decided {
            // The store may show one item of a transaction before another: the record as a call of this name has just left it,
            // and not yet that call's answer.
            Err(ApiError::Conflict(_)) if attempt == 0 && repeatable.is_some() => {
                wait(attempt).await;
                continue;
            }
            decided => decided?,
        };
        if decided.record == record {
            return Ok(Changed::Done(Box::new(Done { record, shown, rest: decided.rest })));
        }
        let Decided { record: changed, deed, replay, rest } = decided;
        // Boxed: the future of a transaction is large, and is part of everything that waits for it.
        let making = Box::pin(app.store.key_change(&record, &changed, deed, &caller.act, replay.as_ref()));
        match making.await? {
            KeyChanged::Done => return Ok(Changed::Done(Box::new(Done { record: changed, shown, rest }))),
            KeyChanged::Outdated | KeyChanged::AnsweredBefore => wait(attempt).await,
        }
    }
    Err(StoreError::Contended.into())
}

/// A random time that grows with `attempt`, so that those who met do not meet again.
async fn wait(attempt: u32) {
    let part = u64::from(random::bytes::<1>()[0]);
    tokio::time::sleep(Duration::from_millis(1 + (10 << attempt) * part / 256)).await;
}
