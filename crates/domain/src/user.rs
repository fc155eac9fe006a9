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

    fn member_of(workspaces: &[&Workspace]) -> User {
        User {
            id: UserId::random(),
            client_id: workspaces[0].client_id.clone(),
            email: Email::parse("member@example.com").unwrap(),
            role: Role::Member,
            status: UserStatus::Active,
            workspaces: workspaces.iter().map(|it| (it.id.clone(), WorkspaceRole::Member)).collect(),
            created_at: Timestamp::from_unix(0),
            revision: 0,
        }
    }

    fn workspace(member_scopes: &str) -> Workspace {
        let (client, owner) = (ClientId::random(), UserId::random());
        let mut workspace = Workspace::new(client, "research".to_owned(), owner, Timestamp::from_unix(0));
        workspace.member_scopes = ScopeSet::parse(member_scopes);
        workspace
    }

    #[test]
    fn a_suspended_workspace_gives_its_members_nothing() {
        let mut workspace = workspace("write");
        let user = member_of(&[&workspace]);
        assert_eq!(user.scopes([&workspace]).to_string(), "read write");
        workspace.status = WorkspaceStatus::Suspended;
        assert_eq!(user.scopes([&workspace]).to_string(), "read");
        workspace.status = WorkspaceStatus::Active;
        assert_eq!(
            member_of(&[&self::workspace("read")]).scopes([&workspace]).to_string(),
            "read",
            "not a member of it"
        );
    }

    #[test]
    fn a_login_is_bound_to_a_workspace_that_the_user_is_in() {
        let (default, second) = (workspace("read"), workspace("read"));
        let client = Client {
            id: default.client_id.clone(),
            name: String::new(),
            slug: String::new(),
            owner_user_id: default.owner_user_id.clone(),
            default_workspace_id: default.id.clone(),
            created_at: Timestamp::from_unix(0),
            settings: crate::client::ClientSettings::default(),
            owners: 1,
            revision: 0,
        };
        assert_eq!(member_of(&[&default, &second]).home(&client), &default.id);
        let mut moved = member_of(&[&second]);
        assert_eq!(moved.home(&client), &second.id);
        moved.role = Role::Admin;
        assert_eq!(moved.home(&client), &default.id, "admins are everywhere");
    }
}
