//! Exchanging an API key for a short-lived token: `POST /auth/token` (SIMCEL) and `POST /auth/exchange` (Simbee).
//!
//! 1. The body's form is read; a key string that fails its own check is refused before anything is read.
//! 2. One strong read of the key's record.
//! 3. [`domain::grant`] decides: whether the key counts, which scopes, until when.
//! 4. One local signature; the use is counted in memory.

mod exchange;
mod signing_key;

use std::sync::Arc;

use domain::{Access, Moment};
use edge::{ApiError, Reply, Request};
use store::{Store, UsageBuffer};

pub use signing_key::{SigningKey, SigningKeyError, algorithm_from_env};

/// What this function uses: the keys and usage tables, and the signing key.
pub struct App {
    /// Key records.
    pub store: Store,
    /// What tokens are signed with.
    pub signing_key: SigningKey,
    /// Counts of use.
    pub usage: Arc<UsageBuffer>,
    /// The scopes that exist.
    pub access: Access,
    /// The issuer of all tokens: the public base URL.
    pub issuer: String,
}

/// Answers a request.
///
/// # Errors
/// [`ApiError`].
pub async fn handle(app: Arc<App>, request: Request, now: Moment) -> Result<Reply, ApiError> {
    let post = request.method() == "POST";
    match edge::segments(&request)[..] {
        ["auth", "token"] if post => exchange::simcel(&app, &request, now).await,
        ["auth", "exchange"] if post => exchange::simbee(&app, &request, now).await,
        ["auth", "token" | "exchange"] => Err(ApiError::MethodNotAllowed("POST")),
        _ => Err(ApiError::NotFound),
    }
}
