//! Private keys at rest: wrapped under a key that is not in the store, by AWS's KMS or by a local master key.
//!
//! What a wrapped key is for (purpose, key, algorithm) is bound to the ciphertext: one that is moved to another row does
//! not open.

mod kms;
mod master_key;

use domain::Algorithm;
use thiserror::Error;

pub use kms::Kms;
pub use master_key::MasterKey;

/// What a wrapped key is bound to.
#[derive(Clone, Copy, Debug)]
pub struct WrapContext<'a> {
    /// The key's id.
    pub kid: &'a str,
    /// Its algorithm.
    pub algorithm: Algorithm,
}

impl WrapContext<'_> {
    /// Names and values of the context.
    fn pairs(&self) -> [(&'static str, &str); 3] {
        [("purpose", "signing-key"), ("algorithm", self.algorithm.name()), ("kid", self.kid)]
    }
}

/// Why a key can't be wrapped or unwrapped.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum WrapError {
    /// There is nothing to wrap with, or two things: the function must not start.
    #[error("exactly one of KEYGATE_KMS_KEY_ID and KEYGATE_MASTER_KEY (32 characters or more) must be set")]
    NotConfigured,
    /// The bytes were not wrapped by this wrapper, with this key, in this context.
    #[error("a wrapped signing key does not open with the configured wrapper")]
    Refused,
    /// KMS did not answer in time, or does not do it. The text is KMS's own, and holds neither key nor ciphertext.
    #[error("KMS is unavailable: {0}")]
    Unavailable(String),
    /// The function was not told how to reach AWS.
    #[error(transparent)]
    Environment(#[from] aws::Misconfigured),
}

/// Wraps and unwraps private keys.
#[derive(Debug)]
pub enum Wrapper {
    /// Under a secret that the environment gives: on one machine.
    MasterKey(MasterKey),
    /// By AWS's KMS.
    Kms(Kms),
}

impl Wrapper {
    /// The one that the environment names: `KEYGATE_KMS_KEY_ID` or `KEYGATE_MASTER_KEY`. Nothing is sent yet.
    ///
    /// # Errors
    /// [`WrapError::NotConfigured`] where it names none, or both.
    pub fn from_env() -> Result<Self, WrapError> {
        let set = |name| std::env::var(name).ok().filter(|value| !value.is_empty());
        Self::configured(set("KEYGATE_KMS_KEY_ID"), set("KEYGATE_MASTER_KEY"))
    }

    fn configured(kms_key_id: Option<String>, master_key: Option<String>) -> Result<Self, WrapError> {
        match (kms_key_id, master_key) {
            (Some(key_id), None) => Ok(Self::Kms(Kms::connect(key_id)?)),
            (None, Some(secret)) => Self::from_secret(&secret),
            (None, None) | (Some(_), Some(_)) => Err(WrapError::NotConfigured),
        }
    }

    /// Under a random secret of at least 32 characters.
    ///
    /// # Errors
    /// [`WrapError::NotConfigured`] where it is shorter.
    pub fn from_secret(secret: &str) -> Result<Self, WrapError> {
        MasterKey::new(secret).map(Self::MasterKey)
    }

    /// Wraps a private key.
    ///
    /// # Errors
    /// [`WrapError::Unavailable`], or [`WrapError::Refused`] where the library fails.
    pub async fn wrap(&self, plain: &[u8], context: WrapContext<'_>) -> Result<Vec<u8>, WrapError> {
        match self {
            Self::MasterKey(key) => key.wrap(plain, context),
            Self::Kms(kms) => kms.wrap(plain, context).await,
        }
    }

    /// Unwraps a private key.
    ///
    /// # Errors
    /// [`WrapError::Refused`] for other bytes, another context, or what another key or wrapper has wrapped;
    /// [`WrapError::Unavailable`].
    pub async fn unwrap(&self, wrapped: &[u8], context: WrapContext<'_>) -> Result<Vec<u8>, WrapError> {
        match self {
            Self::MasterKey(key) => key.unwrap(wrapped, context),
            Self::Kms(kms) => kms.unwrap(wrapped, context).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_wrapper_is_configured() {
        let (id, secret) = (|| Some("alias/keygate".to_owned()), || Some("a".repeat(32)));
        let kms = Wrapper::configured(id(), None);
        assert!(matches!(kms, Ok(Wrapper::Kms(_)) | Err(WrapError::Environment(_))), "{kms:?}");
        assert!(matches!(Wrapper::configured(None, secret()), Ok(Wrapper::MasterKey(_))));
        for (kms_key_id, master_key) in [(None, None), (id(), secret()), (None, Some("short".to_owned()))] {
            let refused = Wrapper::configured(kms_key_id, master_key).unwrap_err();
            assert_eq!(refused, WrapError::NotConfigured);
        }
    }
}
