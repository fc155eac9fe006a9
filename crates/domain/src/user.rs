//! People, and what their roles give them.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::client::Client;
use crate::email::Email;
use crate::id::{ClientId, UserId, WorkspaceId};
use crate::scope::{Scope, ScopeSet};
use crate::time::Timestamp;
use crate::workspace::{Workspace, WorkspaceRole, WorkspaceStatus};

/// What a person may do in a client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Everything; a client has at least one.
    Owner,
    /// Everything but removing the last owner.
    Admin,
    /// Reading.
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

    /// The role of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Owner, Self::Admin, Self::Member].into_iter().find(|role| role.as_str() == name)
    }

    /// What the role gives in a first-party login; nowhere else does a role count.
    ///
    /// # Panics
    /// Never: the names are scopes.
    #[must_use]
    pub fn scopes(self) -> ScopeSet {
        let names: &[&str] = match self {
            Self::Owner | Self::Admin => &[Scope::ADMIN, "read", "write"],
            Self::Member => &["read"],
        };
        #[expect(clippy::expect_used, reason = "constants")]
        ScopeSet::new(names.iter().filter_map(|name| Scope::parse(name))).expect("scopes")
    }
}

/// Whether a user has come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum UserStatus {
    /// Was asked to, and has no password yet.
    Invited,
    /// Has come.
    Active,
}

impl UserStatus {
    /// The status's name in records.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Invited => "invited",
            Self::Active => "active",
        }
    }

    /// The status of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Invited, Self::Active].into_iter().find(|status| status.as_str() == name)
    }
}

/// A person in a client. The hash of the password is kept elsewhere, where only a login reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub id: UserId,
    /// The client that the user is in.
    pub client_id: ClientId,
    /// The address that the user logs in with; unique among all users.
    pub email: Email,
    /// The user's role.
    pub role: Role,
    /// Whether the user has come yet.
    pub status: UserStatus,
    /// The workspaces that the user is in, at most [`User::MAX_WORKSPACES`].
    pub workspaces: BTreeMap<WorkspaceId, WorkspaceRole>,
    /// When the user was invited, or has signed up.
    pub created_at: Timestamp,
    /// Grows with every change, so that none is made on what another has changed meanwhile.
    pub revision: u32,
}

impl User {
    /// How many workspaces a user may be in: leaving them all must fit into one transaction.
    pub const MAX_WORKSPACES: usize = 40;

    /// What the user holds: what the role gives, and to members what the workspaces give that they are in; a suspended one
    /// gives nothing.
    #[must_use]
    pub fn scopes<'a>(&self, workspaces: impl IntoIterator<Item = &'a Workspace>) -> ScopeSet {
        let own = self.role.scopes();
        if self.role != Role::Member {
            return own;
        }
        let counts = |workspace: &&Workspace| {
            workspace.status == WorkspaceStatus::Active && self.workspaces.contains_key(&workspace.id)
        };
        let given = workspaces.into_iter().filter(counts);
        given.filter_map(|workspace| workspace.member_scopes.as_ref()).fold(own, |all, scopes| all.union(scopes))
    }

    /// The workspace that a login is bound to: the client's default one, or the first that the user is in where the user was
    /// taken out of that.
    #[must_use]
    pub fn home<'a>(&'a self, client: &'a Client) -> &'a WorkspaceId {
        let default = &client.default_workspace_id;
        if self.role != Role::Member || self.workspaces.contains_key(default) {
            return default;
        }
        self.workspaces.keys().next().unwrap_or(default)
    }

    /// Whether the user manages a workspace by a role in it.
    #[must_use]
    pub fn manages(&self, workspace: &WorkspaceId) -> bool {
        self.workspaces.get(workspace).is_some_and(|role| role.manages())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn roles_give_what_the_contract_says() {
        assert_eq!(Role::Owner.scopes().to_string(), "admin read write");
        assert_eq!(Role::Admin.scopes().to_string(), "admin read write");
        assert_eq!(Role::Member.scopes().to_string(), "read");
        assert_eq!(Role::parse("Owner"), None);
    }
}
