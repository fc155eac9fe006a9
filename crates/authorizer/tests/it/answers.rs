//! Each kind of event gets the form that it asks for.

use std::time::Duration;

use authorizer::HttpApiResponse;
use domain::DenyReason;
use serde_json::{Value, json};
use testkit::{Fault, TestKey, event, moment};

use crate::setup::{Outcome, Setup, rest, unauthorized};

const REST_ROUTE: &str = "arn:aws:execute-api:us-east-1:123456789012:s4x3opwd6i/live/GET/insights/v1/*";

/// The context as the contract lists it: flat strings, all of them always there.
fn context(setup: &Setup, key: &TestKey, credential: &str, jti: &Value) -> Value {
    json!({
        "client_id": key.record.client_id, "key_id": key.record.id, "user_id": "", "agent_id": "", "tools": "",
        "workspace_id": key.record.workspace_id(), "scopes": key.record.scopes.to_string(), "environment": "live",
        "billed_to": setup.account.owner.id, "credential": credential, "jti": jti,
    })
}

#[tokio::test]
async fn rest_and_http_1_0_get_a_policy_for_the_one_route() {
    let setup = Setup::new().await;
    let key = setup.key("insights:read plans:read").await;
    let token = setup.token(&key);
    for name in ["rest-jwt", "rest-token", "http-v1"] {
        let answer = setup.ask(&event(&format!("authorizer-{name}"), &[("REPLACE_WITH_TOKEN", &token)])).await.answer();
        let names: Vec<_> = answer.as_object().unwrap().keys().cloned().collect();
        assert_eq!(names, ["context", "policyDocument", "principalId"], "nothing is null");
        assert_eq!(answer["principalId"], json!(key.record.id));
        let resource = if name == "http-v1" {
            "arn:aws:execute-api:us-east-1:123456789012:abcdef123/$default/GET/insights/v1/*"
        } else {
            REST_ROUTE
        };
        let policy = json!({
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": resource}],
        });
        assert_eq!(answer["policyDocument"], policy, "{name}");
        let jti = &answer["context"]["jti"];
        assert_ne!(jti, "");
        assert_eq!(answer["context"], context(&setup, &key, "jwt", jti), "{name}");
    }
}

#[tokio::test]
async fn raw_keys_count_in_either_header() {
    let setup = Setup::new().await;
    let key = setup.key("models:read workflows:execute").await;
    for name in ["rest-raw-key", "rest-x-api-key"] {
        let text = event(&format!("authorizer-{name}"), &[("REPLACE_WITH_KEY", key.plain.expose())]);
        let answer = setup.ask(&text).await.answer();
        assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow", "{name}: {answer}");
        assert_eq!(answer["context"], context(&setup, &key, "api_key", &json!("")), "{name}");
    }
}

#[tokio::test]
async fn http_2_0_gets_a_simple_answer_or_a_policy() {
    let mut setup = Setup::new().await;
    let (good, poor) = (setup.key("insights:read").await, setup.key("plans:read").await);
    let ask = |key: &TestKey| event("authorizer-http-v2", &[("REPLACE_WITH_TOKEN", &setup.token(key))]);
    let (allowed, denied) = (ask(&good), ask(&poor));
    let answer = setup.ask(&allowed).await.answer();
    let jti = &answer["context"]["jti"];
    assert_eq!(answer, json!({"isAuthorized": true, "context": context(&setup, &good, "jwt", jti)}));
    assert_eq!(setup.ask(&denied).await.answer(), json!({"isAuthorized": false}));

    setup.app.http_api_response = HttpApiResponse::Policy;
    assert_eq!(setup.ask(&allowed).await.effect(), "Allow");
    assert_eq!(setup.ask(&denied).await.effect(), "Deny");
}

#[tokio::test]
async fn a_function_url_gets_an_http_answer() {
    let setup = Setup::new().await;
    let (good, poor) = (setup.key("read").await, setup.key("plans:read").await);
    let ask = |authorization: String| {
        json!({
            "version": "2.0", "routeKey": "$default", "rawPath": "/api/v1/users", "rawQueryString": "",
            "headers": {"authorization": authorization}, "requestContext": {"http": {"method": "GET"}},
        })
        .to_string()
    };
    let answer = setup.ask(&ask(format!("Bearer {}", good.plain.expose()))).await.answer();
    assert_eq!(answer["statusCode"], 200);
    let body: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    assert_eq!(body, context(&setup, &good, "api_key", &json!("")));
    let answer = setup.ask(&ask(format!("Bearer {}", poor.plain.expose()))).await.answer();
    assert_eq!(answer["statusCode"], 403);
    let answer = setup.ask(&ask("Bearer x".to_owned())).await.answer();
    assert_eq!((&answer["statusCode"], &answer["headers"]["content-type"]), (&json!(401), &json!("application/json")));
    assert!(answer["headers"]["www-authenticate"].as_str().unwrap().starts_with("Bearer realm=\"keygate\""));
    setup.test.faults.always("*", Fault::InternalError);
    let answer = setup.ask_at(&ask(format!("Bearer {}", good.plain.expose())), moment(60.0)).await.answer();
    assert_eq!(answer["statusCode"], 503);
}

#[tokio::test]
async fn a_lacking_scope_is_a_deny_for_that_route_and_says_nothing_more() {
    let setup = Setup::new().await;
    let key = setup.key("plans:read insights:write").await;
    let answer = setup.ask(&event("authorizer-rest-jwt", &[("REPLACE_WITH_TOKEN", &setup.token(&key))])).await.answer();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Deny");
    assert_eq!(answer["policyDocument"]["Statement"][0]["Resource"], REST_ROUTE);
    assert_eq!(answer.get("context"), None);
}

