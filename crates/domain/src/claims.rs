//! The claims of an access token (RFC 9068, with Keygate's own beside them).

use serde::{Deserialize, Serialize};

use crate::app::{App, AppId};
use crate::app_grant::AppGrant;
use crate::environment::Environment;
use crate::id::{ClientId, GrantId, KeyId, UserId, WorkspaceId};
use crate::key::SecretVersion;
use crate::random;
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::user::User;
use crate::workspace::Workspace;

/// The longest life of an access token, in seconds.
pub const MAX_TOKEN_LIFETIME: i64 = 3600;

/// An access token's claims. Members that this version does not know are passed over, so that a newer issuer's
/// tokens still count at an older authorizer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// Who issued it: the public base URL.
    pub iss: String,
    /// Whom it speaks of: the user, or the key or app where no user stands behind it.
    pub sub: String,
    /// Whom it is for: the client's id, or the resource that was asked for (RFC 8707). One value; a list is refused.
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
    /// The app that it was given to.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub app_id: Option<AppId>,
    /// What the user has granted to that app.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub grant_id: Option<GrantId>,
    /// The tokens that it was exchanged from (RFC 8693): their ids, the nearest first, with a space between two. It ends
    /// where one of them does.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub parent_jti: Option<String>,
    /// Who acts for the subject, where that was proved (RFC 8693, section 4.1).
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub act: Option<Actor>,
}

/// Who acts for somebody else (RFC 8693, section 4.1): the newest outermost, those before it inside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Whose token it was that proved it: its `sub`.
    pub sub: String,
    /// Who acted before.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub act: Option<Box<Actor>>,
}

/// What a token hangs on: it counts as long as this does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Subject {
    /// A key, with the secret that the token was made with.
    Key(KeyId, SecretVersion),
    /// A user who has logged in.
    User(UserId),
    /// What a user has granted to an app.
    Grant {
        /// The grant.
        grant: GrantId,
        /// The app.
        app: AppId,
        /// The user.
        user: UserId,
    },
    /// An app by itself.
    App(AppId),
}

/// What every token says: who issues it, of which client and workspace it is, and when it begins and ends.
#[derive(Clone, Copy, Debug)]
pub struct Issue<'a> {
    /// The issuer: the public base URL.
    pub issuer: &'a str,
    /// The tenant.
    pub client_id: &'a ClientId,
    /// The workspace that it is bound to.
    pub workspace_id: &'a WorkspaceId,
    /// When the token begins.
    pub at: Timestamp,
    /// From this second on it is refused.
    pub ends: Timestamp,
}

impl Claims {
    /// The most tokens that one may be exchanged from, one after the other.
    pub const MAX_ANCESTORS: usize = 8;

    /// The claims of a token that hangs on nothing yet, under a new random `jti`, for the client.
    ///
    /// # Panics
    /// Where the operating system gives no random bytes.
    #[must_use]
    pub fn begin(issue: Issue<'_>, sub: &str, scope: ScopeSet, billed_to: &UserId) -> Self {
        Self {
            iss: issue.issuer.to_owned(),
            sub: sub.to_owned(),
            aud: issue.client_id.to_string(),
            client_id: issue.client_id.clone(),
            scope,
            iat: issue.at.unix(),
            nbf: issue.at.unix(),
            exp: issue.ends.unix(),
            jti: random::base62(22),
            key_id: None,
            secret_version: None,
            workspace_id: issue.workspace_id.clone(),
            env: Environment::Live,
            billed_to: billed_to.clone(),
            app_id: None,
            grant_id: None,
            parent_jti: None,
            act: None,
        }
    }

    /// The claims of a user who has logged in.
    #[must_use]
    pub fn of_login(issue: Issue<'_>, user: &User, scope: ScopeSet) -> Self {
        Self::begin(issue, user.id.as_str(), scope, &user.id)
    }

    /// The claims of what a user has granted to an app.
    #[must_use]
    pub fn of_grant(issue: Issue<'_>, grant: &AppGrant, scope: ScopeSet) -> Self {
        let mut claims = Self::begin(issue, grant.user_id.as_str(), scope, &grant.user_id);
        if let Some(resource) = &grant.resource {
            claims.aud = resource.to_string();
        }
        claims.app_id = Some(grant.app_id.clone());
        claims.grant_id = Some(grant.id.clone());
        claims
    }

    /// The claims of an app by itself; its use is billed to the workspace's owner.
    #[must_use]
    pub fn of_app(issue: Issue<'_>, app: &App, scope: ScopeSet, workspace: &Workspace) -> Self {
        let mut claims = Self::begin(issue, app.id.as_str(), scope, &workspace.owner_user_id);
        claims.app_id = Some(app.id.clone());
        claims
    }

    /// The claims of a token that is exchanged from this one: it says the same under another id, and for no longer (RFC 8693).
    /// `None` where too many were exchanged one after the other.
    #[must_use]
    pub fn child(&self, issue: Issue<'_>, scope: ScopeSet) -> Option<Self> {
        let ancestors: Vec<&str> = std::iter::once(self.jti.as_str()).chain(self.ancestors()).collect();
        (ancestors.len() <= Self::MAX_ANCESTORS).then(|| Self {
            scope,
            iat: issue.at.unix(),
            nbf: issue.at.unix(),
            exp: issue.ends.unix().min(self.exp),
            jti: random::base62(22),
            parent_jti: Some(ancestors.join(" ")),
            ..self.clone()
        })
    }

    /// The tokens that this one was exchanged from, the nearest first.
    pub fn ancestors(&self) -> impl Iterator<Item = &str> {
        self.parent_jti.iter().flat_map(|ids| ids.split(' '))
    }

    /// What the token hangs on; `None` where its claims contradict each other.
    #[must_use]
    pub fn subject(&self) -> Option<Subject> {
        match (&self.key_id, self.secret_version, &self.app_id, &self.grant_id) {
            (Some(key), Some(version), None, None) => Some(Subject::Key(key.clone(), version)),
            (None, None, None, None) => UserId::parse(&self.sub).map(Subject::User),
            (None, None, Some(app), Some(grant)) => {
                UserId::parse(&self.sub).map(|user| Subject::Grant { grant: grant.clone(), app: app.clone(), user })
            }
            (None, None, Some(app), None) => (app.as_str() == self.sub).then(|| Subject::App(app.clone())),
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
