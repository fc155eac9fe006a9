//! Errors that callers see, and the one map from errors to answers.

use domain::{AgentProblem, GrantError, Scope, Unreachable};
use http::{HeaderValue, StatusCode};
use identity::{Refusal, RefusalReason};
use serde::Serialize;
use store::StoreError;

use crate::reply::{Reply, with_status};

/// What a caller is told. What is internal stays in the log.
#[derive(Debug)]
pub enum ApiError {
    /// The input is malformed, unknown or contradictory; the text says where, and holds none of its values.
    BadRequest(String),
    /// The credential does not count; the caller is never told why.
    Unauthorized(RefusalReason),
    /// The credential counts and does not suffice.
    Forbidden(String),
    /// There is no such thing, or it is another client's.
    NotFound,
    /// The path exists, for these methods.
    MethodNotAllowed(&'static str),
    /// What was asked for contradicts what is there.
    Conflict(String),
    /// The body is too long.
    PayloadTooLarge {
        /// How long it may be, in bytes.
        limit: usize,
    },
    /// The body is no JSON by its own word.
    UnsupportedMediaType,
    /// Too many attempts.
    TooManyRequests(Limited),
    /// The store or the signing key can't be reached.
    Unavailable(Box<dyn std::error::Error + Send + Sync>),
}

/// A limit that was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limited {
    /// How many are allowed.
    pub limit: u32,
    /// Seconds until the next one is.
    pub retry_after: i64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ErrorBody<'a> {
    status_code: u16,
    error: &'a str,
    message: &'a str,
}

/// How long a caller should wait before it asks a store again that was away, in seconds.
const RETRY_AFTER: &str = "1";

impl ApiError {
    /// A scope is needed that the caller lacks.
    #[must_use]
    pub fn lacks(scope: &Scope) -> Self {
        Self::Forbidden(format!("This needs the scope `{scope}`"))
    }

    /// A scope that access.toml does not name, by its place (from 1) in `scopes`.
    #[must_use]
    pub fn unknown_scope(place: usize) -> Self {
        Self::BadRequest(format!("`scopes`: number {place} is no scope that exists"))
    }

    /// The answer, with a line in the log. `base_url` is where the protected resource's metadata lies (RFC 9728, section 5.1).
    #[must_use]
    pub fn into_reply(self, base_url: &str) -> Reply {
        let reply = self.reply(base_url);
        self.log(reply.status());
        reply
    }

    pub(crate) fn reply(&self, base_url: &str) -> Reply {
        let long;
        let (status, message) = match self {
            Self::BadRequest(message) => (StatusCode::BAD_REQUEST, message.as_str()),
            Self::Unauthorized(_) => (StatusCode::UNAUTHORIZED, "Bearer token is missing or has expired"),
            Self::Forbidden(message) => (StatusCode::FORBIDDEN, message.as_str()),
            Self::NotFound => (StatusCode::NOT_FOUND, "There is nothing here"),
            Self::MethodNotAllowed(_) => (StatusCode::METHOD_NOT_ALLOWED, "Not with this method"),
            Self::Conflict(message) => (StatusCode::CONFLICT, message.as_str()),
            Self::PayloadTooLarge { limit } => {
                long = format!("The body may have {} KB at most", limit / 1024);
                (StatusCode::PAYLOAD_TOO_LARGE, long.as_str())
            }
            Self::UnsupportedMediaType => (StatusCode::UNSUPPORTED_MEDIA_TYPE, "The body must be application/json"),
            Self::TooManyRequests(_) => (StatusCode::TOO_MANY_REQUESTS, "Too many attempts: wait before the next one"),
            Self::Unavailable(_) => (StatusCode::SERVICE_UNAVAILABLE, "Try again in a moment"),
        };
        let error = status.canonical_reason().unwrap_or_default();
        let mut reply = with_status(status, &ErrorBody { status_code: status.as_u16(), error, message });
        self.add_headers(&mut reply, base_url);
        reply
    }

    fn add_headers(&self, reply: &mut Reply, base_url: &str) {
        let headers = match self {
            Self::Unauthorized(_) => vec![("www-authenticate", challenge(base_url))],
            Self::MethodNotAllowed(methods) => vec![("allow", (*methods).to_owned())],
            Self::Unavailable(_) => vec![("retry-after", RETRY_AFTER.to_owned())],
            Self::TooManyRequests(Limited { limit, retry_after }) => vec![
                ("retry-after", retry_after.to_string()),
                ("ratelimit-limit", limit.to_string()),
                ("ratelimit-remaining", "0".to_owned()),
                ("ratelimit-reset", retry_after.to_string()),
            ],
            Self::BadRequest(_)
            | Self::Forbidden(_)
            | Self::NotFound
            | Self::Conflict(_)
            | Self::PayloadTooLarge { .. }
            | Self::UnsupportedMediaType => vec![],
        };
        for (name, value) in headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                reply.headers_mut().insert(name, value);
            }
        }
    }

    pub(crate) fn log(&self, status: StatusCode) {
        let status = status.as_u16();
        match self {
            Self::Unavailable(cause) => {
                tracing::error!(status, %cause, "unavailable");
            }
            Self::Unauthorized(reason) => tracing::info!(status, %reason, "refused"),
            // The messages hold no secret, but what a caller sent may be spelt in them by a careless hand: the
            // status alone is enough to count by.
            Self::BadRequest(_)
            | Self::Forbidden(_)
            | Self::NotFound
            | Self::MethodNotAllowed(_)
            | Self::Conflict(_)
            | Self::PayloadTooLarge { .. }
            | Self::UnsupportedMediaType
            | Self::TooManyRequests(_) => tracing::info!(status, "refused"),
        }
    }
}

/// The challenge of a 401 (RFC 6750, section 3; RFC 9728, section 5.1).
fn challenge(base_url: &str) -> String {
    format!(r#"Bearer realm="keygate", resource_metadata="{base_url}/.well-known/oauth-protected-resource""#)
}

impl From<StoreError> for ApiError {
    fn from(error: StoreError) -> Self {
        Self::Unavailable(Box::new(error))
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        match refusal {
            Refusal::Unauthorized { reason, .. } => Self::Unauthorized(reason),
            Refusal::Unavailable(error) => error.into(),
        }
    }
}

impl From<GrantError> for ApiError {
    fn from(error: GrantError) -> Self {
        match error {
            GrantError::UnknownScope(place) => Self::unknown_scope(place),
            GrantError::ScopeNotHeld(scope) => Self::Forbidden(format!("The key does not have the scope `{scope}`")),
            GrantError::NothingHeld => Self::Forbidden("Nothing is left of what the key was given".to_owned()),
            GrantError::Unreachable(error) => error.into(),
        }
    }
}

impl From<AgentProblem> for ApiError {
    fn from(error: AgentProblem) -> Self {
        match error {
            AgentProblem::UnknownScope(place) => Self::unknown_scope(place),
            AgentProblem::Lifetime => Self::BadRequest(error.to_string()),
            AgentProblem::ScopeNotHeld(_) | AgentProblem::NameNotHeld(..) | AgentProblem::TooDeep => {
                Self::Forbidden(error.to_string())
            }
        }
    }
}

impl From<Unreachable> for ApiError {
    fn from(error: Unreachable) -> Self {
        Self::Forbidden(error.to_string())
    }
}
