//! The key that this function signs with: read once, unwrapped once.

use std::time::Duration;

use domain::{Claims, Moment};
use edge::ApiError;
use signing::{Algorithm, KeyMaterial, Signer, SigningError, WrapContext, WrapError, Wrapper};
use store::signing_keys::{PrivateKeyItem, PublicKeyItem};
use store::{Store, StoreError};
use thiserror::Error;
use tokio::sync::OnceCell;

/// How often it is tried again where others make the first key at the same time.
const ATTEMPTS: u64 = 5;

/// Why there is no signing key.
#[derive(Debug, Error)]
pub enum SigningKeyError {
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The stored key does not open.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// It opens and is no key.
    #[error(transparent)]
    Signing(#[from] SigningError),
    /// `KEYGATE_SIGNING_ALGORITHM` names none.
    #[error("KEYGATE_SIGNING_ALGORITHM must be ES256, EdDSA or RS256")]
    Algorithm,
}

/// The algorithm that `KEYGATE_SIGNING_ALGORITHM` names; ES256 where it is not set.
///
/// # Errors
/// [`SigningKeyError::Algorithm`] for another name: the function must not start.
pub fn algorithm_from_env() -> Result<Algorithm, SigningKeyError> {
    match std::env::var("KEYGATE_SIGNING_ALGORITHM") {
        Ok(name) if !name.is_empty() => Algorithm::parse(&name).ok_or(SigningKeyError::Algorithm),
        _ => Ok(Algorithm::Es256),
    }
}

/// The active signing key of one algorithm. The first function that finds none makes it.
pub struct SigningKey {
    store: Store,
    wrapper: Wrapper,
    algorithm: Algorithm,
    signer: OnceCell<Signer>,
}

impl SigningKey {
    /// Reads nothing yet.
    #[must_use]
    pub fn new(store: Store, wrapper: Wrapper, algorithm: Algorithm) -> Self {
        Self { store, wrapper, algorithm, signer: OnceCell::new() }
    }

    /// Reads the key ahead of the first request. Where that fails the first request tries again.
    pub async fn prepare(&self, now: Moment) {
        if let Err(error) = self.signer(now).await {
            tracing::error!(%error, "no signing key yet");
        }
    }

    /// The signer, from memory after the first time.
    ///
    /// # Errors
    /// [`SigningKeyError`].
    pub async fn signer(&self, now: Moment) -> Result<&Signer, SigningKeyError> {
        self.signer.get_or_try_init(|| self.load(now)).await
    }

    /// Makes sure that there is a key to sign with.
    ///
    /// # Errors
    /// 503 where there is none.
    pub(crate) async fn ready(&self, now: Moment) -> Result<(), ApiError> {
        self.signer(now).await.map(|_| ()).map_err(|error| ApiError::Unavailable(Box::new(error)))
    }

    /// Signs claims.
    ///
    /// # Errors
    /// 503 where there is no key to sign with.
    pub(crate) async fn sign(&self, claims: &Claims, now: Moment) -> Result<String, ApiError> {
        let unavailable = |error: SigningKeyError| ApiError::Unavailable(Box::new(error));
        let signer = self.signer(now).await.map_err(unavailable)?;
        signer.sign(claims).map_err(|error| unavailable(error.into()))
    }

    async fn load(&self, now: Moment) -> Result<Signer, SigningKeyError> {
        let mut attempt = 0;
        loop {
            match self.open_or_make(now).await {
                // Another is making the first key at this moment; its key is the one to use. (Its items may be seen one
                // before the other.)
                Err(SigningKeyError::Store(StoreError::Exists | StoreError::Contended | StoreError::Corrupt(_)))
                    if attempt < ATTEMPTS =>
                {
                    attempt += 1;
                    tokio::time::sleep(Duration::from_millis(40 * attempt)).await;
                }
                outcome => return outcome,
            }
        }
    }

    async fn open_or_make(&self, now: Moment) -> Result<Signer, SigningKeyError> {
        if let Some(item) = self.store.signing_key_active(self.algorithm.name()).await? {
            return self.open(&item);
        }
        let material = KeyMaterial::generate(self.algorithm)?;
        let signer = Signer::new(&material)?;
        self.keep(&material, &signer, now).await?;
        Ok(signer)
    }

    fn open(&self, item: &PrivateKeyItem) -> Result<Signer, SigningKeyError> {
        let context = WrapContext { kid: &item.kid, algorithm: self.algorithm };
        let pkcs8 = self.wrapper.unwrap(&item.wrapped, context)?;
        Ok(Signer::new(&KeyMaterial::from_pkcs8(self.algorithm, pkcs8))?)
    }

    async fn keep(&self, material: &KeyMaterial, signer: &Signer, now: Moment) -> Result<(), SigningKeyError> {
        let public = signer.public();
        let context = WrapContext { kid: &public.kid, algorithm: self.algorithm };
        let algorithm = self.algorithm.name().to_owned();
        let public_item = PublicKeyItem {
            kid: public.kid.clone(),
            algorithm: algorithm.clone(),
            jwk: public.json.clone(),
            created_at: now.timestamp(),
        };
        let wrapped = self.wrapper.wrap(material.pkcs8(), context)?;
        let private_item = PrivateKeyItem { kid: public.kid.clone(), algorithm, wrapped };
        Ok(self.store.signing_key_create_first(&public_item, &private_item).await?)
    }
}
