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

type Keys = HashMap<String, Published>;

/// A key, and what it was read from.
struct Published {
    item: PublicKeyItem,
    key: Arc<VerifyingKey>,
}

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
            if let Some(known) = state.keys.get(kid) {
                return Ok(Some(known.key.clone()));
            }
            let age = state.last_read.and_then(|at| now.since(at));
            if state.gone.contains(kid) || age.is_some_and(|age| age < UNKNOWN_KEY_COOLDOWN) {
                return Ok(None);
            }
            state.generation
        };
        let published = store.signing_key_publics().await?;
        let mut state = self.lock();
        let published = published.into_iter().filter(|item| !state.gone.contains(&item.kid));
        let keys: Keys = published.filter_map(|item| state.read(item)).map(|key| (key.item.kid.clone(), key)).collect();
        let found = keys.get(kid).map(|found| found.key.clone());
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
        self.lock().keys.get(kid).map(|known| known.key.clone())
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    /// A published key, parsed; the one at hand where it is the same, with all that it has verified.
    fn read(&self, item: PublicKeyItem) -> Option<Published> {
        if let Some(known) = self.keys.get(&item.kid).filter(|known| known.item == item) {
            return Some(Published { key: known.key.clone(), item });
        }
        let algorithm = Algorithm::parse(&item.algorithm)?;
        let key = VerifyingKey::from_jwk(algorithm, &item.jwk);
        if key.is_err() {
            tracing::error!(kid = item.kid, "a published key can't be read; its tokens are refused");
        }
        Some(Published { key: Arc::new(key.ok()?), item })
    }
}

#[cfg(test)]
mod tests {
    use testkit::{TestStore, moment, published_signer, withdraw_signer};

    use super::*;

    #[tokio::test]
    async fn a_key_that_is_read_again_and_is_the_same_stays_the_same() {
        let test = TestStore::start().await;
        let signer = published_signer(&test.store, Algorithm::Es256).await;
        let (keys, kid) = (VerifyingKeys::new(), signer.public().kid.clone());
        let first = keys.get(&test.store, &kid, moment(0.0)).await.unwrap().unwrap();
        for round in 1..4 {
            test.faults.reset_counts();
            let at = moment(f64::from(round) * 11.0);
            assert!(keys.get(&test.store, "a stranger's", at).await.unwrap().is_none());
            assert_eq!(test.faults.counts().get("Query"), Some(&1), "all were read");
            assert!(Arc::ptr_eq(&first, &keys.get(&test.store, &kid, at).await.unwrap().unwrap()));
        }
        let successor = withdraw_signer(&test.store, &signer).await;
        keys.drop_for_good(&kid);
        assert!(keys.get(&test.store, &successor.public().kid, moment(50.0)).await.unwrap().is_some());
        assert!(keys.get(&test.store, &kid, moment(70.0)).await.unwrap().is_none());
    }
}
