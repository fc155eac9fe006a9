//! The credential of a request.

use domain::{AgentId, AgentToken, PresentedKey};
use signing::UnverifiedToken;
use thiserror::Error;

/// A credential whose form is right and of which nothing else is known.
#[derive(Debug)]
pub enum Credential<'a> {
    /// An access token.
    Token(UnverifiedToken<'a>),
    /// An API key: one of our own, or what may be another system's.
    Key(PresentedKey),
    /// An agent's token, and the agent that the call names.
    Agent(AgentToken, AgentId),
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
    /// An agent's token without the agent's name, or a name where no agent's token is.
    #[error("an agent token and `X-Agent-ID` belong together, each once")]
    AgentId,
}

impl<'a> Credential<'a> {
    /// Reads the credential of a request from its headers: `Authorization: Bearer` with a token or a key
    /// (RFC 6750, section 2.1; the scheme's case does not matter), or `X-API-Key` with a key. An agent's token is a bearer's
    /// too, and needs the agent's name beside it, in `X-Agent-ID`, where no other credential may have one.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn from_headers(headers: impl IntoIterator<Item = (&'a str, &'a str)>) -> Result<Self, CredentialError> {
        let (mut found, mut agent) = (None, None);
        for (name, value) in headers {
            if name.eq_ignore_ascii_case("x-agent-id") {
                if agent.replace(value).is_some() {
                    return Err(CredentialError::AgentId);
                }
                continue;
            }
            let is_bearer = name.eq_ignore_ascii_case("authorization");
            if !is_bearer && !name.eq_ignore_ascii_case("x-api-key") {
                continue;
            }
            if found.replace((is_bearer, value)).is_some() {
                return Err(CredentialError::Several);
            }
        }
        let (is_bearer, value) = found.ok_or(CredentialError::Missing)?;
        let credential = if is_bearer { Self::from_bearer(value, agent) } else { Self::from_api_key(value) };
        match (credential?, agent) {
            (credential, None) | (credential @ Self::Agent(..), Some(_)) => Ok(credential),
            (Self::Key(_) | Self::Token(_), Some(_)) => Err(CredentialError::AgentId),
        }
    }

    /// Reads the value of an `Authorization` header that stands alone, and so can hold no agent's token.
    ///
    /// # Errors
    /// [`CredentialError::Malformed`], [`CredentialError::AgentId`].
    pub fn from_authorization(value: &'a str) -> Result<Self, CredentialError> {
        Self::from_bearer(value, None)
    }

    fn from_bearer(value: &'a str, agent: Option<&str>) -> Result<Self, CredentialError> {
        let (scheme, text) = value.split_once(' ').ok_or(CredentialError::Malformed)?;
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(CredentialError::Malformed);
        }
        if AgentToken::is_meant(text) {
            let token = AgentToken::parse(text).map_err(|_| CredentialError::Malformed)?;
            let agent = agent.and_then(AgentId::parse).ok_or(CredentialError::AgentId)?;
            return Ok(Self::Agent(token, agent));
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
    fn an_agents_token_and_its_name_belong_together() {
        let (token, key) = (AgentToken::random(), PlainKey::random(&Environment::Live.default_prefix()));
        let bearer = format!("Bearer {}", token.expose());
        for (name, value) in [("Authorization", bearer.clone()), ("authorization", bearer.replace("Bearer", "BEARER"))]
        {
            let headers = [(name, value.as_str()), ("x-agent-id", "my-analysis-agent")];
            let Ok(Credential::Agent(_, agent)) = Credential::from_headers(headers) else { panic!("{name}: {value}") };
            assert_eq!(agent.as_str(), "my-analysis-agent");
        }
        let authorization = ("Authorization", bearer.as_str());
        assert_eq!(error(&[authorization]), CredentialError::AgentId);
        assert_eq!(error(&[("X-Agent-ID", "a")]), CredentialError::Missing);
        for values in [&["a", "a"][..], &["a", "b"], &["a", ""]] {
            let named = values.iter().map(|value| ("X-Agent-ID", *value));
            assert_eq!(
                error(&named.chain([authorization]).collect::<Vec<_>>()),
                CredentialError::AgentId,
                "{values:?}"
            );
        }
        for name in ["", " a", "a ", "a,b", "a b", "..", &"x".repeat(65), token.expose()] {
            assert_eq!(error(&[authorization, ("X-Agent-ID", name)]), CredentialError::AgentId, "{name}");
        }
        let raw = format!("Bearer {}", key.expose());
        for other in [("Authorization", raw.as_str()), ("X-API-Key", key.expose())] {
            assert_eq!(error(&[other, ("X-Agent-ID", "a")]), CredentialError::AgentId, "a name with a key");
        }
        assert_eq!(error(&[authorization, ("X-API-Key", key.expose()), ("X-Agent-ID", "a")]), CredentialError::Several);
        assert_eq!(error(&[("X-API-Key", token.expose()), ("X-Agent-ID", "a")]), CredentialError::Malformed);
        for malformed in
            [format!("{bearer}0"), format!("{bearer} "), bearer.replace("tok_", "tok-"), bearer[..70].to_owned()]
        {
            assert_eq!(error(&[("Authorization", &malformed), ("X-Agent-ID", "a")]), CredentialError::Malformed);
        }
        assert!(matches!(Credential::from_authorization(&bearer), Err(CredentialError::AgentId)));
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
