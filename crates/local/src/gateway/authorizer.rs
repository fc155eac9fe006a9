//! From what an authorizer answers to what becomes of the request: API Gateway's rules, and nothing that it couldn't do.

use serde_json::{Map, Value};

use super::arn;
use crate::lambda::Invocation;

/// What a policy may measure, in bytes.
const POLICY_LIMIT: usize = 8 * 1024;
/// What one resource of it may, in characters.
const RESOURCE_LIMIT: usize = 512;

/// What becomes of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Outcome {
    /// It goes on, with this as `requestContext.authorizer`.
    Allow(Map<String, Value>),
    /// `UNAUTHORIZED`.
    Unauthorized,
    /// `ACCESS_DENIED`, by a `Deny` that matches or for want of an `Allow` that does.
    AccessDenied {
        /// Whether a `Deny` matches.
        explicit: bool,
    },
    /// `AUTHORIZER_FAILURE`: the function failed; this is its error's text, for the log alone.
    Failure(String),
    /// `AUTHORIZER_CONFIGURATION_ERROR`: no function, or an answer that can't be used; why, for the log alone.
    ConfigurationError(String),
}

/// Judges the invocation of a REST API's Lambda authorizer for the method `method_arn`.
#[must_use]
pub fn outcome(invocation: &Invocation, method_arn: &str) -> Outcome {
    match invocation {
        Invocation::Failed(message) if message == "Unauthorized" => Outcome::Unauthorized,
        Invocation::Failed(message) => Outcome::Failure(message.clone()),
        Invocation::Unreachable(reason) => Outcome::ConfigurationError(reason.clone()),
        Invocation::Answered(body) => match decide(body, method_arn) {
            Ok(outcome) => outcome,
            Err(reason) => Outcome::ConfigurationError(reason),
        },
    }
}

fn decide(body: &[u8], method_arn: &str) -> Result<Outcome, String> {
    let answer: Value = serde_json::from_slice(body).map_err(|error| format!("not JSON: {error}"))?;
    let answer = answer.as_object().ok_or("the answer is not an object")?;
    let principal = answer.get("principalId").and_then(Value::as_str).ok_or("principalId is not a string")?;
    match answer.get("usageIdentifierKey") {
        None | Some(Value::Null | Value::String(_)) => {}
        Some(_) => return Err("usageIdentifierKey is not a string".to_owned()),
    }
    let context = context(principal, answer.get("context"))?;
    let policy = answer.get("policyDocument").ok_or("policyDocument is missing")?;
    Ok(match judge(policy, method_arn)? {
        Effect::Allow => Outcome::Allow(context),
        Effect::Deny => Outcome::AccessDenied { explicit: true },
        Effect::Neither => Outcome::AccessDenied { explicit: false },
    })
}

/// A REST API hands every value on as a string.
fn context(principal: &str, context: Option<&Value>) -> Result<Map<String, Value>, String> {
    let mut flat = Map::new();
    match context {
        None | Some(Value::Null) => {}
        Some(Value::Object(entries)) => {
            for (name, value) in entries {
                let text = match value {
                    Value::String(text) => text.clone(),
                    Value::Number(_) | Value::Bool(_) => value.to_string(),
                    Value::Null | Value::Array(_) | Value::Object(_) => {
                        return Err(format!("context.{name} is not a string, number or boolean"));
                    }
                };
                flat.insert(name.clone(), Value::String(text));
            }
        }
        Some(_) => return Err("context is not an object".to_owned()),
    }
    flat.insert("principalId".to_owned(), Value::String(principal.to_owned()));
    Ok(flat)
}

enum Effect {
    Allow,
    Deny,
    Neither,
}

fn judge(policy: &Value, method_arn: &str) -> Result<Effect, String> {
    if policy.to_string().len() > POLICY_LIMIT {
        return Err(format!("the policy is larger than {POLICY_LIMIT} bytes"));
    }
    let statements = match policy.get("Statement") {
        Some(Value::Array(statements)) => statements.as_slice(),
        Some(statement @ Value::Object(_)) => std::slice::from_ref(statement),
        _ => return Err("policyDocument.Statement is missing".to_owned()),
    };
    let (mut allowed, mut denied) = (false, false);
    for statement in statements {
        let effect = statement.get("Effect").and_then(Value::as_str);
        let matched = covers(statement, method_arn)?;
        match effect {
            Some("Allow") => allowed |= matched,
            Some("Deny") => denied |= matched,
            _ => return Err("Effect is neither Allow nor Deny".to_owned()),
        }
    }
    Ok(match (denied, allowed) {
        (true, _) => Effect::Deny,
        (false, true) => Effect::Allow,
        (false, false) => Effect::Neither,
    })
}

