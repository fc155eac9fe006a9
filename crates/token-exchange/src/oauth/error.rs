//! Errors by their names in RFC 6749, section 5.2 and RFC 8707, section 2, and what becomes of a refusal there.

use domain::{GrantError, Unreachable};
use edge::{ApiError, OauthError};
use identity::{Refusal, RefusalReason};

/// The code or refresh token does not count, is another app's, or was used: the caller is not told which.
pub(super) fn invalid_grant() -> OauthError {
    OauthError::new("invalid_grant", "The code or token does not count, or not for this client")
}

pub(super) fn invalid_client() -> OauthError {
    OauthError::invalid_client("The client is unknown, or has not proved to be the one")
}

pub(super) fn unauthorized_client(why: &str) -> OauthError {
    OauthError::new("unauthorized_client", why)
}

pub(super) fn invalid_scope(why: impl Into<String>) -> OauthError {
    OauthError::new("invalid_scope", why)
}

pub(super) fn invalid_target(why: &str) -> OauthError {
    OauthError::new("invalid_target", why)
}

/// What a credential's refusal becomes: `instead`, whose name depends on what the credential was sent as. Why it was
/// refused is for the log alone.
pub(super) fn refused(error: impl Into<Judged>, instead: impl FnOnce() -> OauthError) -> OauthError {
    match error.into() {
        Judged::Refused(reason) => {
            tracing::info!(%reason, "refused");
            instead()
        }
        Judged::Failed(error) => error.into(),
    }
}

/// A credential that was judged and does not count, or could not be.
pub(super) enum Judged {
    Refused(RefusalReason),
    Failed(ApiError),
}

impl From<ApiError> for Judged {
    fn from(error: ApiError) -> Self {
        match error {
            ApiError::Unauthorized(reason) => Self::Refused(reason),
            ApiError::BadRequest(_)
            | ApiError::Forbidden(_)
            | ApiError::NotFound
            | ApiError::MethodNotAllowed(_)
            | ApiError::Conflict(_)
            | ApiError::PayloadTooLarge { .. }
            | ApiError::UnsupportedMediaType
            | ApiError::TooManyRequests(_)
            | ApiError::Unavailable(_) => Self::Failed(error),
        }
    }
}

impl From<Refusal> for Judged {
    fn from(refusal: Refusal) -> Self {
        ApiError::from(refusal).into()
    }
}

/// What a key that counts is not given: `closed` where its workspace is.
pub(super) fn ungranted(error: &GrantError, closed: impl FnOnce(Unreachable) -> OauthError) -> OauthError {
    match error {
        GrantError::UnknownScope(_) | GrantError::ScopeNotHeld(_) | GrantError::NothingHeld => {
            invalid_scope(error.to_string())
        }
        GrantError::Unreachable(unreachable) => closed(*unreachable),
    }
}
