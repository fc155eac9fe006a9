//! Workspaces.

use crate::id::{ClientId, UserId, WorkspaceId};
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
    /// Who made it, and pays for its keys.
    pub owner_user_id: UserId,
    /// When it was made.
    pub created_at: Timestamp,
}

impl Workspace {
    /// The name of the workspace that every client has.
    pub const DEFAULT: &'static str = "default";
}
