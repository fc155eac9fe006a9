//! What stands behind credentials: one cache for each kind of thing that the feed can name.

use std::sync::Arc;

use domain::{
    Agent, AgentId, AgentTokenId, AgentTokenRecord, App, AppGrant, AppId, Client, ClientId, FeedKind, ForeignKey,
    GrantId, HashedKey, KeyId, KeyPatterns, KeyRecord, User, UserId, Workspace, WorkspaceId,
};
use store::{Store, StoreError};

use crate::agents::parse_named;
use crate::records::{Found, Records};
use crate::revoked::Revoked;
use crate::verified::Verified;
use crate::verifying_keys::VerifyingKeys;

/// Reads what the feed calls a token that was ended.
fn parse_ended(id: &str) -> Option<(ClientId, &str)> {
    let (client, token) = id.split_once('/')?;
    Some((ClientId::parse(client)?, token))
}

pub(crate) struct Caches {
    pub(crate) signing_keys: VerifyingKeys,
    pub(crate) verified: Verified,
    pub(crate) keys: Records<KeyId, KeyRecord>,
    users: Records<UserId, User>,
    workspaces: Records<WorkspaceId, Workspace>,
    clients: Records<ClientId, Client>,
    apps: Records<AppId, App>,
    grants: Records<GrantId, AppGrant>,
    pub(crate) revoked: Revoked,
    pub(crate) agents: Records<(ClientId, AgentId), Agent>,
    /// They never change, so the feed says nothing of them: what ends before its time is what they hang on.
    pub(crate) agent_tokens: Records<AgentTokenId, AgentTokenRecord>,
    /// All patterns there are, as one.
    patterns: Records<(), KeyPatterns>,
    /// Which imported key a hash leads to. That never changes, so the feed says nothing of it.
    hashes: Records<HashedKey, KeyId>,
}

impl Caches {
    pub(crate) fn new() -> Self {
        Self {
            signing_keys: VerifyingKeys::new(),
            verified: Verified::new(),
            keys: Records::new(),
            users: Records::new(),
            workspaces: Records::new(),
            clients: Records::new(),
            apps: Records::new(),
            grants: Records::new(),
            revoked: Revoked::new(),
            agents: Records::new(),
            agent_tokens: Records::new(),
            patterns: Records::of_one(),
            hashes: Records::new(),
        }
    }

    /// A user of a client, from the cache or by one strong read.
    pub(crate) async fn user(
        &self,
        store: &Store,
        client: &ClientId,
        id: &UserId,
    ) -> Result<Option<Arc<User>>, StoreError> {
        let found = self.users.get(id, store.user_by_id(client, id)).await?.map(|found| found.record);
        Ok(found.filter(|user| user.client_id == *client))
    }

    /// A workspace of a client, from the cache or by one strong read.
    pub(crate) async fn workspace(
        &self,
        store: &Store,
        client: &ClientId,
        id: &WorkspaceId,
    ) -> Result<Option<Arc<Workspace>>, StoreError> {
        let found = self.workspaces.get(id, store.workspace_by_id(client, id)).await?.map(|found| found.record);
        Ok(found.filter(|workspace| workspace.client_id == *client))
    }

    /// A client, from the cache or by one strong read.
    pub(crate) async fn client(&self, store: &Store, id: &ClientId) -> Result<Option<Arc<Client>>, StoreError> {
        Ok(self.clients.get(id, store.client_by_id(id)).await?.map(|found| found.record))
    }

    /// An app, from the cache or by one strong read.
    pub(crate) async fn app(&self, store: &Store, id: &AppId) -> Result<Option<Arc<App>>, StoreError> {
        Ok(self.apps.get(id, store.app_by_id(id)).await?.map(|found| found.record))
    }

    /// What a user has granted to an app, from the cache or by one strong read.
    pub(crate) async fn grant(&self, store: &Store, id: &GrantId) -> Result<Option<Arc<AppGrant>>, StoreError> {
        Ok(self.grants.get(id, store.grant_by_id(id)).await?.map(|found| found.record))
    }

    /// Whether a string may be an imported key: by the cached patterns, or one strong read of all of them.
    pub(crate) async fn may_be_imported(&self, store: &Store, key: &ForeignKey) -> Result<bool, StoreError> {
        let read = async { store.pattern_list().await.map(Some) };
        let patterns = self.patterns.get(&(), read).await?;
        Ok(patterns.is_some_and(|patterns| patterns.record.match_key(key)))
    }

    /// The imported key that a string leads to, from the cache or by one strong read.
    pub(crate) async fn imported(&self, store: &Store, key: &ForeignKey) -> Result<Option<Found<KeyId>>, StoreError> {
        let hash = key.hash();
        self.hashes.get(&hash, store.key_id_by_hash(&hash)).await
    }

    /// Forgets what an entry of the feed names; `false` where this version does not know what that is.
    #[must_use]
    pub(crate) fn drop_named(&self, kind: &FeedKind, id: &str) -> bool {
        match kind {
            FeedKind::Key => KeyId::parse(id).map(|id| self.keys.drop_one(&id)).is_some(),
            FeedKind::User => UserId::parse(id).map(|id| self.users.drop_one(&id)).is_some(),
            FeedKind::Workspace => WorkspaceId::parse(id).map(|id| self.workspaces.drop_one(&id)).is_some(),
            FeedKind::Client => ClientId::parse(id).map(|id| self.clients.drop_one(&id)).is_some(),
            FeedKind::Agent => parse_named(id).map(|named| self.agents.drop_one(&named)).is_some(),
            FeedKind::Pattern => {
                self.patterns.clear();
                true
            }
            FeedKind::SigningKey => {
                self.signing_keys.drop_for_good(id);
                true
            }
            FeedKind::App => AppId::parse(id).map(|id| self.apps.drop_one(&id)).is_some(),
            FeedKind::Grant => GrantId::parse(id).map(|id| self.grants.drop_one(&id)).is_some(),
            FeedKind::Token => parse_ended(id).map(|(client, token)| self.revoked.add(&client, token)).is_some(),
            FeedKind::Unknown(_) => false,
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.signing_keys.clear();
        self.verified.clear();
        self.keys.clear();
        self.users.clear();
        self.workspaces.clear();
        self.clients.clear();
        self.apps.clear();
        self.grants.clear();
        self.revoked.clear();
        self.agents.clear();
        self.agent_tokens.clear();
        self.patterns.clear();
        self.hashes.clear();
    }
}
