//! The seeds' own examples, behind the authorizer: what each route answers, and who the authorizer says is calling.
//!
//! 1. API Gateway has asked the authorizer; its context comes with the request.
//! 2. The route answers with sample data, and with that context as `caller`.

mod mcp;
mod samples;

use domain::Moment;
use edge::{ApiError, Reply, Request};
use serde_json::{Map, Value};

/// Answers a request.
///
/// # Errors
/// [`ApiError`].
pub fn handle(request: &Request, now: Moment) -> Result<Reply, ApiError> {
    let caller = caller(request);
    match (request.method().as_str(), &request.segments()[..]) {
        ("GET", ["insights", "v1", name @ ..]) if !name.is_empty() => {
            let plan = request.query().find(|(name, _)| *name == "planId").map(|(_, plan)| plan.to_owned());
            Ok(samples::insights(&name.join("/"), plan.as_deref(), &caller))
        }
        ("GET", ["api", "v1", "users"]) => Ok(samples::users(&caller)),
        ("POST", ["api", "v1", "users"]) => Ok(samples::create_user(&edge::json(request)?, &caller)),
        ("POST", ["api", "workflows", id, "execute"]) => {
            Ok(samples::execute_workflow(id, &edge::json(request)?, &caller))
        }
        ("GET", ["api", "v1", "logs"]) => Ok(samples::logs(&caller)),
        ("POST", ["v1", "chat", "completions"]) => {
            Ok(samples::chat_completion(&edge::json(request)?, now.timestamp(), &caller))
        }
        ("POST", ["mcp"]) => mcp::answer(&edge::json(request)?, &caller),
        ("GET", ["v1", "models"]) => Ok(samples::models(&caller)),
        _ => Err(ApiError::NotFound),
    }
}

/// What the authorizer has handed on. A backend trusts this and no header.
fn caller(request: &Request) -> Value {
    let known = [
        "client_id",
        "key_id",
        "user_id",
        "workspace_id",
        "agent_id",
        "tools",
        "scopes",
        "environment",
        "billed_to",
        "credential",
    ];
    let text = |name: &str| request.authorizer().get(name).cloned();
    known.into_iter().filter_map(|name| Some((name.to_owned(), text(name)?))).collect::<Map<_, _>>().into()
}