#[tokio::test]
async fn warm_and_fresh_an_authorization_costs_no_call() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let by_token = rest("GET/api/v1/users", &[("Authorization", &format!("Bearer {}", setup.token(&key)))]);
    let by_key = rest("GET/api/v1/users", &[("X-API-Key", key.plain.expose())]);
    setup.ask(&by_token).await.answer();
    setup.test.faults.reset_counts();
    for second in [0.0, 1.0, 2.0, 3.9] {
        assert_eq!(setup.ask_at(&by_token, moment(second)).await.effect(), "Allow");
        assert_eq!(setup.ask_at(&by_key, moment(second)).await.effect(), "Allow");
    }
    assert!(setup.test.faults.counts().is_empty(), "{:?}", setup.test.faults.counts());
    // At its first read of the feed an instance reads its records once more.
    setup.ask_at(&by_key, moment(4.0)).await.answer();
    setup.app.usage.flush(moment(4.0)).await.unwrap();
    setup.test.faults.reset_counts();
    setup.ask_at(&by_key, moment(8.0)).await.answer();
    assert_eq!(setup.test.faults.counts().into_iter().collect::<Vec<_>>(), [("Query".to_owned(), 1)]);
}

#[tokio::test]
async fn a_revoked_key_and_its_tokens_die_within_five_seconds() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let by_token = rest("GET/api/v1/users", &[("Authorization", &format!("Bearer {}", setup.token(&key)))]);
    let by_key = rest("GET/api/v1/users", &[("X-API-Key", key.plain.expose())]);
    for event in [&by_token, &by_key] {
        assert_eq!(setup.ask(event).await.effect(), "Allow");
    }
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &testkit::act()).await.unwrap();
    for event in [&by_token, &by_key] {
        assert_eq!(setup.ask_at(event, moment(4.5)).await, unauthorized());
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_no_401_and_no_allow() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let event = rest("GET/api/v1/users", &[("X-API-Key", key.plain.expose())]);
    setup.test.faults.always("*", Fault::InternalError);
    let expected = Outcome::Error("The store can't be reached".to_owned());
    assert_eq!(setup.ask(&event).await, expected, "cold");
    setup.test.faults.heal();
    assert_eq!(setup.ask(&event).await.effect(), "Allow");
    setup.test.faults.always("*", Fault::Hang);
    assert_eq!(setup.ask_at(&event, moment(4.0)).await, expected, "stale");
}

#[tokio::test]
async fn what_is_decided_is_counted() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let header = [("X-API-Key", key.plain.expose())];
    let in_other_workspace = [header[0], ("X-Workspace-ID", "ws_0123456789abcdef")];
    for (call, headers) in [
        ("GET/api/v1/users", &header[..]),
        ("GET/api/v1/users", &header),
        ("POST/api/v1/users", &header),
        ("GET/nowhere", &header),
        ("GET/api/v1/users", &in_other_workspace),
    ] {
        setup.ask(&rest(call, headers)).await.answer();
    }
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &testkit::act()).await.unwrap();
    setup.ask_at(&rest("GET/api/v1/users", &header), moment(4.0)).await;
    let tally = setup.counted(&key).await;
    assert_eq!((tally.allowed, tally.exchanges), (2, 0));
    for reason in [DenyReason::InsufficientScope, DenyReason::NoRoute, DenyReason::Workspace, DenyReason::KeyRevoked] {
        assert_eq!(tally.denied[&reason], 1, "{reason:?}");
    }
}

#[tokio::test]
async fn a_credential_stays_in_its_workspace() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let own = setup.client.default_workspace_id.as_str();
    let token = format!("Bearer {}", setup.token(&key));
    for (headers, expected) in [
        (vec![("X-API-Key", key.plain.expose())], "Allow"),
        (vec![("X-API-Key", key.plain.expose()), ("X-Workspace-ID", own)], "Allow"),
        (vec![("Authorization", &*token), ("x-workspace-id", own)], "Allow"),
        (vec![("X-API-Key", key.plain.expose()), ("X-Workspace-ID", "ws_0123456789abcdef")], "Deny"),
        (vec![("Authorization", &*token), ("x-workspace-id", "")], "Deny"),
        (vec![("Authorization", &*token), ("X-Workspace-ID", own), ("X-Workspace-ID", "ws_other")], "Deny"),
        (vec![("Authorization", &*token), ("X-Workspace-ID", own), ("x-workspace-id", "ws_other")], "Deny"),
    ] {
        assert_eq!(setup.ask(&rest("GET/api/v1/users", &headers)).await.effect(), expected, "{headers:?}");
    }
}

/// A gateway would wait for longer than it may, and Lambda end the process.
#[tokio::test]
async fn a_store_that_is_slow_is_given_up_before_lambda_gives_up() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let bearer = format!("Bearer {}", setup.token(&key));
    // Each read just in time for its client, and all of them together too late.
    setup.test.faults.always("*", Fault::Slow(Duration::from_millis(950)));
    let answer = setup.ask(&rest("GET/api/v1/users", &[("Authorization", &bearer)])).await;
    assert_eq!(answer, Outcome::Error("The store is too slow".to_owned()));
    setup.test.faults.heal();
    assert_eq!(setup.ask(&rest("GET/api/v1/users", &[("Authorization", &bearer)])).await.effect(), "Allow");

    let other = Setup::new().await;
    let bearer = format!("Bearer {}", other.token(&other.key("read").await));
    let url = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/api/v1/users", "rawQueryString": "",
        "headers": {"authorization": bearer}, "requestContext": {"http": {"method": "GET"}},
    });
    other.test.faults.always("*", Fault::Slow(Duration::from_millis(950)));
    assert_eq!(other.ask(&url.to_string()).await.answer()["statusCode"], 503);
}
