//! Errors of OAuth's endpoints (RFC 6749, section 5.2; RFC 7591, section 3.2.2).

use http::{HeaderValue, StatusCode};
use serde::Serialize;
use store::StoreError;

use crate::error::ApiError;
use crate::parameters::Repeated;
use crate::reply::{Reply, with_status};

/// An error by its name, and what a developer may read of it. It holds no value of the request's.
#[derive(Debug)]
pub struct OauthError {
    status: StatusCode,
    name: &'static str,
    description: String,
    headers: Vec<(&'static str, String)>,
}

#[derive(Serialize)]
struct ErrorBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

impl OauthError {
    /// An error of this name; 400.
    #[must_use]
    pub fn new(name: &'static str, description: impl Into<String>) -> Self {
        Self { status: StatusCode::BAD_REQUEST, name, description: description.into(), headers: Vec::new() }
    }

    /// A request that is malformed, contradicts itself, or says something twice.
    #[must_use]
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self::new("invalid_request", description)
    }

    /// The client could not prove to be one: 401, with a challenge as for any authentication by HTTP.
    #[must_use]
    pub fn invalid_client(description: impl Into<String>) -> Self {
        let challenge = ("www-authenticate", r#"Basic realm="keygate""#.to_owned());
        let headers = vec![challenge];
        Self { status: StatusCode::UNAUTHORIZED, headers, ..Self::new("invalid_client", description) }
    }

    /// The same 401 with another challenge: that of the scheme which was tried (RFC 6749, section 5.2).
    #[must_use]
    pub fn challenged(mut self, challenge: &str) -> Self {
        self.headers = vec![("www-authenticate", challenge.to_owned())];
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The answer.
    #[must_use]
    pub fn into_reply(self) -> Reply {
        let body = ErrorBody { error: self.name, error_description: &self.description };
        let mut reply = with_status(self.status, &body);
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                reply.headers_mut().insert(name, value);
            }
        }
        reply
    }
}

impl From<Repeated> for OauthError {
    fn from(Repeated(_): Repeated) -> Self {
        // Its name is the caller's word, and might be a secret in the wrong place.
        Self::invalid_request("A parameter stands there more than once")
    }
}

impl From<StoreError> for OauthError {
    fn from(error: StoreError) -> Self {
        ApiError::from(error).into()
    }
}

/// What went wrong at any endpoint, in OAuth's words. Of 503 the cause is logged here.
impl From<ApiError> for OauthError {
    fn from(error: ApiError) -> Self {
        let reply = error.reply("");
        let status = reply.status();
        error.log(status);
        let name = match &error {
            ApiError::Unauthorized(_) => "invalid_client",
            ApiError::Forbidden(_) => "access_denied",
            ApiError::TooManyRequests(_) | ApiError::Unavailable(_) => "temporarily_unavailable",
            ApiError::BadRequest(_)
            | ApiError::NotFound
            | ApiError::MethodNotAllowed(_)
            | ApiError::Conflict(_)
            | ApiError::PayloadTooLarge { .. }
            | ApiError::UnsupportedMediaType => "invalid_request",
        };
        let description = match &error {
            ApiError::BadRequest(message) | ApiError::Forbidden(message) | ApiError::Conflict(message) => {
                message.clone()
            }
            ApiError::Unauthorized(_) => "The credential is missing, or does not count".to_owned(),
            ApiError::NotFound => "There is nothing here".to_owned(),
            ApiError::MethodNotAllowed(_) => "Not with this method".to_owned(),
            ApiError::PayloadTooLarge { limit } => format!("The body may have {} KB at most", limit / 1024),
            ApiError::UnsupportedMediaType => "The body is not of the content type that this takes".to_owned(),
            ApiError::TooManyRequests(_) => "Too many attempts: wait before the next one".to_owned(),
            ApiError::Unavailable(_) => "Try again in a moment".to_owned(),
        };
        if let ApiError::Unauthorized(_) = error {
            return Self::invalid_client(description);
        }
        let kept = ["retry-after", "ratelimit-limit", "ratelimit-remaining", "ratelimit-reset", "allow"];
        let headers = kept
            .into_iter()
            .filter_map(|name| Some((name, reply.headers().get(name)?.to_str().ok()?.to_owned())))
            .collect();
        // The RFC knows 400 for what is wrong with a request, a wrong content type included.
        let status = if matches!(error, ApiError::UnsupportedMediaType) { StatusCode::BAD_REQUEST } else { status };
        Self { status, name, description, headers }
    }
}
