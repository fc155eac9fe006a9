//! The custom authorizer: REST `TOKEN` and `REQUEST`, HTTP API 1.0 and 2.0, and a plain HTTP answer at a function URL.
//!
//! 1. The event is read: what was asked, and with which credential ([`Event`]).
//! 2. [`identity::Identity`] says who stands behind the credential; warm and fresh that costs no call.
//! 3. [`decide`] looks the route up in access.toml and compares scopes.
//! 4. The answer takes the form that the event's kind asks for. It names the one route that was asked, never more, and
//!    the gateway keeps none of it; or, where that is asked for, every route, so that the gateway may keep it
//!    ([`WholePolicies`]).

mod answer;
mod arn;
mod decision;
mod event;
mod pattern;
mod policy;
mod settings;
mod whole;

use std::sync::Arc;
use std::time::Duration;

use domain::{Access, Moment};
use edge::ApiError;
use identity::{Call, Credential, Identity, Named, Principal, Refusal};
use runtime::InvocationError;
use store::UsageBuffer;

pub use answer::Answer;
pub use arn::MethodArn;
pub use decision::{Decision, decide};
pub use event::Event;
pub use policy::PolicyDocument;
pub use settings::{HttpApiResponse, Policies, SettingsError};
pub use whole::{Unsayable, WholePolicies};

use event::Kind;

/// How long an answer may take. Lambda's own limit, 5 s in the template, would end the process with all that it has counted.
pub const PATIENCE: Duration = Duration::from_millis(4_500);

/// What this function uses: what [`Identity`] reads, and the usage table.
pub struct App {
    /// Who calls.
    pub identity: Identity,
    /// Counts of use.
    pub usage: Arc<UsageBuffer>,
    /// Which route needs which scope.
    pub access: Access,
    /// What the policies name.
    pub policies: Policies,
    /// How HTTP APIs of format 2.0 want to be answered.
    pub http_api_response: HttpApiResponse,
    /// Where the protected resource's metadata lies.
    pub base_url: String,
}

/// Answers an event.
///
/// # Errors
/// The errors are answers too: `Unauthorized`, letter by letter, is what a gateway turns into a 401; any other text
/// becomes its response for an authorizer that failed, which the template makes a 503.
pub async fn handle(app: &App, event: &Event, now: Moment) -> Result<Answer, InvocationError> {
    match tokio::time::timeout(PATIENCE, answer(app, event, now)).await {
        Ok(answer) => answer,
        Err(late) if event.kind() == Kind::FunctionUrl => {
            Ok(Answer::refused(ApiError::Unavailable(Box::new(late)), &app.base_url))
        }
        Err(_) => Err(answer::late()),
    }
}

async fn answer(app: &App, event: &Event, now: Moment) -> Result<Answer, InvocationError> {
    let function_url = event.kind() == Kind::FunctionUrl;
    let principal = match identify(app, event, now).await {
        Ok(principal) => principal,
        Err(refusal) => {
            app.usage.flush_if_due(now).await;
            if function_url {
                return Ok(Answer::refused(refusal.into(), &app.base_url));
            }
            return Err(answer::error(refusal));
        }
    };
    let decision = decide_and_count(app, event, &principal, now);
    app.usage.flush_if_due(now).await;
    if function_url {
        return Ok(Answer::http(&principal, &decision, &app.base_url));
    }
    Ok(match &app.policies {
        // A kept yes would be one to every route.
        Policies::Whole(whole) => Answer::whole_policy(whole, event.asked(), &principal, &decision),
        Policies::OneRoute if event.kind() == Kind::HttpApi2 && app.http_api_response == HttpApiResponse::Simple => {
            Answer::simple(&principal, &decision)
        }
        Policies::OneRoute => Answer::policy(event.asked(), &principal, &decision),
    })
}

async fn identify(app: &App, event: &Event, now: Moment) -> Result<Principal, Refusal> {
    let call = match event.token() {
        Some(value) => {
            let credential = Credential::from_authorization(value)?;
            Call { credential, address: event.address(), workspace: Named::None }
        }
        None => Call::from_headers(event.headers(), event.address())?,
    };
    app.identity.principal(&call, now).await.inspect_err(|refusal| {
        if let Refusal::Unauthorized { reason, key: Some(key) } = refusal {
            app.usage.denied(key, reason.deny_reason(), now);
        }
    })
}

fn decide_and_count<'a>(app: &'a App, event: &Event, principal: &'a Principal, now: Moment) -> Decision<'a> {
    let decision = decide(&app.access, event, principal);
    if let Some(key) = principal.key() {
        match &decision {
            Decision::Allow(_, workspace) => app.usage.allowed(key, principal.payer(workspace), now),
            Decision::Deny { reason, .. } => app.usage.denied(key, *reason, now),
        }
    }
    decision
}
