//! Workspaces.

use serde::{Deserialize, Serialize};

use crate::id::{ClientId, UserId, WorkspaceId};
use crate::scope::ScopeSet;
use crate::time::Timestamp;

/// A group inside a client that shares keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Workspace {
    /// The workspace's id.
    pub id: WorkspaceId,
    /// The client that it is in.
    pub client_id: ClientId,
    /// Its name; every client has one called `default`.
    pub name: String,
    /// Who made it, or was handed it, and pays for its keys.
    pub owner_user_id: UserId,
    /// Whether its members may use their personal keys here.
    pub personal_keys_allowed: bool,
    /// What being in it gives to members, besides what their role gives.
    pub member_scopes: Option<ScopeSet>,
    /// Whether anything may be done in it.
    pub status: WorkspaceStatus,
    /// When it was made.
    pub created_at: Timestamp,
    /// Grows with every change, so that none is made on what another has changed meanwhile.
    pub revision: u32,
}

/// Whether anything may be done in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceStatus {
    /// It may.
    Active,
    /// Every call in it is refused until it is active again.
    Suspended,
}

impl WorkspaceStatus {
    /// The status's name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Suspended].into_iter().find(|status| status.as_str() == name)
    }
}

/// What a user may do in a workspace.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum WorkspaceRole {
    /// Manages it and pays for its keys; leaves only by handing it on.
    Owner,
    /// Manages it: its keys, members and settings.
    Admin,
    /// Uses it.
    Member,
}

impl WorkspaceRole {
    /// The role's name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Owner => "owner",
            Self::Admin => "admin",
            Self::Member => "member",
        }
    }

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Member].into_iter().find(|role| role.as_str() == name)
    }

    /// Whether the role manages the workspace.
    #[must_use]
    pub fn manages(self) -> bool {
        matches!(self, Self::Owner | Self::Admin)
    }
}

impl Workspace {
    /// The name of the workspace that every client has.
    pub const DEFAULT: &'static str = "default";

    /// A workspace as it begins.
    #[must_use]
    pub fn new(client_id: ClientId, name: String, owner_user_id: UserId, created_at: Timestamp) -> Self {
        Self {
            id: WorkspaceId::random(),
            client_id,
            name,
            owner_user_id,
            personal_keys_allowed: true,
            member_scopes: None,
            status: WorkspaceStatus::Active,
            created_at,
            revision: 0,
        }
    }
}
