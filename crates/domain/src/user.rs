//! People, and what their roles give them.

use serde::{Deserialize, Serialize};

use crate::email::Email;
use crate::id::{ClientId, UserId};
use crate::password::PasswordHash;
use crate::scope::{Scope, ScopeSet};
use crate::time::Timestamp;

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

/// A person in a client.
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
    /// The hash of the password.
    pub password_hash: PasswordHash,
    /// When the user came.
    pub created_at: Timestamp,
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
