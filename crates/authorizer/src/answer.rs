//! The forms of an answer.
//!
//! The structures are this crate's own: absent members must be absent, not `null`, and a context holds flat strings
//! alone.

use std::collections::BTreeMap;

use domain::{DenyReason, Workspace};
use edge::{ApiError, Body, Reply};
use identity::{Principal, Refusal};
use runtime::InvocationError;
use serde::Serialize;

use crate::arn::MethodArn;
use crate::decision::Decision;
use crate::policy::PolicyDocument;
use crate::whole::WholePolicies;

/// An answer in the form that its event asks for.
#[derive(Debug, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// A REST API's, and an HTTP API's of format 1.0.
    #[serde(rename_all = "camelCase")]
    Policy {
        /// Whose call it is, in the gateway's logs.
        principal_id: String,
        /// The policy.
        policy_document: PolicyDocument,
        /// What the integration is told.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<Context>,
    },
    /// An HTTP API's simple one.
    #[serde(rename_all = "camelCase")]
    Simple {
        /// Whether the call may pass.
        is_authorized: bool,
        /// What the integration is told.
        #[serde(skip_serializing_if = "Option::is_none")]
        context: Option<Context>,
    },
    /// An HTTP answer.
    #[serde(rename_all = "camelCase")]
    Http {
        /// The status.
        status_code: u16,
        /// The headers.
        headers: BTreeMap<String, String>,
        /// The context, or what is wrong.
        body: String,
    },
}

/// What is handed on. Every member is always there, empty where there is nothing to say, so that a mapping that names
/// it works for every credential.
#[derive(Debug, Serialize)]
pub struct Context {
    client_id: String,
    key_id: String,
    user_id: String,
    workspace_id: String,
    agent_id: String,
    tools: String,
    scopes: String,
    environment: &'static str,
    billed_to: String,
    credential: &'static str,
    jti: String,
}

impl Context {
    fn of(principal: &Principal, workspace: &Workspace) -> Self {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        let scopes = principal.scopes();
        let agent = principal.agent().map(|token| &token.grant);
        Self {
            client_id: principal.client_id().to_string(),
            key_id: text(principal.key().map(|key| key.id.as_str())),
            user_id: text(principal.user_id().map(domain::UserId::as_str)),
            workspace_id: workspace.id.to_string(),
            agent_id: text(agent.map(|grant| grant.agent_id.as_str())),
            tools: agent.and_then(|grant| grant.tools.as_ref()).map(ToString::to_string).unwrap_or_default(),
            scopes: scopes.iter().map(domain::Scope::as_str).collect::<Vec<_>>().join(" "),
            environment: principal.environment().as_str(),
            billed_to: principal.payer(workspace).to_string(),
            credential: principal.credential_kind(),
            jti: text(principal.jti()),
        }
    }
}

impl Answer {
    /// A policy for the one route that was asked.
    pub(crate) fn policy(asked: Option<&MethodArn>, principal: &Principal, decision: &Decision<'_>) -> Self {
        match (decision, asked) {
            (Decision::Allow(route, workspace), Some(arn)) => {
                Self::of_policy(principal, PolicyDocument::allow(arn, route), Some(workspace))
            }
            (Decision::Allow(..), None) => Self::of_policy(principal, PolicyDocument::deny(None, None), None),
            (Decision::Deny { route, .. }, asked) => {
                Self::of_policy(principal, PolicyDocument::deny(asked, *route), None)
            }
        }
    }

    /// A policy for every route, whichever was asked. Its context belongs to all of them.
    pub(crate) fn whole_policy(
        whole: &WholePolicies,
        asked: Option<&MethodArn>,
        principal: &Principal,
        decision: &Decision<'_>,
    ) -> Self {
        // A gateway that reads the paths of its calls otherwise would read a policy's otherwise, too.
        let read_alike = !matches!(decision, Decision::Deny { reason: DenyReason::NoRoute, route: Some(_) });
        let workspace = principal.workspace().ok().filter(|_| read_alike);
        let document = workspace.and_then(|_| whole.document(asked?, |scope| principal.covers(scope)));
        match document {
            Some(document) => Self::of_policy(principal, document, workspace),
            None => Self::of_policy(principal, PolicyDocument::deny(asked, None), None),
        }
    }

    fn of_policy(principal: &Principal, policy_document: PolicyDocument, workspace: Option<&Workspace>) -> Self {
        let context = workspace.map(|workspace| Context::of(principal, workspace));
        Self::Policy { principal_id: principal.actor().to_owned(), policy_document, context }
    }

    /// Yes or no.
    pub(crate) fn simple(principal: &Principal, decision: &Decision<'_>) -> Self {
        match decision {
            Decision::Allow(_, workspace) => {
                Self::Simple { is_authorized: true, context: Some(Context::of(principal, workspace)) }
            }
            Decision::Deny { .. } => Self::Simple { is_authorized: false, context: None },
        }
    }

    /// An HTTP answer, for proxies that ask before they forward: 200 with the context, or 403.
    pub(crate) fn http(principal: &Principal, decision: &Decision<'_>, base_url: &str) -> Self {
        let message = match decision {
            Decision::Allow(_, workspace) => return Self::of_reply(edge::ok(&Context::of(principal, workspace))),
            Decision::Deny { reason: DenyReason::Workspace, .. } => {
                principal.workspace().err().map_or_else(String::new, |unreachable| unreachable.to_string())
            }
            Decision::Deny { .. } => "Token is valid but lacks required scope".to_owned(),
        };
        Self::refused(ApiError::Forbidden(message), base_url)
    }

    /// An HTTP answer that refuses.
    pub(crate) fn refused(error: ApiError, base_url: &str) -> Self {
        Self::of_reply(error.into_reply(base_url))
    }

    fn of_reply(reply: Reply) -> Self {
        let (parts, body) = reply.into_parts();
        let text = |value: &edge::HeaderValue| value.to_str().unwrap_or_default().to_owned();
        let headers = parts.headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect();
        let body = if let Body::Text(body) = body { body } else { String::new() };
        Self::Http { status_code: parts.status.as_u16(), headers, body }
    }
}

/// The error that tells a gateway of a refusal.
pub(crate) fn error(refusal: Refusal) -> InvocationError {
    let (error_type, error_message) = match refusal {
        Refusal::Unauthorized { reason, .. } => {
            tracing::info!(%reason, "refused");
            ("Unauthorized", "Unauthorized")
        }
        Refusal::Unavailable(error) => {
            tracing::error!(%error, "unavailable");
            ("Unavailable", "The store can't be reached")
        }
    };
    InvocationError { error_type: error_type.to_owned(), error_message: error_message.to_owned() }
}

/// The error that tells a gateway that there was no answer in time.
pub(crate) fn late() -> InvocationError {
    tracing::error!("no answer in time");
    InvocationError { error_type: "Unavailable".to_owned(), error_message: "The store is too slow".to_owned() }
}
