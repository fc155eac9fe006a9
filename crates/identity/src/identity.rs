//! From a credential to the principal that stands behind it.

use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use domain::{
    Claims, Client, ClientId, ForeignKey, KeyId, KeyRecord, KeyRefusal, Moment, PresentedKey, ScopeSet, SecretVersion,
    Subject, User, UserId, UserStatus, Workspace, WorkspaceId,
};
use signing::{Audience, TokenRefusal, UnverifiedToken, VerifyingKey};
use store::{Store, StoreError};

use crate::caches::Caches;
use crate::call::{Call, Named};
use crate::credential::{Credential, CredentialError};
use crate::feed::Feed;
use crate::footing::{Directory, Fallen, Footing};
use crate::principal::{Principal, Standing};
use crate::records::Found;
use crate::refusal::{Refusal, RefusalReason};

/// Tells credentials apart; one per process, so that its caches serve every request.
pub struct Identity {
    store: Store,
    audience: Audience,
    feed: Feed,
    caches: Caches,
}

impl Identity {
    /// Begins with empty caches.
    #[must_use]
    pub fn new(store: Store, audience: Audience) -> Self {
        Self { store, audience, feed: Feed::new(), caches: Caches::new() }
    }

    /// Who stands behind a call's credential, and in which workspace. No read of the store while the feed is fresh and
    /// the records cached.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn principal(&self, call: &Call<'_>, now: Moment) -> Result<Principal, Refusal> {
        match &call.credential {
            Credential::Key(key) => self.by_key(key, call, now).await,
            Credential::Token(token) => self.by_token(token, call, now).await,
        }
    }

    /// The id of the record that a key string is to be judged by: one of our own names it; another system's leads there by
    /// its hash, where a registered pattern matches. `None` where the hash leads nowhere. No read for one of our own; for
    /// another's one at most, beside the patterns.
    ///
    /// # Errors
    /// [`Refusal`] for a string that no pattern matches, as for a malformed one.
    pub async fn key_id(&self, presented: &PresentedKey, now: Moment) -> Result<Option<KeyId>, Refusal> {
        match presented {
            PresentedKey::Own(key) => Ok(Some(key.id())),
            PresentedKey::Foreign(key) => {
                self.refresh(now).await?;
                Ok(self.imported(key).await?.map(|found| (*found.record).clone()))
            }
        }
    }

    /// What a key stands on that was read and proved elsewhere, in the workspace that is `named`.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn footing(&self, key: &Arc<KeyRecord>, named: &Named, now: Moment) -> Result<Footing, Refusal> {
        self.refresh(now).await?;
        self.footing_of(key, None, named).await
    }

    /// What a user holds now.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn scopes_of(&self, user: &User, now: Moment) -> Result<ScopeSet, StoreError> {
        self.refresh(now).await?;
        self.directory().scopes_of(user).await
    }

    /// A client, as fresh as everything here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn client(&self, id: &ClientId, now: Moment) -> Result<Option<Arc<Client>>, StoreError> {
        self.refresh(now).await?;
        self.caches.client(&self.store, id).await
    }

    /// A client's workspace, as fresh as everything here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn workspace(
        &self,
        client: &ClientId,
        id: &WorkspaceId,
        now: Moment,
    ) -> Result<Option<Arc<Workspace>>, StoreError> {
        self.refresh(now).await?;
        self.caches.workspace(&self.store, client, id).await
    }

    /// Whether the feed, as far as it was read, has said that a signing key is published no more.
    #[must_use]
    pub fn signing_key_is_gone(&self, kid: &str) -> bool {
        self.caches.signing_keys.is_gone(kid)
    }

    async fn refresh(&self, now: Moment) -> Result<(), StoreError> {
        self.feed.refresh(&self.store, &self.caches, now).await
    }

    fn directory(&self) -> Directory<'_> {
        Directory { store: &self.store, caches: &self.caches }
    }

    /// The key that another system's string leads to.
    async fn imported(&self, key: &ForeignKey) -> Result<Option<Found<KeyId>>, Refusal> {
        // Boxed, and its type with it, since it would make the future of every call larger for the sake of few.
        let leads_to: Pin<Box<dyn Future<Output = _> + Send + '_>> = Box::pin(async {
            if !self.caches.may_be_imported(&self.store, key).await? {
                return Err(CredentialError::Malformed.into());
            }
            Ok(self.caches.imported(&self.store, key).await?)
        });
        leads_to.await
    }

    async fn by_key(&self, presented: &PresentedKey, call: &Call<'_>, now: Moment) -> Result<Principal, Refusal> {
        self.refresh(now).await?;
        let (id, mut was_read) = match presented {
            PresentedKey::Own(key) => (Some(key.id()), false),
            PresentedKey::Foreign(key) => match self.imported(key).await? {
                Some(found) => (Some((*found.record).clone()), !found.was_cached),
                None => (None, true),
            },
        };
        let found = match &id {
            Some(id) => self.caches.keys.get(id, self.store.key_by_id(id)).await?,
            None => None,
        };
        was_read |= found.as_ref().is_none_or(|found| !found.was_cached);
        let record = found.map(|found| found.record);
        match KeyRecord::check(record.as_deref(), presented, now.timestamp()) {
            Ok(_) => {}
            Err(reason @ (KeyRefusal::Revoked | KeyRefusal::Expired)) => {
                return Err(Refusal::Unauthorized { reason: reason.into(), key: record });
            }
            Err(reason) => {
                // An unknown id or hash costs a read each time; so does a known one with a wrong secret, or the time would
                // tell.
                if let Some(id) = id.filter(|_| !was_read) {
                    self.store.key_by_id(&id).await?;
                }
                return Err(RefusalReason::from(reason).into());
            }
        }
        let key = record.ok_or(RefusalReason::Key(KeyRefusal::Unknown))?;
        check_address(&key, call.address)?;
        let footing = self.footing_of(&key, None, &call.workspace).await?;
        Ok(Principal::new(Standing::Key(key, footing), None))
    }

    async fn by_token(&self, token: &UnverifiedToken<'_>, call: &Call<'_>, now: Moment) -> Result<Principal, Refusal> {
        if !self.feed.has_begun().await {
            self.refresh(now).await?;
        }
        let verifying = self.verifying_key(token, now).await?;
        let claims = verifying.verify(token, &self.audience, now.timestamp()).map_err(RefusalReason::from)?;
        self.refresh(now).await?;
        // The feed may have told just now that the key is published no more.
        self.verifying_key(token, now).await?;
        let standing = match claims.subject() {
            Some(Subject::Key(id, version)) => self.key_of_token(&claims, &id, version, call, now).await?,
            Some(Subject::User(id)) => self.user_of_token(&claims, &id, call).await?,
            None => return Err(RefusalReason::Token(TokenRefusal::Claims).into()),
        };
        Ok(Principal::new(standing, Some(claims)))
    }

    async fn verifying_key(&self, token: &UnverifiedToken<'_>, now: Moment) -> Result<Arc<VerifyingKey>, Refusal> {
        let key = self.caches.signing_keys.get(&self.store, token.kid(), now).await?;
        Ok(key.ok_or(RefusalReason::UnknownSigningKey)?)
    }

    async fn key_of_token(
        &self,
        claims: &Claims,
        id: &KeyId,
        version: SecretVersion,
        call: &Call<'_>,
        now: Moment,
    ) -> Result<Standing, Refusal> {
        // A key that has moved to another client than its token says can't be: refuse rather than guess.
        let key = self
            .caches
            .keys
            .get(id, self.store.key_by_id(id))
            .await?
            .map(|found| found.record)
            .filter(|record| record.client_id == claims.client_id)
            .ok_or(RefusalReason::Key(KeyRefusal::Unknown))?;
        if let Err(reason) = key.check_version(version, now.timestamp()) {
            return Err(Refusal::Unauthorized { reason: reason.into(), key: Some(key) });
        }
        check_address(&key, call.address)?;
        let footing = self.footing_of(&key, Some(&claims.workspace_id), &call.workspace).await?;
        Ok(Standing::Key(key, footing))
    }

    async fn user_of_token(&self, claims: &Claims, id: &UserId, call: &Call<'_>) -> Result<Standing, Refusal> {
        let user = self.caches.user(&self.store, &claims.client_id, id).await?;
        let user = user.filter(|user| user.status == UserStatus::Active).ok_or(RefusalReason::UnknownUser)?;
        let scopes = self.directory().scopes_of(&user).await?;
        let reach = self.directory().reach_of_user(&user, &claims.workspace_id, &call.workspace).await?;
        Ok(Standing::User { user, scopes, reach })
    }

    async fn footing_of(
        &self,
        key: &Arc<KeyRecord>,
        bound: Option<&WorkspaceId>,
        named: &Named,
    ) -> Result<Footing, Refusal> {
        self.directory().footing(key, bound, named).await.map_err(|fallen| match fallen {
            Fallen::Key(reason) => Refusal::Unauthorized { reason: reason.into(), key: Some(key.clone()) },
            Fallen::Store(error) => error.into(),
        })
    }
}

fn check_address(key: &Arc<KeyRecord>, address: Option<IpAddr>) -> Result<(), Refusal> {
    let refused = |reason: KeyRefusal| Refusal::Unauthorized { reason: reason.into(), key: Some(key.clone()) };
    key.check_address(address).map_err(refused)
}
