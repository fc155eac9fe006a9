//! On what a credential stands beside its own record: the user behind it, and the workspace that it is used in.

use std::sync::Arc;

use domain::{ClientId, KeyRecord, KeyRefusal, Role, ScopeSet, Unreachable, User, UserStatus, Workspace, WorkspaceId};
use store::{Store, StoreError};

use crate::caches::Caches;
use crate::call::Named;

/// What a key stands on.
#[derive(Clone, Debug)]
pub struct Footing {
    /// The user of a personal key.
    pub owner: Option<Arc<User>>,
    held: Held,
    /// The workspace that it is used in, or why it can't be used there.
    pub reach: Result<Arc<Workspace>, Unreachable>,
}

/// What a key holds.
#[derive(Clone, Debug)]
enum Held {
    /// What its record says.
    AsRecorded,
    /// What a personal key's user still holds of that, if anything.
    Narrowed(Option<ScopeSet>),
}

impl Footing {
    /// What `key` holds now; `None` where that is nothing.
    #[must_use]
    pub fn scopes<'a>(&'a self, key: &'a KeyRecord) -> Option<&'a ScopeSet> {
        match &self.held {
            Held::Narrowed(narrowed) => narrowed.as_ref(),
            Held::AsRecorded => Some(&key.scopes),
        }
    }
}

/// Why there is no footing.
pub(crate) enum Fallen {
    Key(KeyRefusal),
    Store(StoreError),
}

impl From<StoreError> for Fallen {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// The reads behind a credential: through the caches, which must be fresh.
pub(crate) struct Directory<'a> {
    pub(crate) store: &'a Store,
    pub(crate) caches: &'a Caches,
}

impl Directory<'_> {
    /// What `key` stands on. `bound` is the workspace of its token; without one the key is bound to its own, and a personal
    /// key to the one that the caller names, or the client's default.
    pub(crate) async fn footing(
        &self,
        key: &KeyRecord,
        bound: Option<&WorkspaceId>,
        named: &Named,
    ) -> Result<Footing, Fallen> {
        let (mut owner, mut held) = (None, Held::AsRecorded);
        if let Some(id) = key.owner_user_id() {
            let user = self.caches.user(self.store, &key.client_id, id).await?;
            let user = user.filter(|user| user.status == UserStatus::Active);
            let user = user.ok_or(Fallen::Key(KeyRefusal::UserGone))?;
            held = Held::Narrowed(self.scopes_of(&user).await?.intersection(&key.scopes));
            owner = Some(user);
        }
        let reach = match self.meant(&key.client_id, bound.or_else(|| key.workspace_id()), named).await? {
            Some(workspace) => workspace.open_to_key(key, owner.as_deref()).map(|()| workspace),
            None => Err(Unreachable::NotReached),
        };
        Ok(Footing { owner, held, reach })
    }

    /// The workspace that a user who has logged in works in.
    pub(crate) async fn reach_of_user(
        &self,
        user: &User,
        bound: &WorkspaceId,
        named: &Named,
    ) -> Result<Result<Arc<Workspace>, Unreachable>, StoreError> {
        Ok(match self.meant(&user.client_id, Some(bound), named).await? {
            Some(workspace) => workspace.open_to_user(user).map(|()| workspace),
            None => Err(Unreachable::NotReached),
        })
    }

    /// The workspace that an app works in by itself.
    pub(crate) async fn reach_of_app(
        &self,
        client: &ClientId,
        bound: &WorkspaceId,
        named: &Named,
    ) -> Result<Result<Arc<Workspace>, Unreachable>, StoreError> {
        Ok(match self.meant(client, Some(bound), named).await? {
            Some(workspace) => workspace.open_to_app(client).map(|()| workspace),
            None => Err(Unreachable::NotReached),
        })
    }

    /// What a user holds: the role's scopes, and to members those of their workspaces.
    pub(crate) async fn scopes_of(&self, user: &User) -> Result<ScopeSet, StoreError> {
        let mut workspaces = Vec::new();
        if user.role == Role::Member {
            for id in user.workspaces.keys() {
                workspaces.extend(self.caches.workspace(self.store, &user.client_id, id).await?);
            }
        }
        Ok(user.scopes(workspaces.iter().map(AsRef::as_ref)))
    }

    /// The workspace that is meant: the one that the credential is bound to, which a caller may name and no other.
    async fn meant(
        &self,
        client: &ClientId,
        bound: Option<&WorkspaceId>,
        named: &Named,
    ) -> Result<Option<Arc<Workspace>>, StoreError> {
        let id = match (bound, named) {
            (_, Named::Nothing) => return Ok(None),
            (Some(bound), Named::One(id)) if bound != id => return Ok(None),
            (Some(id), _) | (None, Named::One(id)) => id,
            (None, Named::None) => match self.caches.client(self.store, client).await? {
                Some(client) => {
                    return self.caches.workspace(self.store, &client.id, &client.default_workspace_id).await;
                }
                None => return Ok(None),
            },
        };
        self.caches.workspace(self.store, client, id).await
    }
}
