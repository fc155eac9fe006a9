//! Each row of the contract's table of errors that this function can answer.

use domain::{Environment, KeyRecord};
use serde_json::{Value, json};
use testkit::{Fault, TestKey, event, now, request, request_of};
use token_exchange::handle;

use crate::setup::Setup;

fn unauthorized() -> Value {
    json!({"statusCode": 401, "error": "Unauthorized", "message": "Bearer token is missing or has expired"})
}

#[tokio::test]
async fn malformed_and_tampered_keys_cost_no_read() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let good = key.plain.expose();
    let tampered = format!("{}{}", &good[..good.len() - 1], if good.ends_with('0') { '1' } else { '0' });
    // What could be another system's key asks for their patterns once, and there is none.
    setup.post("/auth/token", &json!({"apiKey": good[..good.len() - 1]}).to_string()).await;
    setup.test.faults.reset_counts();
    for text in [
        "",
        "x",
        "sk_live_",
        &tampered,
        &good.replace("sk_live_", "sk_test_"),
        &format!(" {good}"),
        &format!("{good}\n"),
        &format!("{good}\0"),
        &good[..good.len() - 1],
        &format!("{good}0"),
        "ｓｋ_live_0123456789abcdef0123456789abcdef0123456789abcdef000000",
        "eyJhbGciOiJub25lIn0.e30.",
    ] {
        let (status, body) = setup.post("/auth/token", &json!({"apiKey": text}).to_string()).await;
        assert_eq!((status, body), (401, unauthorized()), "{text}");
        let (status, body) = setup.post("/auth/exchange", &json!({"api_key": text}).to_string()).await;
        assert_eq!((status, body), (401, unauthorized()), "{text}");
    }
    assert!(setup.test.faults.counts().is_empty());
}

#[tokio::test]
async fn every_key_that_does_not_count_gets_the_same_answer() {
    let setup = Setup::new().await;
    let client = &setup.client;
    let unknown = TestKey::new(client, "read");
    let expired = TestKey::new(client, "read");
    let record = KeyRecord { expires_at: Some(now()), ..expired.record.clone() };
    setup.test.store.key_create(&record, &testkit::act(), None).await.unwrap();
    let other_prefix = TestKey::new(client, "read");
    let record = KeyRecord { prefix: Environment::Test.default_prefix(), ..other_prefix.record.clone() };
    setup.test.store.key_create(&record, &testkit::act(), None).await.unwrap();
    let other_secret = TestKey::new(client, "read");
    let record = KeyRecord { hash: unknown.plain.hash(), ..other_secret.record.clone() };
    setup.test.store.key_create(&record, &testkit::act(), None).await.unwrap();
    let revoked = setup.key("read").await;
    setup.test.store.key_revoke(&client.id, &revoked.record.id, &testkit::act()).await.unwrap();
    for key in [unknown, expired, other_prefix, other_secret, revoked] {
        let (status, body) = setup.post("/auth/token", &json!({"apiKey": key.plain.expose()}).to_string()).await;
        assert_eq!((status, body), (401, unauthorized()));
    }
}

