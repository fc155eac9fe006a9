//! Keys that are made and kept wrapped: in the clear they are in no other place than the memory of who signs.

use domain::Algorithm;
use thiserror::Error;

use crate::jwk::PublicJwk;
use crate::signer::{KeyMaterial, Signer, SigningError};
use crate::wrap::{WrapContext, WrapError, Wrapper};

/// Why a key can't be made, or opened.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// The wrapper does not do it.
    #[error(transparent)]
    Wrap(#[from] WrapError),
    /// The library does not, or what was opened is no key.
    #[error(transparent)]
    Signing(#[from] SigningError),
}

/// A new key, ready to be stored.
#[derive(Debug)]
pub struct WrappedKey {
    /// Its public half.
    pub public: PublicJwk,
    /// Its private half, wrapped.
    pub wrapped: Vec<u8>,
}

impl WrappedKey {
    /// Makes a key and wraps it.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn make(wrapper: &Wrapper, algorithm: Algorithm) -> Result<Self, KeyError> {
        let material = KeyMaterial::generate(algorithm)?;
        let public = Signer::new(&material)?.public().clone();
        let context = WrapContext { kid: &public.kid, algorithm };
        let sealed = wrapper.wrap(material.pkcs8(), context).await?;
        Ok(Self { public, wrapped: sealed })
    }
}

impl Signer {
    /// Opens a key that was wrapped.
    ///
    /// # Errors
    /// [`KeyError`].
    pub async fn unwrap(wrapper: &Wrapper, sealed: &[u8], context: WrapContext<'_>) -> Result<Self, KeyError> {
        let pkcs8 = wrapper.unwrap(sealed, context).await?;
        Ok(Self::new(&KeyMaterial::from_pkcs8(context.algorithm, pkcs8))?)
    }
}
