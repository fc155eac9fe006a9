//! Clients (tenants), their people and their workspaces.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, UserId, WorkspaceId};
use crate::key_string::KeyPrefix;
use crate::scope::{Scope, ScopeSet};
use crate::time::Timestamp;

/// A tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its id.
    pub id: ClientId,
    /// Its name, as people write it.
    pub name: String,
    /// Its name in lower case with hyphens; unique.
    pub slug: String,
    /// The workspace that is meant where none is named.
    pub default_workspace_id: WorkspaceId,
    /// When it signed up.
    pub created_at: Timestamp,
    /// What it may set itself.
    pub settings: ClientSettings,
}

/// What a client sets for its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// The client's own key prefix; `sk_live_` and `sk_test_` where it has set none.
    pub key_prefix: Option<KeyPrefix>,
    /// What a key is given where its creation names no scopes.
    pub default_scopes: ScopeSet,
}

impl Default for ClientSettings {
    /// No own prefix, and `read` alone: left-out scopes never mean all.
    fn default() -> Self {
        let read = Scope::parse("read").and_then(|scope| ScopeSet::new([scope]));
        #[expect(clippy::expect_used, reason = "a constant")]
        Self { key_prefix: None, default_scopes: read.expect("`read` is a scope") }
    }
}

/// What a person may do in a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything; a client has at least one.
    Owner,
    /// Everything but removing the last owner.
    Admin,
    /// What its workspaces give it.
    Member,
}

impl Role {
    /// The role's name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }
}

/// A person in a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The client that the user is in.
    pub client_id: ClientId,
    /// The address that the user logs in with.
    pub email: String,
    /// The user's role.
    pub role: Role,
    /// When the user came.
    pub created_at: Timestamp,
}

/// A group inside a client that shares keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The workspace's id.
    pub id: WorkspaceId,
    /// The client that it is in.
    pub client_id: ClientId,
    /// Its name; every client has one called `default`.
    pub name: String,
    /// Who made it, and pays for its keys.
    pub owner_user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Workspace {
    /// The name of the workspace that every client has.
    pub const DEFAULT: &'static str = "default";
}