#[tokio::test]
async fn a_401_names_where_the_metadata_lies() {
    let setup = Setup::new().await;
    let request = request("POST", "/auth/token", &[("content-type", "application/json")], r#"{"apiKey":""}"#);
    let error = handle(setup.app.clone(), request, testkit::moment(0.0)).await.unwrap_err();
    let reply = error.into_reply(testkit::ISSUER);
    let challenge = reply.headers()["www-authenticate"].to_str().unwrap();
    assert_eq!(
        challenge,
        r#"Bearer realm="keygate", resource_metadata="https://auth.example/.well-known/oauth-protected-resource""#
    );
    assert_eq!(reply.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn bodies_that_are_not_the_form_are_bad_requests() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let good = key.plain.expose();
    setup.test.faults.reset_counts();
    for body in [
        String::new(),
        "{".to_owned(),
        "null".to_owned(),
        "[]".to_owned(),
        "\"x\"".to_owned(),
        "{}".to_owned(),
        json!({"api_key": good}).to_string(),
        json!({"apiKey": 1}).to_string(),
        json!({"apiKey": null}).to_string(),
        json!({"apiKey": [good]}).to_string(),
        json!({"apiKey": good, "role": "owner"}).to_string(),
        json!({"apiKey": good, "client_id": "cl_0123456789abcdef"}).to_string(),
        json!({"apiKey": good, "scopes": "read"}).to_string(),
        json!({"apiKey": good, "scopes": ["read write"]}).to_string(),
        json!({"apiKey": good, "scopes": ["*"]}).to_string(),
        json!({"apiKey": good, "scopes": [1]}).to_string(),
        format!(r#"{{"apiKey":"{good}","apiKey":"{good}"}}"#),
        format!(r#"{{"apiKey":"{good}","x":{}1{}}}"#, "[".repeat(5000), "]".repeat(5000)),
        format!("\u{feff}{}", json!({"apiKey": good})),
    ] {
        let (status, answer) = setup.post("/auth/token", &body).await;
        assert_eq!((status, &answer["error"]), (400, &json!("Bad Request")), "{body:.100}");
        assert!(!answer.to_string().contains(good), "{answer}");
    }
    assert!(setup.test.faults.counts().is_empty(), "a bad form costs no read");
}

#[tokio::test]
async fn other_types_sizes_methods_and_paths_have_their_own_answers() {
    let setup = Setup::new().await;
    let body = json!({"apiKey": setup.key("read").await.plain.expose()}).to_string();
    let form = request("POST", "/auth/token", &[("content-type", "application/x-www-form-urlencoded")], "apiKey=x");
    assert_eq!(setup.answer(form).await.0, 415);
    let untyped = request("POST", "/auth/token", &[], body.as_str());
    assert_eq!(setup.answer(untyped).await.0, 415);
    let long = json!({"apiKey": "x".repeat(70_000)}).to_string();
    assert_eq!(setup.post("/auth/token", &long).await.0, 413);
    for method in ["GET", "PUT", "DELETE", "PATCH", "HEAD"] {
        let refused = handle(setup.app.clone(), request(method, "/auth/token", &[], ""), testkit::moment(0.0)).await;
        let reply = refused.unwrap_err().into_reply(testkit::ISSUER);
        assert_eq!((reply.status().as_u16(), reply.headers()["allow"].to_str().unwrap()), (405, "POST"));
    }
    for path in
        ["/", "/auth", "/auth/token/", "/auth//token", "/auth/Token", "/auth/%74oken", "/auth/token/x", "//auth/token"]
    {
        assert_eq!(setup.post(path, &body).await.0, 404, "{path}");
    }
    // The key anywhere but in the body is no key.
    let misplaced = [("content-type", "application/json"), ("authorization", "Bearer x"), ("cookie", "apiKey=x")];
    assert_eq!(setup.answer(request("POST", "/auth/token?apiKey=x", &misplaced, "{}")).await.0, 400);
}

/// The single-value map of such an event holds the last value alone.
#[tokio::test]
async fn a_body_of_two_types_is_of_none() {
    let setup = Setup::new().await;
    let sample = event("token-exchange-auth-token", &[("REPLACE_WITH_KEY", setup.key("read").await.plain.expose())]);
    for (types, expected) in [
        (vec!["application/json"], 200),
        (vec!["text/plain", "application/json"], 415),
        (vec!["application/json", "text/plain"], 415),
        (vec!["application/json", "application/json"], 415),
    ] {
        let mut event: Value = serde_json::from_str(&sample).unwrap();
        event["headers"] = json!({"Content-Type": types.last()});
        event["multiValueHeaders"] = json!({"Content-Type": types});
        let (status, body) = setup.answer(request_of(&event.to_string())).await;
        assert_eq!(status, expected, "{types:?}: {body}");
    }
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_never_401() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    for fault in [Fault::InternalError, Fault::Throttle, Fault::Hang] {
        setup.test.faults.always("GetItem", fault);
        let (status, body) = setup.post("/auth/token", &json!({"apiKey": key.plain.expose()}).to_string()).await;
        assert_eq!((status, &body["error"]), (503, &json!("Service Unavailable")), "{fault:?}");
        let unknown = TestKey::new(&setup.client, "read");
        let (status, _) = setup.post("/auth/token", &json!({"apiKey": unknown.plain.expose()}).to_string()).await;
        assert_eq!(status, 503, "{fault:?}");
    }
}
