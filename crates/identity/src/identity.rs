//! From a credential to the principal that stands behind it.

mod by_token;

use std::collections::HashSet;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use domain::{
    AgentId, AgentRefusal, AgentToken, AgentTokenRecord, App, AppGrant, AppId, Claims, Client, ClientId, ForeignKey,
    KeyId, KeyRecord, KeyRefusal, Moment, PresentedKey, ScopeSet, User, Workspace, WorkspaceId,
};
use signing::{Audience, UnverifiedToken};
use store::{Store, StoreError};

use crate::agents;
use crate::caches::Caches;
use crate::call::{Call, Named};
use crate::credential::{Credential, CredentialError};
use crate::feed::{DEFAULT_BOUND, Feed};
use crate::footing::{Directory, Fallen, Footing};
use crate::principal::{Principal, Proof, Standing};
use crate::records::Found;
use crate::refusal::{Refusal, RefusalReason};
use crate::revoked::OfClient;

use by_token::{For, MadeOf};

/// Tells credentials apart; one per process, so that its caches serve every request.
pub struct Identity {
    store: Store,
    audience: Audience,
    feed: Feed,
    caches: Caches,
}

impl Identity {
    /// Begins with empty caches; changes count within [`DEFAULT_BOUND`].
    #[must_use]
    pub fn new(store: Store, audience: Audience) -> Self {
        Self { store, audience, feed: Feed::new(DEFAULT_BOUND), caches: Caches::new() }
    }

    /// The same, where changes count within `bound`, of which a second is the call's own.
    #[must_use]
    pub fn within(self, bound: Duration) -> Self {
        Self { feed: Feed::new(bound), ..self }
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
            Credential::Agent(token, named) => {
                // Boxed, and its type with it, as `imported` is.
                let agent: Pin<Box<dyn Future<Output = _> + Send + '_>> =
                    Box::pin(self.by_agent(token, Some(named), call.from(), now));
                agent.await
            }
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

    /// An app, as fresh as everything here.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn app(&self, id: &AppId, now: Moment) -> Result<Option<Arc<App>>, StoreError> {
        self.refresh(now).await?;
        self.caches.app(&self.store, id).await
    }

