//! Who stands behind a credential.

use std::sync::Arc;

use domain::{Claims, DenyReason, KeyRecord, KeyRefusal, Moment, PlainKey, Scope, UserId, WorkspaceId};
use signing::{Audience, TokenRefusal, UnverifiedToken};
use store::{Store, StoreError};
use thiserror::Error;

use crate::credential::{Credential, CredentialError};
use crate::feed::Feed;
use crate::records::Records;
use crate::verifying_keys::VerifyingKeys;

/// Tells credentials apart; one per process, so that its caches serve every request.
pub struct Identity {
    store: Store,
    audience: Audience,
    feed: Feed,
    records: Records,
    keys: VerifyingKeys,
}

/// Who calls: the key, and the token that it was exchanged for, where one was used.
#[derive(Clone, Debug)]
pub struct Principal {
    /// The key that everything hangs on.
    pub key: Arc<KeyRecord>,
    token: Option<Claims>,
}

/// Why a credential does not count.
#[derive(Debug, Error)]
pub enum Refusal {
    /// The caller is told that the credential does not count, and nothing else.
    #[error("{reason}")]
    Unauthorized {
        /// For the log alone.
        reason: Refused,
        /// The key whose credential it was; only where the caller has proved to hold it.
        key: Option<Arc<KeyRecord>>,
    },
    /// The store can't say: neither yes nor no.
    #[error(transparent)]
    Unavailable(#[from] StoreError),
}

/// The reasons of a refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// No credential that could be read.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The token.
    #[error(transparent)]
    Token(#[from] TokenRefusal),
    /// The token names a signing key that is not published.
    #[error("unknown signing key")]
    UnknownSigningKey,
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
}

impl From<Refused> for Refusal {
    fn from(reason: Refused) -> Self {
        Self::Unauthorized { reason, key: None }
    }
}

impl From<CredentialError> for Refusal {
    fn from(error: CredentialError) -> Self {
        Refused::from(error).into()
    }
}

impl Refused {
    /// What a refused call counts as.
    #[must_use]
    pub fn deny_reason(self) -> DenyReason {
        match self {
            Self::Key(KeyRefusal::Expired) | Self::Token(TokenRefusal::Expired) => DenyReason::Expired,
            _ => DenyReason::KeyRevoked,
        }
    }
}

impl Identity {
    /// Begins with empty caches.
    #[must_use]
    pub fn new(store: Store, audience: Audience) -> Self {
        Self { store, audience, feed: Feed::new(), records: Records::new(), keys: VerifyingKeys::new() }
    }

    /// Who stands behind `credential`. No read of the store while the feed is fresh and the record cached.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn principal(&self, credential: &Credential<'_>, now: Moment) -> Result<Principal, Refusal> {
        match credential {
            Credential::Key(key) => self.by_key(key, now).await,
            Credential::Token(token) => self.by_token(token, now).await,
        }
    }

    async fn by_key(&self, presented: &PlainKey, now: Moment) -> Result<Principal, Refusal> {
        self.feed.refresh(&self.store, &self.records, now).await?;
        let record = self.records.get(&self.store, &presented.id()).await?;
        match KeyRecord::check(record.as_deref(), presented, now.timestamp()) {
            Ok(_) => {}
            Err(reason @ (KeyRefusal::Revoked | KeyRefusal::Expired)) => {
                return Err(Refusal::Unauthorized { reason: reason.into(), key: record });
            }
            Err(reason) => return Err(Refused::from(reason).into()),
        }
        let key = record.ok_or(Refused::Key(KeyRefusal::Unknown))?;
        Ok(Principal { key, token: None })
    }

    async fn by_token(&self, token: &UnverifiedToken<'_>, now: Moment) -> Result<Principal, Refusal> {
        let verifying = self.keys.get(&self.store, token.kid(), now).await?.ok_or(Refused::UnknownSigningKey)?;
        let claims = verifying.verify(token, &self.audience, now.timestamp()).map_err(Refused::from)?;
        self.feed.refresh(&self.store, &self.records, now).await?;
        let record = self.records.get(&self.store, &claims.key_id).await?;
        // A key that has moved to another client than its token says can't be: refuse rather than guess.
        let key =
            record.filter(|record| record.client_id == claims.client_id).ok_or(Refused::Key(KeyRefusal::Unknown))?;
        match key.check_version(claims.secret_version, now.timestamp()) {
            Ok(()) => Ok(Principal { key, token: Some(claims) }),
            Err(reason) => Err(Refusal::Unauthorized { reason: reason.into(), key: Some(key) }),
        }
    }
}

impl Principal {
    /// What the principal may do: the token's scopes that its key still has, or the key's own.
    pub fn scopes(&self) -> impl Iterator<Item = &Scope> {
        let of_token = self.token.as_ref().map(|claims| &claims.scope);
        of_token.unwrap_or(&self.key.scopes).iter().filter(|scope| self.key.scopes.covers(scope))
    }

    /// Whether the principal may do what `needed` asks.
    #[must_use]
    pub fn covers(&self, needed: &Scope) -> bool {
        self.scopes().any(|held| held.covers(needed))
    }

    /// The workspace that the credential is bound to.
    #[must_use]
    pub fn workspace_id(&self) -> Option<&WorkspaceId> {
        self.token.as_ref().map(|claims| &claims.workspace_id).or(self.key.workspace_id())
    }

    /// The user behind the key, where one is.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        self.key.owner_user_id()
    }

    /// The token's id, where a token was used.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.token.as_ref().map(|claims| claims.jti.as_str())
    }

    /// What kind of credential was used: `jwt` or `api_key`.
    #[must_use]
    pub fn credential_kind(&self) -> &'static str {
        if self.token.is_some() { "jwt" } else { "api_key" }
    }
}
