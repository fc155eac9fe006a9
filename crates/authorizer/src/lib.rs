//! The custom authorizer: REST `TOKEN` and `REQUEST`, HTTP API 1.0 and 2.0, and a plain HTTP answer at a function URL.
//!
//! 1. The event is read: what was asked, and with which credential ([`Event`]).
//! 2. [`identity::Identity`] says who stands behind the credential; warm and fresh that costs no call.
//! 3. [`decide`] looks the route up in access.toml and compares scopes.
//! 4. The answer takes the form that the event's kind asks for. It names the one route that was asked, never more, and
//!    the gateway keeps none of it.

mod answer;
mod arn;
mod decision;
mod event;

use std::sync::Arc;

use domain::{Access, Moment};
use identity::{Credential, Identity, Principal, Refusal};
use lambda_runtime::Diagnostic;
use store::UsageBuffer;
use thiserror::Error;

pub use answer::Answer;
pub use decision::{Decision, decide};
pub use event::Event;

use event::Kind;

/// What this function uses: what [`Identity`] reads, and the usage table.
pub struct App {
    /// Who calls.
    pub identity: Identity,
    /// Counts of use.
    pub usage: Arc<UsageBuffer>,
    /// Which route needs which scope.
    pub access: Access,
    /// How HTTP APIs of format 2.0 want to be answered.
    pub http_api_response: HttpApiResponse,
    /// Where the protected resource's metadata lies.
    pub base_url: String,
}

/// How an HTTP API with payload format 2.0 wants to be answered; its event does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpApiResponse {
    /// `{isAuthorized, context}`: the API has `EnableSimpleResponses`.
    Simple,
    /// An IAM policy.
    Policy,
}

/// `KEYGATE_HTTP_API_RESPONSE` is neither `simple` nor `policy`.
#[derive(Debug, Error)]
#[error("KEYGATE_HTTP_API_RESPONSE must be `simple` or `policy`")]
pub struct UnknownResponse;

impl HttpApiResponse {
    /// Reads `KEYGATE_HTTP_API_RESPONSE`; simple where it is not set.
    ///
    /// # Errors
    /// [`UnknownResponse`]: the function must not start.
    pub fn from_env() -> Result<Self, UnknownResponse> {
        match std::env::var("KEYGATE_HTTP_API_RESPONSE").as_deref() {
            Err(_) | Ok("" | "simple") => Ok(Self::Simple),
            Ok("policy") => Ok(Self::Policy),
            Ok(_) => Err(UnknownResponse),
        }
    }
}

/// Answers an event.
///
/// # Errors
/// The errors are answers too: `Unauthorized`, letter by letter, is what a gateway turns into a 401; any other text
/// becomes its response for an authorizer that failed, which the template makes a 503.
pub async fn handle(app: &App, event: &Event, now: Moment) -> Result<Answer, Diagnostic> {
    let outcome = authorize(app, event, now).await;
    app.usage.flush_if_due(now).await;
    if event.kind() == Kind::FunctionUrl {
        return Ok(Answer::http(outcome, &app.base_url));
    }
    let simple = event.kind() == Kind::HttpApi2 && app.http_api_response == HttpApiResponse::Simple;
    match outcome {
        Ok((principal, decision)) if simple => Ok(Answer::simple(&principal, &decision)),
        Ok((principal, decision)) => Ok(Answer::policy(event.asked(), &principal, &decision)),
        Err(refusal) => Err(answer::diagnostic(refusal)),
    }
}

async fn authorize<'a>(app: &'a App, event: &Event, now: Moment) -> Result<(Principal, Decision<'a>), Refusal> {
    let credential = match event.token() {
        Some(value) => Credential::from_authorization(value)?,
        None => Credential::from_headers(event.headers())?,
    };
    let principal = app.identity.principal(&credential, now).await.inspect_err(|refusal| {
        if let Refusal::Unauthorized { reason, key: Some(key) } = refusal {
            app.usage.denied(key, reason.deny_reason(), now);
        }
    })?;
    let decision = decide(&app.access, event, &principal);
    if let Some(key) = principal.key() {
        match &decision {
            Decision::Allow(_) => app.usage.allowed(key, now),
            Decision::Deny { reason, .. } => app.usage.denied(key, *reason, now),
        }
    }
    Ok((principal, decision))
}
