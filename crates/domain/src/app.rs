//! Apps: OAuth clients (RFC 6749, section 2).
//!
//! Three kinds: one that a client has made, with a secret or without; one that has registered itself (RFC 7591), which
//! belongs to no client; and one whose id is the address of a document that describes it (a client ID metadata document).
//! Those of the last two kinds are public, and nobody vouches for them.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::id::ClientId;
use crate::key_string::HashedKey;
use crate::random;
use crate::redirect_uri::RedirectUri;
use crate::scope::ScopeSet;
use crate::time::Timestamp;

/// An OAuth client's id (RFC 6749, section 2.2): `oc_` and base62, or an https URL where a document describes the app.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(String);

impl AppId {
    /// What the id of a registered app begins with.
    pub const PREFIX: &'static str = "oc_";
    const MAX_URL: usize = 512;

    /// A new random id.
    #[must_use]
    pub fn random() -> Self {
        Self(format!("{}{}", Self::PREFIX, random::base62(16)))
    }

    /// Reads an id. Of a URL: https, a path that is more than `/`, no user, no fragment, no dot segments, and written as a
    /// parser would write it, so that one document has one id.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let registered = text.strip_prefix(Self::PREFIX).is_some_and(|digits| {
            (16..=64).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_alphanumeric())
        });
        (registered || is_document(text)).then(|| Self(text.to_owned()))
    }

    /// Where the document lies that describes the app; `None` for one that is registered.
    #[must_use]
    pub fn document(&self) -> Option<&str> {
        (!self.0.starts_with(Self::PREFIX)).then_some(&self.0)
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn is_document(text: &str) -> bool {
    let Ok(url) = url::Url::parse(text) else { return false };
    text.len() <= AppId::MAX_URL
        && url.scheme() == "https"
        && url.host().is_some()
        && url.path() != "/"
        && url.username().is_empty()
        && url.password().is_none()
        && url.fragment().is_none()
        && url.as_str() == text
}

impl fmt::Display for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AppId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AppId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not the id of an app"))
    }
}

/// A way to a token that an app may be registered for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749, section 4.1.
    AuthorizationCode,
    /// RFC 6749, section 6.
    RefreshToken,
    /// RFC 6749, section 4.4; for apps with a secret.
    ClientCredentials,
}

impl GrantType {
    /// Every one of them.
    pub const ALL: [Self; 3] = [Self::AuthorizationCode, Self::RefreshToken, Self::ClientCredentials];

    /// Its name (RFC 7591, section 2).
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AuthorizationCode => "authorization_code",
            Self::RefreshToken => "refresh_token",
            Self::ClientCredentials => "client_credentials",
        }
    }

    /// The one of this name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grant_type| grant_type.as_str() == name)
    }
}

/// An app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// Its id.
    pub id: AppId,
    /// The client that has made it; `None` for one that nobody vouches for.
    pub client_id: Option<ClientId>,
    /// The name that people know it by.
    pub name: String,
    /// Where it may be answered to.
    pub redirect_uris: Vec<RedirectUri>,
    /// How it may come to tokens.
    pub grant_types: Vec<GrantType>,
    /// What it may ask for, and has by itself; `None`: whatever the user who consents may give to an app that nobody vouches
    /// for.
    pub scopes: Option<ScopeSet>,
    /// The hash of its secret; `None` for a public app, which can keep none.
    pub secret: Option<HashedKey>,
    /// When it was made.
    pub created_at: Timestamp,
    /// The id of the user or key that has made it; empty for one that has registered itself.
    pub created_by: String,
    /// Grows with every change.
    pub revision: u32,
}

impl App {
    /// The longest name, in characters.
    pub const MAX_NAME: usize = 100;
    /// The most redirect URIs of one app.
    pub const MAX_REDIRECT_URIS: usize = 20;

    /// Whether it has a secret, and must prove it.
    #[must_use]
    pub fn is_confidential(&self) -> bool {
        self.secret.is_some()
    }

    /// Whether it is registered for a way to tokens.
    #[must_use]
    pub fn may(&self, grant_type: GrantType) -> bool {
        self.grant_types.contains(&grant_type)
    }

    /// Whether it may be answered to at `asked`.
    #[must_use]
    pub fn answers_to(&self, asked: &str) -> bool {
        self.redirect_uris.iter().any(|uri| uri.matches(asked))
    }

    /// Whether `secret` is its own; takes the same time for every app and every secret.
    #[must_use]
    pub fn is_proved_by(&self, secret: &str) -> bool {
        self.secret.as_ref().unwrap_or(&HashedKey::DUMMY).matches(&HashedKey::of_text(secret))
    }

    /// A new secret: 256 bits.
    #[must_use]
    pub fn new_secret() -> String {
        format!("app_secret_{}", random::base62(43))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_registered_or_a_documents_address() {
        for good in ["oc_0123456789abcdef", "https://app.example/oauth/client.json", "https://app.example/c?v=1"] {
            assert!(AppId::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "oc_",
            "oc_0123456789abcde/",
            "cl_0123456789abcdef",
            "http://app.example/client.json",
            "https://app.example",
            "https://app.example/",
            "https://user@app.example/c",
            "https://app.example/c#f",
            "https://APP.example/c",
            "https://app.example/a/../c",
            "https://app.example:443/c",
            "https:app.example/c",
            "javascript:alert(1)",
        ] {
            assert!(AppId::parse(bad).is_none(), "{bad}");
        }
        assert!(AppId::parse(&format!("https://app.example/{}", "a".repeat(600))).is_none());
    }

    #[test]
    fn only_its_own_secret_proves_an_app() {
        let secret = App::new_secret();
        let mut app = App {
            id: AppId::random(),
            client_id: None,
            name: String::new(),
            redirect_uris: Vec::new(),
            grant_types: Vec::new(),
            scopes: None,
            secret: Some(HashedKey::of_text(&secret)),
            created_at: Timestamp::from_unix(0),
            created_by: String::new(),
            revision: 0,
        };
        assert!(app.is_proved_by(&secret));
        assert!(!app.is_proved_by(&App::new_secret()));
        app.secret = None;
        assert!(!app.is_proved_by(&secret) && !app.is_proved_by(""));
    }
}
