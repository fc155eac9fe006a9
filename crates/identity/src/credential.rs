//! The credential of a request.

use domain::PresentedKey;
use signing::UnverifiedToken;
use thiserror::Error;

/// A credential whose form is right and of which nothing else is known.
#[derive(Debug)]
pub enum Credential<'a> {
    /// An access token.
    Token(UnverifiedToken<'a>),
    /// An API key: one of our own, or what may be another system's.
    Key(PresentedKey),
}

/// Why a request has no credential. The caller is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CredentialError {
    /// None was sent.
    #[error("no credential")]
    Missing,
    /// Two were sent, or one header twice: which of them is meant nobody can say.
    #[error("more than one credential")]
    Several,
    /// What was sent is neither key nor token.
    #[error("malformed credential")]
    Malformed,
}

impl<'a> Credential<'a> {
    /// Reads the credential of a request from its headers: `Authorization: Bearer` with a token or a key
    /// (RFC 6750, section 2.1; the scheme's case does not matter), or `X-API-Key` with a key.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn from_headers(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, CredentialError> {
        let mut found = None;
        for (name, value) in headers {
            let kind = if name.eq_ignore_ascii_case("authorization") {
                Self::from_authorization
            } else if name.eq_ignore_ascii_case("x-api-key") {
                Self::from_api_key
            } else {
                continue;
            };
            if found.replace((kind, value)).is_some() {
                return Err(CredentialError::Several);
            }
        }
        let (kind, value) = found.ok_or(CredentialError::Missing)?;
        kind(value)
    }

    /// Reads the value of an `Authorization` header.
    ///
    /// # Errors
    /// [`CredentialError::Malformed`].
    pub fn from_authorization(value: &'a str) -> Result<Self, CredentialError> {
        let (scheme, text) = value.split_once(' ').ok_or(CredentialError::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(CredentialError::Malformed);
        }
        // No key holds a dot, every token does.
        if text.contains('.') {
            UnverifiedToken::parse(text).map(Self::Token).map_err(|_| CredentialError::Malformed)
        } else {
            Self::from_api_key(text)
        }
    }

    fn from_api_key(value: &'a str) -> Result<Self, CredentialError> {
        PresentedKey::parse(value).map(Self::Key).map_err(|_| CredentialError::Malformed)
    }
}

#[cfg(test)]
mod tests {
    use domain::{Environment, PlainKey};

    use super::*;

    fn error(headers: &[(&str, &str)]) -> CredentialError {
        Credential::from_headers(headers.iter().copied()).unwrap_err()
    }

    #[test]
    fn one_header_is_one_credential() {
        let key = PlainKey::random(&Environment::Live.default_prefix());
        let key = key.expose();
        for (name, value) in [
            ("Authorization", format!("Bearer {key}")),
            ("authorization", format!("bearer {key}")),
            ("AUTHORIZATION", format!("BEARER {key}")),
            ("X-API-Key", key.to_owned()),
            ("x-api-key", key.to_owned()),
        ] {
            let headers = [("Host", "x"), (name, value.as_str())];
            assert!(matches!(Credential::from_headers(headers), Ok(Credential::Key(_))), "{name}: {value}");
        }
    }

    #[test]
    fn what_may_be_another_systems_key_is_one() {
        for (name, value) in
            [("Authorization", "Bearer sk-sim-0123456789abcdef"), ("X-API-Key", "sk-sim-0123456789abcdef")]
        {
            let read = Credential::from_headers([(name, value)]);
            assert!(matches!(read, Ok(Credential::Key(PresentedKey::Foreign(_)))), "{name}");
        }
        for value in
            ["Bearer sk-sim-0123456789,abcdef", "Bearer sk-sim-0123456789 abcdef", "Bearer sk-sim-0123456789.abcdef"]
        {
            assert_eq!(error(&[("Authorization", value)]), CredentialError::Malformed, "{value}");
        }
    }

    #[test]
    fn none_two_or_a_malformed_one_are_none() {
        let key = PlainKey::random(&Environment::Live.default_prefix());
        let bearer = format!("Bearer {}", key.expose());
        assert_eq!(error(&[]), CredentialError::Missing);
        assert_eq!(error(&[("Authorization", &bearer), ("X-API-Key", key.expose())]), CredentialError::Several);
        assert_eq!(error(&[("Authorization", &bearer), ("authorization", &bearer)]), CredentialError::Several);
        assert_eq!(error(&[("X-API-Key", key.expose()), ("x-api-key", "")]), CredentialError::Several);
        for value in [
            String::new(),
            "Bearer".to_owned(),
            "Bearer ".to_owned(),
            key.expose().to_owned(),
            format!("Bearer  {}", key.expose()),
            format!("Bearer {} ", key.expose()),
            format!(" Bearer {}", key.expose()),
            format!("Basic {}", key.expose()),
            format!("Bearer {}, Bearer {}", key.expose(), key.expose()),
            "Bearer a.b.c".to_owned(),
            "Bearer agent_tok_0123456789".to_owned(),
        ] {
            assert_eq!(error(&[("Authorization", &value)]), CredentialError::Malformed, "{value}");
        }
        for value in ["", " ", "a.b.c", &format!(" {}", key.expose()), &bearer] {
            assert_eq!(error(&[("X-API-Key", value)]), CredentialError::Malformed, "{value}");
        }
    }
}
