//! Everything that answers with a token: an API key exchanged, `POST /auth/token` (SIMCEL) and `POST /auth/exchange`
//! (Simbee); a sign-up, `POST /auth/signup`, and a login, `POST /auth/token`.
//!
//! An exchange:
//!
//! 1. The body's form is read; a key string that fails its own check is refused before anything is read.
//! 2. One strong read of the key's record.
//! 3. [`domain::grant()`] decides: whether the key counts, which scopes, until when.
//! 4. One local signature; the use is counted in memory.

mod attempts;
mod auth_token;
mod exchange;
mod login;
mod passwords;
mod settings;
mod signing_key;
mod signup;

use std::sync::Arc;

use domain::{Access, Moment};
use edge::{ApiError, Reply, Request};
use store::{Store, UsageBuffer};

pub use settings::{InvalidLimit, sign_ups_per_hour_from_env};
pub use signing_key::{SigningKey, SigningKeyError, algorithm_from_env};

/// What this function uses: the keys, directory and usage tables, and the signing key.
pub struct App {
    /// Key records, clients and users.
    pub store: Store,
    /// What tokens are signed with.
    pub signing_key: SigningKey,
    /// Counts of use.
    pub usage: Arc<UsageBuffer>,
    /// The scopes that exist.
    pub access: Access,
    /// The issuer of all tokens: the public base URL.
    pub issuer: String,
    /// Sign-ups that one address is allowed in an hour; 0 closes sign-up.
    pub sign_ups_per_hour: u32,
}

/// Answers a request.
///
/// # Errors
/// [`ApiError`].
pub async fn handle(app: Arc<App>, request: Request, now: Moment) -> Result<Reply, ApiError> {
    let post = request.method() == "POST";
    match edge::segments(&request)[..] {
        ["auth", "token"] if post => auth_token::auth_token(&app, &request, now).await,
        ["auth", "exchange"] if post => exchange::simbee(&app, &request, now).await,
        ["auth", "signup"] if post => signup::signup(&app, &request, now).await,
        ["auth", "token" | "exchange" | "signup"] => Err(ApiError::MethodNotAllowed("POST")),
        _ => Err(ApiError::NotFound),
    }
}