fn covers(statement: &Value, method_arn: &str) -> Result<bool, String> {
    for unsupported in ["Condition", "NotAction", "NotResource"] {
        if statement.get(unsupported).is_some_and(|value| !value.is_null()) {
            return Err(format!("{unsupported} in a policy is not played here"));
        }
    }
    let resources = texts(statement, "Resource")?;
    if let Some(long) = resources.iter().find(|resource| resource.chars().count() > RESOURCE_LIMIT) {
        return Err(format!("a resource is longer than {RESOURCE_LIMIT} characters: {long}"));
    }
    // IAM compares actions without case.
    let asked = "execute-api:invoke";
    let action = texts(statement, "Action")?.iter().any(|action| arn::matches(&action.to_lowercase(), asked));
    Ok(action && resources.iter().any(|resource| arn::matches(resource, method_arn)))
}

fn texts<'a>(statement: &'a Value, name: &str) -> Result<Vec<&'a str>, String> {
    match statement.get(name) {
        Some(Value::String(text)) => Ok(vec![text]),
        Some(Value::Array(items)) if !items.is_empty() => {
            items.iter().map(|item| item.as_str().ok_or(format!("{name} is not a string"))).collect()
        }
        _ => Err(format!("{name} is missing in a statement")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ARN: &str = "arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/insights/v1/pnl-summary";
    const WIDE: &str = "arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/insights/v1/*";
    const OTHER: &str = "arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/api/v1/users";

    fn statement(effect: &str, resource: &Value) -> Value {
        json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource})
    }

    fn answer(statements: &Value, context: &Value) -> Value {
        json!({
            "principalId": "ak_1",
            "policyDocument": {"Version": "2012-10-17", "Statement": statements},
            "context": context,
        })
    }

    fn judged(answer: &Value) -> Outcome {
        outcome(&Invocation::Answered(answer.to_string().into_bytes()), ARN)
    }

    #[derive(Debug, PartialEq)]
    enum Kind {
        Allow,
        Unauthorized,
        DeniedExplicitly,
        DeniedImplicitly,
        Failure,
        ConfigurationError,
    }
    use Kind::{Allow, ConfigurationError, DeniedExplicitly, DeniedImplicitly, Failure, Unauthorized};

    fn kind(outcome: &Outcome) -> Kind {
        match outcome {
            Outcome::Allow(_) => Allow,
            Outcome::Unauthorized => Unauthorized,
            Outcome::AccessDenied { explicit: true } => DeniedExplicitly,
            Outcome::AccessDenied { explicit: false } => DeniedImplicitly,
            Outcome::Failure(_) => Failure,
            Outcome::ConfigurationError(_) => ConfigurationError,
        }
    }

    #[test]
    fn only_the_exact_text_is_a_401() {
        for (invocation, expected) in [
            (Invocation::Failed("Unauthorized".to_owned()), Unauthorized),
            (Invocation::Failed("unauthorized".to_owned()), Failure),
            (Invocation::Failed("Unauthorized ".to_owned()), Failure),
            (Invocation::Failed("Unauthorized: expired".to_owned()), Failure),
            (Invocation::Failed(String::new()), Failure),
            (Invocation::Failed("Task timed out after 5.00 seconds".to_owned()), Failure),
            (Invocation::Unreachable("connection refused".to_owned()), ConfigurationError),
            (Invocation::Answered(Vec::new()), ConfigurationError),
            (Invocation::Answered(b"not json".to_vec()), ConfigurationError),
        ] {
            assert_eq!(kind(&outcome(&invocation, ARN)), expected, "{invocation:?}");
        }
    }

    #[test]
    fn policies_are_judged_as_iam_does() {
        let allow = |resource| statement("Allow", &json!(resource));
        let deny = |resource| statement("Deny", &json!(resource));
        let long = format!("arn:{}", "x".repeat(512));
        let none = json!({});
        for (name, statements, expected) in [
            ("the method itself", json!([allow(ARN)]), Allow),
            ("a wider resource", json!([allow(WIDE)]), Allow),
            ("one statement outside a list", allow(WIDE), Allow),
            ("several resources", json!([statement("Allow", &json!([OTHER, ARN]))]), Allow),
            ("another method", json!([allow(OTHER)]), DeniedImplicitly),
            ("no statements", json!([]), DeniedImplicitly),
            ("a deny", json!([deny("*")]), DeniedExplicitly),
            ("a deny beside an allow", json!([allow(WIDE), deny(ARN)]), DeniedExplicitly),
            ("a deny before an allow", json!([deny(ARN), allow(WIDE)]), DeniedExplicitly),
            ("a deny of another method", json!([allow(ARN), deny(OTHER)]), Allow),
            ("another action", json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]), DeniedImplicitly),
            ("any action", json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]), Allow),
            (
                "actions without case",
                json!([{"Effect": "Allow", "Action": ["EXECUTE-API:invoke"], "Resource": "*"}]),
                Allow,
            ),
            ("an unknown effect", json!([{"Effect": "allow", "Action": "*", "Resource": "*"}]), ConfigurationError),
            ("no resource", json!([{"Effect": "Allow", "Action": "*"}]), ConfigurationError),
            ("no action", json!([{"Effect": "Allow", "Resource": "*"}]), ConfigurationError),
            ("an empty resource list", json!([{"Effect": "Allow", "Action": "*", "Resource": []}]), ConfigurationError),
            (
                "a resource that is a number",
                json!([{"Effect": "Allow", "Action": "*", "Resource": 1}]),
                ConfigurationError,
            ),
            ("a resource that is too long", json!([allow(long.as_str()), allow(ARN)]), ConfigurationError),
            (
                "a condition",
                json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": {}}}]),
                ConfigurationError,
            ),
            (
                "a null condition",
                json!([{"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": null}]),
                Allow,
            ),
            ("a statement that is a text", json!("Allow"), ConfigurationError),
        ] {
            assert_eq!(kind(&judged(&answer(&statements, &none))), expected, "{name}");
        }
    }

    #[test]
    fn a_policy_over_8_kb_is_not_looked_at() {
        let fill = |count| Value::from(vec![statement("Allow", &json!(ARN)); count]);
        let size = |count| answer(&fill(count), &json!({}))["policyDocument"].to_string().len();
        let most = (1..100).take_while(|count| size(*count) <= POLICY_LIMIT).last().unwrap();
        assert_eq!(kind(&judged(&answer(&fill(most), &json!({})))), Allow);
        assert_eq!(kind(&judged(&answer(&fill(most + 1), &json!({})))), ConfigurationError);
    }

    #[test]
    fn the_answers_own_shape_is_checked() {
        let good = answer(&json!([statement("Allow", &json!("*"))]), &json!({}));
        for (member, value, expected) in [
            ("principalId", json!(null), ConfigurationError),
            ("principalId", json!(1), ConfigurationError),
            ("principalId", json!(""), Allow),
            ("policyDocument", json!(null), ConfigurationError),
            ("policyDocument", json!("{}"), ConfigurationError),
            ("context", json!(null), Allow),
            ("context", json!([]), ConfigurationError),
            ("context", json!("x"), ConfigurationError),
            ("usageIdentifierKey", json!(null), Allow),
            ("usageIdentifierKey", json!("k"), Allow),
            ("usageIdentifierKey", json!(1), ConfigurationError),
        ] {
            let mut changed = good.clone();
            changed[member] = value.clone();
            assert_eq!(kind(&judged(&changed)), expected, "{member}: {value}");
        }
        for member in ["principalId", "policyDocument"] {
            let mut changed = good.clone();
            changed.as_object_mut().unwrap().remove(member);
            assert_eq!(kind(&judged(&changed)), ConfigurationError, "no {member}");
        }
        for not_an_object in [json!([]), json!("x"), json!(null), json!({"isAuthorized": true})] {
            assert_eq!(kind(&judged(&not_an_object)), ConfigurationError, "{not_an_object}");
        }
    }

    #[test]
    fn context_is_handed_on_as_strings_and_may_not_be_nested() {
        let statements = json!([statement("Allow", &json!(ARN))]);
        let context = json!({"client_id": "cl_1", "count": 3, "share": 1.5, "flag": true, "principalId": "forged"});
        assert_eq!(
            judged(&answer(&statements, &context)),
            Outcome::Allow(
                json!({
                    "principalId": "ak_1",
                    "client_id": "cl_1",
                    "count": "3",
                    "share": "1.5",
                    "flag": "true",
                })
                .as_object()
                .unwrap()
                .clone()
            )
        );
        for nested in [json!({"a": {}}), json!({"a": []}), json!({"a": ["x"]}), json!({"a": null})] {
            assert_eq!(kind(&judged(&answer(&statements, &nested))), ConfigurationError, "{nested}");
        }
    }
}
