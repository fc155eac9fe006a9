//! What becomes of a request, from the project's own template and everything that a function can do.

use super::request::tests::incoming;
use super::*;
use crate::lambda::tests::{Canned, answering};

const BASE: &str = "http://127.0.0.1:8788";
const RESOURCE: &str = "arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/insights/v1/*";

/// The project's own API, its functions' answers canned.
async fn gateway(canned: impl IntoIterator<Item = (&'static str, Canned)>) -> Gateway {
    let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
    Gateway::new(&template, BASE, answering(canned).await).unwrap()
}

fn answer(value: &Value) -> Canned {
    Canned::Reply(200, value.to_string())
}

fn error(text: &str) -> Canned {
    Canned::Reply(500, json!({"errorType": "T", "errorMessage": text}).to_string())
}

fn policy(effect: &str, resource: &str, context: &Value) -> Canned {
    let statement = json!({"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource});
    let document = json!({"Version": "2012-10-17", "Statement": [statement]});
    answer(&json!({"principalId": "ak_1", "policyDocument": document, "context": context}))
}

/// Status, body, `WWW-Authenticate`, `Retry-After`.
type Seen = (u16, String, Option<String>, Option<String>);

fn seen(reply: &Reply) -> Seen {
    let header = |name: &str| reply.headers.get(name).map(|value| value.to_str().unwrap().to_owned());
    let body = String::from_utf8(reply.body.clone()).unwrap();
    (reply.status.as_u16(), body, header("www-authenticate"), header("retry-after"))
}

fn refused(status: u16, error: &str, message: &str) -> Seen {
    (status, format!(r#"{{"statusCode":{status},"error":"{error}","message":"{message}"}}"#), None, None)
}

fn unauthorized() -> Seen {
    let (status, body, _, _) = refused(401, "Unauthorized", "Bearer token is missing or has expired");
    let metadata = format!("{BASE}/.well-known/oauth-protected-resource");
    (status, body, Some(format!(r#"Bearer realm="keygate", resource_metadata="{metadata}""#)), None)
}

fn forbidden() -> Seen {
    refused(403, "Forbidden", "Token is valid but lacks required scope")
}

fn nothing() -> Seen {
    refused(404, "Not Found", "There is nothing at this address")
}

fn unavailable() -> Seen {
    let (status, body, _, _) = refused(503, "Service Unavailable", "The service is unavailable, try again later");
    (status, body, None, Some("1".to_owned()))
}

fn passed() -> Seen {
    (200, "data".to_owned(), None, None)
}

#[tokio::test]
async fn every_outcome_of_the_authorizer_has_the_response_that_api_gateway_gives_it() {
    let statement = json!({"Effect": "Allow", "Action": "*", "Resource": "*"});
    let large = json!({"principalId": "p", "policyDocument": {"Statement": vec![statement; 200]}});
    let context = json!({"client_id": "cl_1", "count": 1, "flag": true});
    let none = json!({});
    for (what, authorizer, expected) in [
        ("allows", policy("Allow", RESOURCE, &context), passed()),
        ("allows without context", policy("Allow", RESOURCE, &json!(null)), passed()),
        ("says Unauthorized", error("Unauthorized"), unauthorized()),
        ("says it otherwise", error("unauthorized"), unavailable()),
        ("fails", error("the store is unavailable"), unavailable()),
        ("takes too long", Canned::Silence, unavailable()),
        ("denies", policy("Deny", "*", &none), forbidden()),
        ("allows another route", policy("Allow", &RESOURCE.replace("insights", "v1"), &none), forbidden()),
        ("allows another method", policy("Allow", &RESOURCE.replace("GET", "POST"), &none), forbidden()),
        ("nests its context", policy("Allow", RESOURCE, &json!({"scopes": ["a"]})), unavailable()),
        ("has null in its context", policy("Allow", RESOURCE, &json!({"user_id": null})), unavailable()),
        ("has too large a policy", answer(&large), unavailable()),
        ("answers as HTTP APIs want it", answer(&json!({"isAuthorized": true})), unavailable()),
        ("answers nothing", Canned::Reply(200, String::new()), unavailable()),
        ("is not reached", Canned::Reply(502, "{}".to_owned()), unavailable()),
    ] {
        let data = answer(&json!({"statusCode": 200, "body": "data"}));
        let gateway = gateway([("authorizer", authorizer), ("demo-api", data)]).await;
        let reply = gateway.answer(&incoming("GET", "/insights/v1/pnl-summary?planId=1", &[])).await;
        assert_eq!(seen(&reply), expected, "an authorizer that {what}");
    }
}

#[tokio::test]
async fn every_outcome_of_a_function_has_the_response_that_api_gateway_gives_it() {
    let data = || answer(&json!({"statusCode": 200, "body": "data"}));
    let challenge = json!({"statusCode": 401, "headers": {"WWW-Authenticate": "Bearer"}, "body": ""});
    for (what, function, method, path, expected) in [
        ("answers", data(), "GET", "/auth/token", passed()),
        ("challenges", answer(&challenge), "POST", "/auth/token", (401, String::new(), None, None)),
        ("answers what is no answer", answer(&json!({"status": 200})), "GET", "/auth/token", unavailable()),
        ("fails", error("boom"), "GET", "/auth/token", unavailable()),
        ("takes too long", Canned::Silence, "GET", "/auth/token", unavailable()),
        ("is not reached", Canned::Reply(502, String::new()), "GET", "/auth/token", unavailable()),
        ("has another path", data(), "GET", "/auth/tokens", nothing()),
        ("has another method", data(), "TRACE", "/auth/token", nothing()),
    ] {
        let gateway = gateway([("token-exchange", function)]).await;
        assert_eq!(seen(&gateway.answer(&incoming(method, path, &[])).await), expected, "a function that {what}");
    }
}

/// A function can be up, and answer as this project's do, without being able to sign.
#[tokio::test]
async fn a_system_that_exchanges_no_key_is_not_ready() {
    let exchange = |status: u16, body: &'static str| async move {
        let gateway = gateway([("token-exchange", answer(&json!({"statusCode": status, "body": body})))]).await;
        gateway.try_exchange("sk_live_demo", 1).await.map_err(|failure| failure.to_string())
    };
    assert_eq!(exchange(200, "{}").await, Ok(()));
    for status in [201, 401, 503] {
        let reason = exchange(status, "no token").await.unwrap_err();
        assert!(reason.contains(&status.to_string()) && reason.contains("no token"), "{reason}");
        assert!(!reason.contains("sk_live_demo"), "{reason}");
    }
    let failing = gateway([("token-exchange", error("boom"))]).await;
    assert!(failing.try_exchange("sk_live_demo", 1).await.is_err());
}

#[tokio::test]
async fn what_is_too_large_never_reaches_a_function() {
    let gateway = gateway([("token-exchange", Canned::Silence)]).await;
    let mut request = incoming("POST", "/auth/token", &[]);
    request.body = vec![b'x'; PAYLOAD_LIMIT];
    let too_long = (413, r#"{"message":"Request Too Long"}"#.to_owned(), None, None);
    assert_eq!(seen(&gateway.answer(&request).await), too_long);
    assert_eq!(seen(&gateway.too_large(&request)), too_long);
    let header = "x".repeat(10_241);
    let reply = gateway.answer(&incoming("POST", "/auth/token", &[("x", &header)])).await;
    assert_eq!(reply.status.as_u16(), 431);
}

#[tokio::test]
async fn a_listed_identity_header_that_is_missing_is_a_401_without_a_call() {
    let data = answer(&json!({"body": "data"}));
    let mut gateway = gateway([("authorizer", policy("Allow", "*", &json!({}))), ("demo-api", data)]).await;
    for guard in gateway.authorizers.values_mut() {
        guard.identity_headers = vec!["Authorization".to_owned()];
    }
    assert_eq!(seen(&gateway.answer(&incoming("GET", "/v1/models", &[])).await), unauthorized());
    let reply = gateway.answer(&incoming("GET", "/v1/models", &[("authorization", "x")])).await;
    assert_eq!(seen(&reply), passed());
}

#[tokio::test]
async fn an_authorizer_whose_answers_are_kept_is_not_played() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
    let text = std::fs::read_to_string(path).unwrap();
    let kept = text.replace("ReauthorizeEvery: 0", "ReauthorizeEvery: 60");
    assert_ne!(text, kept);
    let template = Template::parse(&kept).unwrap();
    let failure = Gateway::new(&template, BASE, answering([]).await).unwrap_err();
    assert!(failure.to_string().contains("60 s"), "{failure}");
}
