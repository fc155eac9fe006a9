//! Signing keys: whatever is due in their lives, and what an operator asks for.
//!
//! 1. The keys are read, and what becomes of them is decided ([`domain::published_keys`]).
//! 2. A key that is wanted is made, and wrapped.
//! 3. All of it is one transaction. Where another was faster it is decided anew, on what that one has made.

use domain::{Act, Algorithm, Party, PublishedKeys, Timestamp, Turn};
use signing::WrappedKey;
use store::StoreError;
use store::signing_keys::NewSigningKey;

use crate::App;
use crate::error::UpkeepError;
use crate::report::Report;

/// How often it is decided anew.
const ATTEMPTS: usize = 8;

/// Does what is due.
pub(crate) async fn due(app: &App, now: Timestamp) -> Result<Report, UpkeepError> {
    make(app, now, |keys, _| Ok(keys.due(app.algorithm, now))).await
}

/// Lets another key follow: when it was published for long enough, or at once.
pub(crate) async fn rotate(app: &App, asked: Algorithm, at_once: bool, now: Timestamp) -> Result<Report, UpkeepError> {
    if asked != app.algorithm {
        return Err(UpkeepError::Algorithm { asked, configured: app.algorithm });
    }
    make(app, now, |keys, _| Ok(if at_once { keys.replaced(asked, now) } else { keys.rotated(asked, now) })).await
}

/// Takes a key out at once.
pub(crate) async fn withdraw(app: &App, kid: &str, now: Timestamp) -> Result<Report, UpkeepError> {
    make(app, now, |keys, attempt| match keys.withdrawn(kid, app.algorithm, now) {
        Some(turn) => Ok(turn),
        // It was there a moment ago: whoever was faster, or this call whose answer was lost, has taken it out.
        None if attempt > 0 => Ok(keys.due(app.algorithm, now)),
        None => Err(UpkeepError::NotPublished),
    })
    .await
}

async fn make(
    app: &App,
    now: Timestamp,
    decide: impl Fn(&PublishedKeys, usize) -> Result<Turn, UpkeepError>,
) -> Result<Report, UpkeepError> {
    for attempt in 0..ATTEMPTS {
        let keys = app.store.signing_keys().await?;
        let mut turn = decide(&keys, attempt)?;
        if turn.changes() {
            let new = match new_key(app, &turn, now).await {
                // A key that is in wrong hands goes, whether another can take its place or not: until one can be made
                // nothing is signed.
                Err(UpkeepError::Key(error)) if turn.withdrawn.is_some() => {
                    tracing::error!(%error, "no key can be made in the place of the withdrawn one");
                    turn.wants = None;
                    None
                }
                made => made?,
            };
            if !app.store.signing_keys_turn(&turn, new.as_ref(), &act(now)).await? {
                continue;
            }
            turn = new.map_or(turn.clone(), |new| turn.with(&new.public.kid));
        }
        let report = Report::of(&turn);
        for moved in &report.moves {
            tracing::info!(kid = moved.kid, what = moved.what, "signing key");
        }
        return if turn.is_refused { Err(UpkeepError::TooMany) } else { Ok(report) };
    }
    Err(StoreError::Contended.into())
}

async fn new_key(app: &App, turn: &Turn, now: Timestamp) -> Result<Option<NewSigningKey>, UpkeepError> {
    let Some(wanted) = turn.wants else { return Ok(None) };
    let WrappedKey { public, wrapped } = WrappedKey::make(&app.wrapper, wanted.algorithm).await?;
    Ok(Some(NewSigningKey::new(public.kid, wanted.algorithm, public.json, wrapped, now)))
}

fn act(at: Timestamp) -> Act {
    Act { actor: Party { kind: "function".to_owned(), id: "upkeep".to_owned() }, address: None, at }
}
