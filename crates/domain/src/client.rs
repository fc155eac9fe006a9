//! Clients: the tenants that everything belongs to.

use std::ops::RangeInclusive;

use crate::claims::MAX_TOKEN_LIFETIME;
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
    /// The user who signed up: whom the word `owner` means.
    pub owner_user_id: UserId,
    /// The workspace that is meant where none is named.
    pub default_workspace_id: WorkspaceId,
    /// When it signed up.
    pub created_at: Timestamp,
    /// What it may set itself.
    pub settings: ClientSettings,
    /// How many owners have come; never none.
    pub owners: u32,
    /// Grows with every change, so that none is made on what another has changed meanwhile.
    pub revision: u32,
}

/// What a client sets for its keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClientSettings {
    /// The client's own key prefix; `sk_live_` and `sk_test_` where it has set none.
    pub key_prefix: Option<KeyPrefix>,
    /// What a key is given where its creation names no scopes.
    pub default_scopes: ScopeSet,
    /// How long a token of its keys lives, in seconds; each way to exchange a key has its own where this is not set.
    pub token_lifetime: Option<i64>,
}

impl Default for ClientSettings {
    /// No own prefix, and `read` alone: left-out scopes never mean all.
    fn default() -> Self {
        let read = Scope::parse("read").and_then(|scope| ScopeSet::new([scope]));
        #[expect(clippy::expect_used, reason = "a constant")]
        Self { key_prefix: None, default_scopes: read.expect("`read` is a scope"), token_lifetime: None }
    }
}

impl Client {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 100;

    /// How long tokens may be set to live, in seconds.
    pub const TOKEN_LIFETIMES: RangeInclusive<i64> = 60..=MAX_TOKEN_LIFETIME;

    /// The part of a URL that `name` suggests: lower case letters and digits of ASCII, one hyphen for all between.
    #[must_use]
    pub fn slug_of(name: &str) -> String {
        let mut slug = String::new();
        for letter in name.chars() {
            if letter.is_ascii_alphanumeric() {
                slug.push(letter.to_ascii_lowercase());
            } else if !slug.is_empty() && !slug.ends_with('-') {
                slug.push('-');
            }
        }
        match slug.trim_end_matches('-') {
            "" => "client".to_owned(),
            slug => slug.chars().take(48).collect::<String>().trim_end_matches('-').to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slug_is_plain() {
        for (name, slug) in [
            ("Acme Corp", "acme-corp"),
            ("  --Ärzte & Söhne GmbH! ", "rzte-s-hne-gmbh"),
            ("日本", "client"),
            ("", "client"),
        ] {
            assert_eq!(Client::slug_of(name), slug);
        }
        assert!(Client::slug_of(&"a".repeat(500)).len() <= 48);
    }
}
