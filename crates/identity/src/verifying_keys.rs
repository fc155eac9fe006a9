//! The published keys that tokens are verified with.
//!
//! 1. They are read where a token names one that is not known, and then not again for a while, whatever the flood.
//! 2. The feed names those that are published no more: they are dropped, and never taken again by this process, whatever a
//!    read that was under way brings.
//! 3. Where the feed has a gap all are read anew.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::Moment;
use domain::published_keys::UNKNOWN_KEY_COOLDOWN;
use signing::{Algorithm, VerifyingKey};
use store::signing_keys::PublicKeyItem;
use store::{Store, StoreError};

type Keys = HashMap<String, Arc<VerifyingKey>>;

pub(crate) struct VerifyingKeys {
    state: Mutex<State>,
    /// Held over a read, so that requests that come at once cause one.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    keys: Keys,
    gone: HashSet<String>,
    /// When the keys were read last, unless it is known that there are others since.
    last_read: Option<Moment>,
    /// Grows whenever anything is dropped: a read that began before must not be kept.
    generation: u64,
}

impl VerifyingKeys {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    /// The key of this id; `None` where none is published. An unknown id causes at most one read per cooldown.
    pub(crate) async fn get(
        &self,
        store: &Store,
        kid: &str,
        now: Moment,
    ) -> Result<Option<Arc<VerifyingKey>>, StoreError> {
        if let Some(key) = self.known(kid) {
            return Ok(Some(key));
        }
        let _reading = self.reading.lock().await;
        let generation = {
            let state = self.lock();
            if let Some(key) = state.keys.get(kid) {
                return Ok(Some(key.clone()));
            }
            let age = state.last_read.and_then(|at| now.since(at));
            if state.gone.contains(kid) || age.is_some_and(|age| age < UNKNOWN_KEY_COOLDOWN) {
                return Ok(None);
            }
            state.generation
        };
        let published = store.signing_key_publics().await?;
        let mut state = self.lock();
        let keys: Keys =
            published.iter().filter(|item| !state.gone.contains(&item.kid)).filter_map(verifying_key).collect();
        let found = keys.get(kid).cloned();
        if state.generation == generation {
            // Where there was none, the first may be made at any moment, and its first token must not be refused.
            state.last_read = (!keys.is_empty()).then_some(now);
            state.keys = keys;
        }
        Ok(found)
    }

    /// Drops a key that is published no more, for good.
    pub(crate) fn drop_for_good(&self, kid: &str) {
        let mut state = self.lock();
        state.keys.remove(kid);
        state.gone.insert(kid.to_owned());
        // Another one may have taken its place.
        state.last_read = None;
        state.generation += 1;
    }

    /// Forgets all that were read.
    pub(crate) fn clear(&self) {
        let mut state = self.lock();
        state.keys.clear();
        state.last_read = None;
        state.generation += 1;
    }

    /// Whether the feed has said that a key is published no more.
    pub(crate) fn is_gone(&self, kid: &str) -> bool {
        self.lock().gone.contains(kid)
    }

    fn known(&self, kid: &str) -> Option<Arc<VerifyingKey>> {
        self.lock().keys.get(kid).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn verifying_key(item: &PublicKeyItem) -> Option<(String, Arc<VerifyingKey>)> {
    let algorithm = Algorithm::parse(&item.algorithm)?;
    let key = VerifyingKey::from_jwk(algorithm, &item.jwk);
    if key.is_err() {
        tracing::error!(kid = item.kid, "a published key can't be read; its tokens are refused");
    }
    Some((item.kid.clone(), Arc::new(key.ok()?)))
}
