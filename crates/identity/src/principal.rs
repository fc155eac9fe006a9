//! Who stands behind a credential.

use std::borrow::Cow;
use std::sync::Arc;

use domain::{
    Claims, ClientId, DenyReason, Environment, KeyId, KeyRecord, KeyRefusal, Moment, PlainKey, Scope, ScopeSet,
    SecretVersion, Subject, User, UserId, WorkspaceId,
};
use signing::{Audience, TokenRefusal, UnverifiedToken};
use store::{Store, StoreError};
use thiserror::Error;

use crate::caches::Caches;
use crate::credential::{Credential, CredentialError};
use crate::feed::Feed;
use crate::verifying_keys::VerifyingKeys;

/// Tells credentials apart; one per process, so that its caches serve every request.
pub struct Identity {
    store: Store,
    audience: Audience,
    feed: Feed,
    caches: Caches,
    keys: VerifyingKeys,
}

/// Who calls, and the token that was used, where one was.
#[derive(Clone, Debug)]
pub struct Principal {
    /// What everything hangs on.
    pub standing: Standing,
    token: Option<Claims>,
}

/// What a credential hangs on, as it is now.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A key.
    Key(Arc<KeyRecord>),
    /// A user who has logged in; only ever by a token.
    User(Arc<User>),
}

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
    /// The key.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// No such account, or another password.
    #[error("wrong password")]
    WrongPassword,
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
            _ => DenyReason::KeyRevoked,
        }
    }
}

impl Identity {
    /// Begins with empty caches.
    #[must_use]
    pub fn new(store: Store, audience: Audience) -> Self {
        Self { store, audience, feed: Feed::new(), caches: Caches::new(), keys: VerifyingKeys::new() }
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
        self.feed.refresh(&self.store, &self.caches, now).await?;
        let id = presented.id();
        let found = self.caches.keys.get(&id, self.store.key_by_id(&id)).await?;
        let was_cached = found.as_ref().is_some_and(|found| found.was_cached);
        let record = found.map(|found| found.record);
        match KeyRecord::check(record.as_deref(), presented, now.timestamp()) {
            Ok(_) => {}
            Err(reason @ (KeyRefusal::Revoked | KeyRefusal::Expired)) => {
                return Err(Refusal::Unauthorized { reason: reason.into(), key: record });
            }
            Err(reason) => {
                // An unknown id costs a read each time; so does a known one with a wrong secret, or the time would tell.
                if was_cached {
                    self.store.key_by_id(&id).await?;
                }
                return Err(RefusalReason::from(reason).into());
            }
        }
        let key = record.ok_or(RefusalReason::Key(KeyRefusal::Unknown))?;
        Ok(Principal { standing: Standing::Key(key), token: None })
    }

    async fn by_token(&self, token: &UnverifiedToken<'_>, now: Moment) -> Result<Principal, Refusal> {
        let verifying = self.keys.get(&self.store, token.kid(), now).await?.ok_or(RefusalReason::UnknownSigningKey)?;
        let claims = verifying.verify(token, &self.audience, now.timestamp()).map_err(RefusalReason::from)?;
        self.feed.refresh(&self.store, &self.caches, now).await?;
        let standing = match claims.subject() {
            Some(Subject::Key(id, version)) => Standing::Key(self.key_of_token(&claims, &id, version, now).await?),
            Some(Subject::User(id)) => Standing::User(self.user_of_token(&claims, &id).await?),
            None => return Err(RefusalReason::Token(TokenRefusal::Claims).into()),
        };
        Ok(Principal { standing, token: Some(claims) })
    }

    async fn key_of_token(
        &self,
        claims: &Claims,
        id: &KeyId,
        version: SecretVersion,
        now: Moment,
    ) -> Result<Arc<KeyRecord>, Refusal> {
        // A key that has moved to another client than its token says can't be: refuse rather than guess.
        let key = self
            .caches
            .keys
            .get(id, self.store.key_by_id(id))
            .await?
            .map(|found| found.record)
            .filter(|record| record.client_id == claims.client_id)
            .ok_or(RefusalReason::Key(KeyRefusal::Unknown))?;
        match key.check_version(version, now.timestamp()) {
            Ok(()) => Ok(key),
            Err(reason) => Err(Refusal::Unauthorized { reason: reason.into(), key: Some(key) }),
        }
    }

    async fn user_of_token(&self, claims: &Claims, id: &UserId) -> Result<Arc<User>, Refusal> {
        let user = self.caches.users.get(id, self.store.user_by_id(&claims.client_id, id)).await?;
        let user = user.map(|found| found.record).filter(|user| user.client_id == claims.client_id);
        Ok(user.ok_or(RefusalReason::UnknownUser)?)
    }
}

impl Principal {
    /// The key, where the credential hangs on one.
    #[must_use]
    pub fn key(&self) -> Option<&KeyRecord> {
        match &self.standing {
            Standing::Key(key) => Some(key),
            Standing::User(_) => None,
        }
    }

    /// The client that the principal belongs to.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        match &self.standing {
            Standing::Key(key) => &key.client_id,
            Standing::User(user) => &user.client_id,
        }
    }

    /// The id of the key, or of the user: whose doing it is.
    #[must_use]
    pub fn actor(&self) -> &str {
        match &self.standing {
            Standing::Key(key) => key.owner_user_id().map_or(key.id.as_str(), UserId::as_str),
            Standing::User(user) => user.id.as_str(),
        }
    }

    /// What the principal may do: what its token says and its key, or its role, still gives.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        self.held(&self.standing_scopes()).cloned().collect()
    }

    /// Whether the principal may do what `needed` asks.
    #[must_use]
    pub fn covers(&self, needed: &Scope) -> bool {
        self.held(&self.standing_scopes()).any(|held| held.covers(needed))
    }

    /// What the key, or the role, gives now.
    fn standing_scopes(&self) -> Cow<'_, ScopeSet> {
        match &self.standing {
            Standing::Key(key) => Cow::Borrowed(&key.scopes),
            Standing::User(user) => Cow::Owned(user.role.scopes()),
        }
    }

    fn held<'a>(&'a self, standing: &'a ScopeSet) -> impl Iterator<Item = &'a Scope> {
        let of_token = self.token.as_ref().map(|claims| &claims.scope);
        of_token.unwrap_or(standing).iter().filter(|scope| standing.covers(scope))
    }

    /// The workspace that the credential is bound to.
    #[must_use]
    pub fn workspace_id(&self) -> Option<&WorkspaceId> {
        let of_token = self.token.as_ref().map(|claims| &claims.workspace_id);
        of_token.or_else(|| self.key()?.workspace_id())
    }

    /// The user behind the credential, where one is.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        match &self.standing {
            Standing::Key(key) => key.owner_user_id(),
            Standing::User(user) => Some(&user.id),
        }
    }

    /// What it is for: a login is for production.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.key().map_or(Environment::Live, |key| key.environment)
    }

    /// Who pays for what the principal uses.
    #[must_use]
    pub fn billed_to(&self) -> &UserId {
        match &self.standing {
            Standing::Key(key) => &key.billed_to,
            Standing::User(user) => &user.id,
        }
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