    /// What is left of what a user has granted to `app`, as its record says; `None` where nothing is, or the user is gone.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn left_of(&self, grant: &AppGrant, app: &App, now: Moment) -> Result<Option<ScopeSet>, StoreError> {
        self.refresh(now).await?;
        self.directory().left_to(grant, app).await
    }

    /// Who stands behind a token, whomever it is for: to say something of it, or to exchange it. `sender` says
    /// where it comes from.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn bearer(&self, token: &str, sender: Sender, now: Moment) -> Result<Principal, Refusal> {
        let claims = self.issued(token, now).await?;
        let standing = self.standing(&claims, UsedFrom { sender, workspace: &Named::None }, now).await?;
        Ok(Principal::new(standing, Proof::Token(claims)))
    }

    /// Who stands behind an agent's token, to say something of it: whoever asks need not name the agent.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn agent(&self, token: &AgentToken, now: Moment) -> Result<Principal, Refusal> {
        self.by_agent(token, None, UsedFrom { sender: Sender::Other, workspace: &Named::None }, now).await
    }

    /// Whether a string is a key, or looks like one of another system's that was imported: what no pattern matches is none. No read
    /// but that of the patterns.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn is_key(&self, text: &str, now: Moment) -> Result<bool, StoreError> {
        match PresentedKey::parse(text) {
            Ok(PresentedKey::Own(_)) => Ok(true),
            Ok(PresentedKey::Foreign(key)) => {
                self.refresh(now).await?;
                self.caches.may_be_imported(&self.store, &key).await
            }
            Err(_) => Ok(false),
        }
    }

    /// What a token says that we have issued, whomever it is for, and that is not over; whether what it hangs on still counts
    /// is not asked.
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn issued(&self, token: &str, now: Moment) -> Result<Arc<Claims>, Refusal> {
        let token = UnverifiedToken::parse(token).map_err(|_| CredentialError::Malformed)?;
        self.verified(&token, For::Anybody, now).await
    }

    /// Which of these tokens of a client's were ended before their time.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn ended_among(
        &self,
        client: &ClientId,
        tokens: &[String],
        now: Moment,
    ) -> Result<HashSet<String>, StoreError> {
        if tokens.is_empty() {
            return Ok(HashSet::new());
        }
        self.refresh(now).await?;
        let ended = self.ended_tokens(client, now).await?;
        Ok(tokens.iter().filter(|token| ended.contains(token)).cloned().collect())
    }

    /// Makes what follows as fresh as this very moment, and not only as the interval asks: whoever changes something, or is
    /// given something that outlives the call, must not do it with what was taken away a second ago.
    ///
    /// # Errors
    /// [`StoreError`].
    pub async fn catch_up(&self, now: Moment) -> Result<(), StoreError> {
        self.feed.catch_up(&self.store, &self.caches, now).await
    }

    /// Whether the feed, as far as it was read, has said that a signing key is published no more.
    #[must_use]
    pub fn signing_key_is_gone(&self, kid: &str) -> bool {
        self.caches.signing_keys.is_gone(kid)
    }

    async fn refresh(&self, now: Moment) -> Result<(), StoreError> {
        self.feed.refresh(&self.store, &self.caches, now).await
    }

    /// The tokens of a client's that were ended before their time; the feed must be fresh.
    async fn ended_tokens(&self, client: &ClientId, now: Moment) -> Result<Arc<OfClient>, StoreError> {
        self.caches.revoked.of_client(&self.store, client, now.timestamp()).await
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
        let mut record = found.map(|found| found.record);
        let check = |record: &Option<Arc<KeyRecord>>| {
            KeyRecord::check(record.as_deref(), presented, now.timestamp()).map(|proved| proved.version)
        };
        let mut checked = check(&record);
        if let (Err(KeyRefusal::WrongSecret | KeyRefusal::WrongPrefix), Some(id), false) = (&checked, &id, was_read) {
            // The key may have been rotated a moment ago, and this be its new string. Whoever guesses pays a read for an
            // unknown id too, so the time tells nothing.
            record = self.caches.keys.get_anew(id, self.store.key_by_id(id)).await?;
            checked = check(&record);
        }
        let version = match checked {
            Ok(version) => version,
            Err(reason @ (KeyRefusal::Revoked | KeyRefusal::Expired)) => {
                return Err(Refusal::Unauthorized { reason: reason.into(), key: record });
            }
            Err(reason) => return Err(RefusalReason::from(reason).into()),
        };
        let key = record.ok_or(RefusalReason::Key(KeyRefusal::Unknown))?;
        check_address(&key, call.address)?;
        let footing = self.footing_of(&key, None, &call.workspace).await?;
        Ok(Principal::new(Standing::Key(key, footing), Proof::Key(version)))
    }

    async fn by_agent(
        &self,
        presented: &AgentToken,
        named: Option<&AgentId>,
        from: UsedFrom<'_>,
        now: Moment,
    ) -> Result<Principal, Refusal> {
        self.refresh(now).await?;
        let token = agents::token(&self.store, &self.caches, presented, named, now.timestamp()).await?;
        let AgentTokenRecord { grant, .. } = &*token;
        if self.ended_tokens(&grant.client_id, now).await?.contains_any(token.ends_with()) {
            return Err(RefusalReason::Agent(AgentRefusal::Revoked).into());
        }
        let made_of = MadeOf {
            client: &grant.client_id,
            key: &grant.key_id,
            version: grant.secret_version,
            workspace: &grant.workspace_id,
        };
        let standing = self.key_of_token(made_of, from, now).await?;
        if !agents::all_live(&self.store, &self.caches, &token).await? {
            let key = match &standing {
                Standing::Key(key, _) => Some(key.clone()),
                Standing::User { .. } | Standing::Grant { .. } | Standing::App { .. } => None,
            };
            return Err(Refusal::Unauthorized { reason: AgentRefusal::Ended.into(), key });
        }
        Ok(Principal::new(standing, Proof::Agent(token)))
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

/// Who has sent a token.
#[derive(Clone, Copy, Debug)]
pub enum Sender {
    /// Its bearer, from the address that the gateway has seen, if any.
    At(Option<IpAddr>),
    /// Somebody who asks about it: where from says nothing of its bearer.
    Other,
}

/// Where a token is used.
#[derive(Clone, Copy)]
struct UsedFrom<'a> {
    sender: Sender,
    workspace: &'a Named,
}

impl Call<'_> {
    fn from(&self) -> UsedFrom<'_> {
        UsedFrom { sender: Sender::At(self.address), workspace: &self.workspace }
    }
}

fn check_address(key: &Arc<KeyRecord>, address: Option<IpAddr>) -> Result<(), Refusal> {
    let refused = |reason: KeyRefusal| Refusal::Unauthorized { reason: reason.into(), key: Some(key.clone()) };
    key.check_address(address).map_err(refused)
}
