//! Production and development.

use serde::{Deserialize, Serialize};

use crate::key_string::KeyPrefix;

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", try_from = "String")]
pub enum Environment {
    /// Production: its use is billed.
    Live,
    /// Development: never billed.
    Test,
}

impl Environment {
    /// The name in records and claims.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// The environment of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Live, Self::Test].into_iter().find(|environment| environment.as_str() == name)
    }

    /// The prefix of keys whose client has set none of its own.
    ///
    /// # Panics
    /// Never: both are prefixes.
    #[must_use]
    pub fn default_prefix(self) -> KeyPrefix {
        let text = match self {
            Self::Live => "sk_live_",
            Self::Test => "sk_test_",
        };
        #[expect(clippy::expect_used, reason = "a constant")]
        KeyPrefix::parse(text).expect("a prefix")
    }
}

impl TryFrom<String> for Environment {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        Self::parse(&name).ok_or("expected `live` or `test`")
    }
}
