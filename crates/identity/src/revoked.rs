//! The tokens that were ended one by one, as far as they would still count.
//!
//! All of them are read once; from then on the feed names each that is added. What the feed names while the read is under
//! way is kept beside what that brings.

use std::collections::HashSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use domain::Timestamp;
use store::{Store, StoreError};

/// Beyond this many all are read anew, which leaves out those whose time is over: about 10 MB.
const MOST: usize = 100_000;

pub(crate) struct Revoked {
    state: Mutex<State>,
    /// Held over the read, so that requests that come at once cause one.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    jtis: HashSet<String>,
    /// Whether all that were ended up to the feed's last entry are among them.
    complete: bool,
    /// Grows whenever that is not so any more: a read that began before says nothing.
    generation: u64,
}

impl State {
    fn forget(&mut self) {
        self.complete = false;
        self.generation += 1;
        self.jtis.clear();
    }
}

impl Revoked {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default(), reading: tokio::sync::Mutex::default() }
    }

    /// Whether one of these tokens was ended: from memory, or by one strong read of all.
    pub(crate) async fn any<'a>(
        &self,
        store: &Store,
        mut jtis: impl Iterator<Item = &'a str>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        if !self.lock().complete {
            self.read(store, now).await?;
        }
        let state = self.lock();
        Ok(jtis.any(|jti| state.jtis.contains(jti)))
    }

    async fn read(&self, store: &Store, now: Timestamp) -> Result<(), StoreError> {
        let _reading = self.reading.lock().await;
        let generation = {
            let state = self.lock();
            if state.complete {
                return Ok(());
            }
            state.generation
        };
        let listed = store.revoked_list(now).await?;
        let mut state = self.lock();
        state.jtis.extend(listed);
        state.complete = state.generation == generation;
        Ok(())
    }

    /// Adds one that the feed names.
    pub(crate) fn add(&self, jti: &str) {
        let mut state = self.lock();
        if state.jtis.len() >= MOST {
            state.forget();
        }
        state.jtis.insert(jti.to_owned());
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.lock().forget();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
