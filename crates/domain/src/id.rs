//! Ids: a prefix that says the kind, then base62.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::random;

fn is_base62(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal, $length:expr) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(String);

        impl $name {
            /// What every id of this kind begins with.
            pub const PREFIX: &'static str = $prefix;

            /// A new random id.
            #[must_use]
            pub fn random() -> Self {
                Self(format!("{}{}", $prefix, random::base62(16)))
            }

            /// Reads an id; `None` where the text is not one of this kind.
            #[must_use]
            pub fn parse(text: &str) -> Option<Self> {
                let digits = text.strip_prefix($prefix)?;
                ($length.contains(&digits.len()) && is_base62(digits)).then(|| Self(text.to_owned()))
            }

            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).ok_or_else(|| de::Error::custom(concat!("expected an id that begins with ", $prefix)))
            }
        }
    };
}

id!(
    /// A client: the tenant that everything else belongs to.
    ClientId, "cl_", (16..=64usize)
);
impl ClientId {
    /// What stands in the place of a client where something is the deployment's own, as signing keys are. No client has this
    /// id, and nobody can log in to it.
    #[must_use]
    pub fn of_nobody() -> Self {
        Self(format!("{}{}", Self::PREFIX, "0".repeat(16)))
    }
}

id!(
    /// A person in a client.
    UserId, "cu_", (16..=64usize)
);
id!(
    /// A group inside a client that shares keys.
    WorkspaceId, "ws_", (16..=64usize)
);
id!(
    /// A key: `ak_` and the 16 base62 digits that its string carries after the prefix.
    KeyId, "ak_", (16..=16usize)
);
id!(
    /// An event of the audit log.
    AuditEventId, "ev_", (16..=64usize)
);
id!(
    /// What a user has granted to an app: all tokens that the app has of it hang on this.
    GrantId, "gr_", (16..=16usize)
);
id!(
    /// An agent's token: `at_` and the 16 base62 digits that its string carries.
    AgentTokenId, "at_", (16..=16usize)
);
id!(
    /// Who writes a row of usage counters: one process, for one key and hour.
    WriterId, "wr_", (16..=16usize)
);

impl KeyId {
    /// The digits that the key's string carries.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[Self::PREFIX.len()..]
    }
}

impl AgentTokenId {
    /// The id with these digits, which are sixteen of base62.
    pub(crate) fn of_digits(digits: &str) -> Self {
        Self(format!("{}{digits}", Self::PREFIX))
    }
}

impl GrantId {
    /// The id with these digits, which are sixteen of base62.
    pub(crate) fn of_digits(digits: &str) -> Self {
        Self(format!("{}{digits}", Self::PREFIX))
    }

    /// The digits that its refresh tokens carry.
    #[must_use]
    pub fn digits(&self) -> &str {
        &self.0[Self::PREFIX.len()..]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_of_their_kind_alone() {
        let id = ClientId::random();
        assert_eq!(ClientId::parse(id.as_str()), Some(id.clone()));
        assert_eq!(UserId::parse(id.as_str()), None);
        for bad in ["", "cl_", "cl_short", "cl_0123456789abcde/", "cl_0123456789abcdé0", "CL_0123456789abcdef"] {
            assert_eq!(ClientId::parse(bad), None, "{bad}");
        }
        assert_eq!(KeyId::parse("ak_0123456789abcdefg"), None, "a key id has 16 digits, no more");
    }
}
