//! What can't be judged is refused like every other, and never let through.

use domain::Environment;
use serde_json::json;
use testkit::TestKey;

use crate::setup::{Setup, rest, unauthorized};

#[tokio::test]
async fn every_failed_credential_is_the_same_unauthorized() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let raw = key.plain.expose();
    let token = setup.token(&key);
    let (bearer, by_token) = (format!("Bearer {raw}"), format!("Bearer {token}"));
    let unknown = TestKey::new(&setup.client, "read");
    let mut other_environment = TestKey::new(&setup.client, "read");
    other_environment.record.prefix = Environment::Test.default_prefix();
    setup.test.store.key_create(&other_environment.record, &testkit::act(), None).await.unwrap();
    let (most, end) = by_token.split_at(by_token.len() - 2);
    let tampered = format!("{most}{}", if end == "xA" { "yA" } else { "xA" });
    for headers in [
        vec![],
        vec![("Authorization", "")],
        vec![("Authorization", raw)],
        vec![("Authorization", "Bearer")],
        vec![("Authorization", "Basic dXNlcjpwYXNz")],
        vec![("Authorization", &*tampered)],
        vec![("Authorization", "Bearer agent_tok_0123456789abcdef")],
        vec![("Authorization", &*bearer), ("X-API-Key", raw)],
        vec![("Authorization", &*bearer), ("Authorization", &*bearer)],
        vec![("Authorization", &*bearer), ("authorization", &*by_token)],
        vec![("X-API-Key", raw), ("x-api-key", raw)],
        vec![("X-API-Key", &*token)],
        vec![("X-API-Key", &*bearer)],
        vec![("X-API-Key", unknown.plain.expose())],
        vec![("X-API-Key", other_environment.plain.expose())],
        vec![("Cookie", raw)],
        vec![("X-Api-Key-Id", raw)],
    ] {
        assert_eq!(setup.ask(&rest("GET/api/v1/users", &headers)).await, unauthorized(), "{headers:?}");
    }
}

#[tokio::test]
async fn an_event_of_no_known_form_is_unauthorized() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let bearer = format!("Bearer {}", key.plain.expose());
    for event in [
        "null".to_owned(),
        "[]".to_owned(),
        "1".to_owned(),
        "\"x\"".to_owned(),
        "{}".to_owned(),
        json!({"type": "TOKEN"}).to_string(),
        json!({"type": "TOKEN", "authorizationToken": null, "methodArn": null}).to_string(),
        json!({"type": "TOKEN", "headers": {"Authorization": bearer}}).to_string(),
        json!({"type": "REQUEST", "headers": null, "multiValueHeaders": null, "requestContext": null}).to_string(),
        json!({"type": "REQUEST", "headers": {"Authorization": null}}).to_string(),
        json!({"type": "REQUEST", "headers": {"Authorization": [bearer]}}).to_string(),
        json!({"type": "REQUEST", "headers": [["Authorization", bearer]]}).to_string(),
        json!({"type": "REQUEST", "multiValueHeaders": {"Authorization": bearer}}).to_string(),
        json!({"type": "REQUEST", "multiValueHeaders": {"Authorization": [bearer, null]}}).to_string(),
        json!({"type": 7, "authorizationToken": bearer}).to_string(),
    ] {
        assert_eq!(setup.ask(&event).await, unauthorized(), "{event}");
    }
}

#[tokio::test]
async fn a_call_that_can_not_be_read_is_allowed_to_nobody() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let headers = json!({"X-API-Key": key.plain.expose()});
    for arn in [
        json!(null),
        json!(""),
        json!("*"),
        json!("arn:aws:execute-api:us-east-1:123456789012:abc/live"),
        json!("arn:aws:execute-api:us-east-1:123456789012:abc/live/GET"),
        json!("arn:aws:execute-api:us-east-1:123456789012:abc/*/GET/api/v1/users"),
        json!("arn:aws:execute-api:us-east-1:123456789012:*/live/GET/api/v1/users"),
        json!("arn:aws:s3:us-east-1:123456789012:abc/live/GET/api/v1/users"),
        json!("arn:aws:execute-api:us-east-1:123456789012:abc/live/$connect"),
    ] {
        let event = json!({"type": "REQUEST", "methodArn": arn, "headers": headers}).to_string();
        assert_eq!(setup.ask(&event).await.effect(), "Deny", "{event}");
    }
}
