//! Why a credential does not count.

use std::sync::Arc;

use domain::{AgentRefusal, DenyReason, KeyRecord, KeyRefusal};
use signing::TokenRefusal;
use store::StoreError;
use thiserror::Error;

use crate::credential::CredentialError;

/// Why a credential does not count.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The caller is told that the credential does not count, and nothing else.
    #[error("{reason}")]
    Unauthorized {
        /// For the log alone.
        reason: RefusalReason,
        /// The key whose credential it was; only where the caller has proved to hold it.
        key: Option<Arc<KeyRecord>>,
    },
    /// The store can't say: neither yes nor no.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// The reasons of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RefusalReason {
    /// No credential that could be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// The token names a signing key that is not published.
    #[error("unknown signing key")]
    UnknownSigningKey,
    /// The token, or one that it was exchanged from, was ended before its time.
    #[error("token revoked")]
    TokenEnded,
    /// What the user had granted to the app has ended, or the app is gone.
    #[error("grant ended")]
    GrantEnded,
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// The agent, or its token.
    #[error(transparent)]
    Agent(#[from] AgentRefusal),
    /// No such account, or another password.
    #[error("wrong password")]
    WrongPassword,
    /// No such invitation, or it was used.
    #[error("unknown invitation")]
    UnknownInvite,
    /// The user who had logged in is gone.
    #[error("unknown user")]
    UnknownUser,
}

impl From<RefusalReason> for Refusal {
    fn from(reason: RefusalReason) -> Self {
        Self::Unauthorized { reason, key: None }
    }
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        RefusalReason::from(error).into()
    }
}

impl RefusalReason {
    /// What a call of a proved key counts as that is refused for this.
    #[must_use]
    pub fn deny_reason(self) -> DenyReason {
        match self {
            Self::Key(KeyRefusal::Expired) => DenyReason::Expired,
            Self::Key(KeyRefusal::Address) => DenyReason::Address,
            _ => DenyReason::KeyRevoked,
        }
    }
}
