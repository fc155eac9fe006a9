//! The claims of an access token (RFC 9068, with Keygate's own beside them).

use serde::{Deserialize, Serialize};

use crate::environment::Environment;
use crate::id::{ClientId, KeyId, UserId, WorkspaceId};
use crate::key::SecretVersion;
use crate::scope::ScopeSet;

/// The longest life of an access token, in seconds.
pub const MAX_TOKEN_LIFETIME: i64 = 3600;

/// An access token's claims. Members that this version does not know are passed over, so that a newer issuer's
/// tokens still count at an older authorizer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: the public base URL.
    pub iss: String,
    /// Whom it speaks of: the user, or the key where no user stands behind it.
    pub sub: String,
    /// Whom it is for: the client's id. One value; a list is refused.
    pub aud: String,
    /// The tenant (a recorded deviation from RFC 9068, where this is the OAuth client).
    pub client_id: ClientId,
    /// What its bearer may do.
    #[serde(with = "scope_text")]
    pub scope: ScopeSet,
    /// Issued at, seconds since the Unix epoch.
    pub iat: i64,
    /// Not before.
    pub nbf: i64,
    /// From this second on it is refused.
    pub exp: i64,
    /// The token's own id.
    pub jti: String,
    /// The key that it was exchanged for; a login's token has none.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub key_id: Option<KeyId>,
    /// Which of the key's secrets that was.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub secret_version: Option<SecretVersion>,
    /// The workspace that it is bound to.
    pub workspace_id: WorkspaceId,
    /// The key's environment.
    pub env: Environment,
    /// Who pays for its use.
    pub billed_to: UserId,
}

/// What a token hangs on: it counts as long as this does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A key, with the secret that the token was made with.
    Key(KeyId, SecretVersion),
    /// A user who has logged in.
    User(UserId),
}

impl Claims {
    /// What the token hangs on; `None` where its claims contradict each other.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        match (&self.key_id, self.secret_version) {
            (Some(key), Some(version)) => Some(Subject::Key(key.clone(), version)),
            (None, None) => UserId::parse(&self.sub).map(Subject::User),
            _ => None,
        }
    }
}

mod scope_text {
    use serde::{Deserialize, Deserializer, Serializer, de};

    use crate::scope::ScopeSet;

    pub(super) fn serialize<S: Serializer>(scope: &ScopeSet, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(scope)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ScopeSet, D::Error> {
        let text = String::deserialize(deserializer)?;
        ScopeSet::parse(&text).ok_or_else(|| de::Error::custom("expected space-separated scopes"))
    }
}
