//! The key that this function signs with: unwrapped once, and given up when another one signs.
//!
//! 1. Which key signs is looked up at start, and again at the first request that finds the last look older than
//!    [`LOOK_EVERY`]: one strong read, that of the key itself only where it is another.
//! 2. Where the store or the wrapper is away the key at hand goes on, at most [`SIGNER_BOUND`] after it was last seen active;
//!    a key that is retired stays published for longer than that and the life of its last token.
//! 3. A key that the feed or the look says is gone signs nothing more.
//! 4. Where no key signs at all, as before the first one, one is made here.

use std::sync::Arc;
use std::time::Duration;

use domain::published_keys::SIGNER_BOUND;
use domain::{Act, Claims, Moment, Party, PublishedKeys};
use edge::ApiError;
use identity::Identity;
use signing::{Algorithm, KeyError, Signer, WrapContext, WrappedKey, Wrapper};
use store::signing_keys::NewSigningKey;
use store::{Store, StoreError};
use thiserror::Error;
use tokio::sync::Mutex;

/// How old the last look at which key signs may be.
pub const LOOK_EVERY: Duration = Duration::from_mins(1);
/// How long after a look that failed the next one is tried: each may take as long as a call may.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How often it is tried again where others are at the keys at the same time.
const ATTEMPTS: u64 = 5;

/// Why there is no signing key.
#[derive(Debug, Error)]
pub enum SigningKeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored key does not open, or none can be made.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No key signs, and so many are published that none may be made.
    #[error("as many signing keys are published as may be, and none signs")]
    TooMany,
}

/// The signing key. Where one of the preferred algorithm is not active yet, another algorithm's signs.
pub struct SigningKey {
    store: Store,
    wrapper: Wrapper,
    preferred: Algorithm,
    /// Held over a look, so that requests that come at once cause one.
    held: Mutex<Option<Held>>,
}

/// The key at hand.
struct Held {
    signer: Arc<Signer>,
    /// When the last look was sent that has seen it active.
    seen_active: Moment,
    /// When the next look is due, and what that counts from.
    looked: Moment,
    look_after: Duration,
}

impl Held {
    fn new(signer: Arc<Signer>, now: Moment) -> Self {
        Self { signer, seen_active: now, looked: now, look_after: LOOK_EVERY }
    }

    fn kid(&self) -> &str {
        &self.signer.public().kid
    }

    fn is_fresh(&self, now: Moment) -> bool {
        now.since(self.looked).is_some_and(|age| age < self.look_after)
    }

    fn may_go_on(&self, now: Moment) -> bool {
        now.since(self.seen_active).is_some_and(|age| age < SIGNER_BOUND)
    }
}

impl SigningKey {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(store: Store, wrapper: Wrapper, preferred: Algorithm) -> Self {
        Self { store, wrapper, preferred, held: Mutex::new(None) }
    }

    /// Reads the key ahead of the first request. Where that fails the first request tries again.
    pub async fn prepare(&self, now: Moment) {
        if let Err(error) = self.signer(now, |_| false).await {
            tracing::error!(%error, "no signing key yet");
        }
    }

    /// The signer, from memory most times. `is_gone` says which keys are published no more.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub async fn signer(&self, now: Moment, is_gone: impl Fn(&str) -> bool) -> Result<Arc<Signer>, SigningKeyError> {
        let mut held = self.held.lock().await;
        if held.as_ref().is_some_and(|held| is_gone(held.kid())) {
            *held = None;
        }
        if let Some(held) = held.as_ref().filter(|held| held.is_fresh(now) && held.may_go_on(now)) {
            return Ok(held.signer.clone());
        }
        match self.look(&mut held, now).await {
            Ok(signer) => Ok(signer),
            Err(error) => {
                let Some(held) = held.as_mut().filter(|held| held.may_go_on(now)) else { return Err(error) };
                tracing::warn!(%error, "which key signs can't be looked up; the one at hand goes on");
                (held.looked, held.look_after) = (now, LOOK_AGAIN);
                Ok(held.signer.clone())
            }
        }
    }

    /// Makes sure that there is a key to sign with.
    ///
    /// # Errors
    /// 503 where there is none.
    pub(crate) async fn ready(&self, identity: &Identity, now: Moment) -> Result<(), ApiError> {
        self.usable(identity, now).await.map(|_| ())
    }

    /// Signs claims.
    ///
    /// # Errors
    /// 503 where there is no key to sign with.
    pub(crate) async fn sign(&self, claims: &Claims, identity: &Identity, now: Moment) -> Result<String, ApiError> {
        let signer = self.usable(identity, now).await?;
        signer.sign(claims).map_err(|error| ApiError::Unavailable(Box::new(error)))
    }

    async fn usable(&self, identity: &Identity, now: Moment) -> Result<Arc<Signer>, ApiError> {
        let signer = self.signer(now, |kid| identity.signing_key_is_gone(kid)).await;
        signer.map_err(|error| ApiError::Unavailable(Box::new(error)))
    }

    async fn look(&self, held: &mut Option<Held>, now: Moment) -> Result<Arc<Signer>, SigningKeyError> {
        let mut attempt = 0;
        loop {
            match self.look_once(held, now).await {
                // Another is at the keys at this moment; a reader may see what it changes one by one.
                Err(SigningKeyError::Store(StoreError::Contended)) if attempt < ATTEMPTS => {
                    attempt += 1;
                    tokio::time::sleep(Duration::from_millis(40 * attempt)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn look_once(&self, held: &mut Option<Held>, now: Moment) -> Result<Arc<Signer>, SigningKeyError> {
        let mut keys = self.store.signing_keys().await?;
        if held.as_ref().is_some_and(|held| keys.get(held.kid()).is_none()) {
            *held = None;
        }
        if keys.signing(self.preferred).is_none() {
            self.make_first(&keys, now).await?;
            keys = self.store.signing_keys().await?;
        }
        let (kid, algorithm) = keys.signing(self.preferred).ok_or(StoreError::Contended)?;
        let signer = match held {
            Some(held) if held.kid() == kid => held.signer.clone(),
            _ => Arc::new(self.open(kid, algorithm).await?),
        };
        *held = Some(Held::new(signer.clone(), now));
        Ok(signer)
    }

    async fn open(&self, kid: &str, algorithm: Algorithm) -> Result<Signer, SigningKeyError> {
        let item = self.store.signing_key_private(kid).await?.ok_or(StoreError::Contended)?;
        Ok(Signer::unwrap(&self.wrapper, &item.wrapped, WrapContext { kid, algorithm }).await?)
    }

    /// Makes the first key; where another was faster, nothing.
    async fn make_first(&self, keys: &PublishedKeys, now: Moment) -> Result<(), SigningKeyError> {
        let Some(turn) = keys.first(self.preferred, now.timestamp()) else { return Ok(()) };
        if turn.is_refused {
            return Err(SigningKeyError::TooMany);
        }
        let new = match turn.wants {
            Some(wanted) => {
                let WrappedKey { public, wrapped } = WrappedKey::make(&self.wrapper, wanted.algorithm).await?;
                Some(NewSigningKey::new(public.kid, wanted.algorithm, public.json, wrapped, now.timestamp()))
            }
            None => None,
        };
        let actor = Party { kind: "function".to_owned(), id: "token-exchange".to_owned() };
        let act = Act { actor, address: None, at: now.timestamp() };
        self.store.signing_keys_turn(&turn, new.as_ref(), &act).await?;
        Ok(())
    }
}
