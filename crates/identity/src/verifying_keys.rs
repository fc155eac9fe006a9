//! The published keys that tokens are verified with.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::Moment;
use signing::{Algorithm, VerifyingKey};
use store::{Store, StoreError};
use tokio::sync::Mutex;

/// After a read of the keys, a key id that is still unknown causes no other for this long, whatever the flood.
const COOLDOWN: Duration = Duration::from_secs(10);

pub(crate) struct VerifyingKeys {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    keys: HashMap<String, Arc<VerifyingKey>>,
    last_read: Option<Moment>,
}

impl VerifyingKeys {
    pub(crate) fn new() -> Self {
        Self { state: Mutex::default() }
    }

    /// The key of this id; `None` where none is published. An unknown id causes at most one read per cooldown.
    pub(crate) async fn get(
        &self,
        store: &Store,
        kid: &str,
        now: Moment,
    ) -> Result<Option<Arc<VerifyingKey>>, StoreError> {
        let mut state = self.state.lock().await;
        if let Some(key) = state.keys.get(kid) {
            return Ok(Some(key.clone()));
        }
        let age = state.last_read.and_then(|at| now.since(at));
        if age.is_some_and(|age| age < COOLDOWN) {
            return Ok(None);
        }
        let published = store.signing_key_publics().await?;
        state.last_read = Some(now);
        state.keys = published
            .iter()
            .filter_map(|item| {
                let algorithm = Algorithm::parse(&item.algorithm)?;
                let key = VerifyingKey::from_jwk(algorithm, &item.jwk);
                if key.is_err() {
                    tracing::error!(kid = item.kid, "a published key can't be read; its tokens are refused");
                }
                Some((item.kid.clone(), Arc::new(key.ok()?)))
            })
            .collect();
        Ok(state.keys.get(kid).cloned())
    }
}
