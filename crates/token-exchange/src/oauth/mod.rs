//! OAuth 2.0's endpoints without pages: `POST /oauth/token`, `/oauth/revoke`, `/oauth/introspect`.
//!
//! 1. The body is a form, in which each parameter stands once; the query counts for nothing.
//! 2. The client proves itself where it has to ([`client`]).
//! 3. One of the grants ([`authorization_code`], [`refresh_token`], [`client_credentials`], [`token_exchange`]), the end of
//!    a token ([`revoke`]), or what one says ([`introspect`]).
//! 4. Whatever goes wrong is answered in RFC 6749's shape; nothing may be kept by a cache.

mod authorization_code;
mod client;
mod client_credentials;
mod description;
mod error;
mod form;
mod held;
mod introspect;
mod misuse;
mod refresh_token;
mod revoke;
mod token;
mod token_exchange;

use std::time::Duration;

use domain::{Act, Moment, Party};
use edge::{ApiError, HeaderValue, OauthError, Reply, Request};

use crate::App;

/// How long an answer may take: less than the runtime waits, whose own answer would have another shape.
const PATIENCE: Duration = Duration::from_secs(8);

/// Answers a request under `/oauth/`, `path` being what follows.
pub(crate) async fn answer(app: &App, request: &Request, path: &[&str], now: Moment) -> Reply {
    // Boxed: the largest futures of this function, and no other call should carry them.
    let answer = Box::pin(tokio::time::timeout(PATIENCE, dispatch(app, request, path, now))).await;
    let answer = answer.unwrap_or_else(|late| Err(ApiError::Unavailable(Box::new(late)).into()));
    let mut reply = answer.unwrap_or_else(|error| {
        tracing::info!(error = error.name(), "refused");
        error.into_reply()
    });
    // For caches of HTTP/1.0, as RFC 6749, section 5.1 has it.
    reply.headers_mut().insert("pragma", HeaderValue::from_static("no-cache"));
    reply
}

async fn dispatch(app: &App, request: &Request, path: &[&str], now: Moment) -> Result<Reply, OauthError> {
    let post = request.method() == "POST";
    match path {
        ["token"] if post => token::token(app, request, now).await,
        ["revoke"] if post => revoke::revoke(app, request, now).await,
        ["introspect"] if post => introspect::introspect(app, request, now).await,
        ["token" | "revoke" | "introspect"] => Err(ApiError::MethodNotAllowed("POST").into()),
        _ => Err(ApiError::NotFound.into()),
    }
}

/// What somebody does with a token now, for the feed and the audit log.
fn act(actor: impl Into<Party>, request: &Request, now: Moment) -> Act {
    let address = request.source_address().map(|address| address.to_string());
    Act { actor: actor.into(), address, at: now.timestamp() }
}
