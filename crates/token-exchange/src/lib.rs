//! Everything that answers with a token: an API key exchanged, `POST /auth/token` (SIMCEL) and `POST /auth/exchange`
//! (Simbee); a sign-up, `POST /auth/signup`, a login, `POST /auth/token`, and an invitation, `POST /auth/accept-invite`.
//!
//! An exchange:
//!
//! 1. The body's form is read; a key string that fails its own check is refused before anything is read.
//! 2. One strong read of the key's record, which judges the string and the address that it comes from. Another system's key is
//!    found by its hash, where a registered pattern matches it.
//! 3. What the key stands on, from the caches of [`identity`]: its client's settings, its workspace, a personal key's user.
//! 4. [`domain::grant()`] decides: which scopes, in which workspace, until when.
//! 5. One local signature; the use is counted in memory.
//!
//! OAuth's endpoints have a module of their own, `oauth`, which decides on keys as above.

mod accept_invite;
mod agent_token;
mod auth_token;
mod exchange;
mod login;
mod oauth;
mod session;
mod signing_key;
mod signup;

use std::sync::Arc;

use domain::{Access, Moment};
use edge::{ApiError, Reply, Request};
use identity::Identity;
use store::{Store, UsageBuffer};

pub use signing_key::{LOOK_EVERY, SigningKey, SigningKeyError};

/// What this function uses: the keys, directory, usage and audit tables, and the signing key.
pub struct App {
    /// Key records, clients and users.
    pub store: Store,
    /// What keys and users stand on: clients, users and workspaces, as fresh as the change feed makes them.
    pub identity: Identity,
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
    match request.segments()[..] {
        ["auth", "token"] if post => auth_token::auth_token(&app, &request, now).await,
        ["auth", "exchange"] if post => exchange::simbee(&app, &request, now).await,
        ["auth", "signup"] if post => signup::signup(&app, &request, now).await,
        ["auth", "accept-invite"] if post => accept_invite::accept_invite(&app, &request, now).await,
        ["auth", "agent-token"] if post => agent_token::agent_token(&app, &request, now).await,
        ["auth", "token" | "exchange" | "signup" | "accept-invite" | "agent-token"] => {
            Err(ApiError::MethodNotAllowed("POST"))
        }
        ["oauth", ref path @ ..] => Ok(oauth::answer(&app, &request, path, now).await),
        _ => Err(ApiError::NotFound),
    }
}
