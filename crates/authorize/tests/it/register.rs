//! Apps that register themselves.

use domain::{AppId, GrantType, PlainKey};
use serde_json::{Value, json};
use testkit::now;

use crate::setup::{CALLBACK, Setup};

#[tokio::test]
async fn a_registration_answers_what_is_registered() {
    let setup = Setup::new().await;
    let answer = setup
        .register(&json!({
            "client_name": " My assistant ",
            "redirect_uris": [CALLBACK, "http://127.0.0.1/callback", "com.example.app:/callback"],
            "grant_types": ["refresh_token", "authorization_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
            "scope": "read admin unheard:of keys:manage insights:*",
            "software_id": "x", "contacts": ["a@example.com"], "jwks": {"keys": []},
        }))
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let body = answer.json();
    let id = AppId::parse(body["client_id"].as_str().unwrap()).unwrap();
    let expected = json!({
        "client_id": id.as_str(),
        "client_id_issued_at": now().unix(),
        "client_name": "My assistant",
        "redirect_uris": [CALLBACK, "http://127.0.0.1/callback", "com.example.app:/callback"],
        "token_endpoint_auth_method": "none",
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "scope": "read insights:*",
    });
    assert_eq!(body, expected);
    let app = setup.test.store.app_by_id(&id).await.unwrap().unwrap();
    assert_eq!((app.client_id, app.secret, app.name.as_str()), (None, None, "My assistant"));
    assert_eq!(app.grant_types, [GrantType::AuthorizationCode, GrantType::RefreshToken]);
    assert_eq!(app.scopes.unwrap().to_string(), "read insights:*");
}

#[tokio::test]
async fn what_is_left_out_or_can_not_be_is_replaced() {
    let setup = Setup::new().await;
    let answer = setup.register(&json!({"redirect_uris": [CALLBACK]})).await.json();
    assert_eq!(answer["grant_types"], json!(["authorization_code"]));
    assert_eq!(answer["response_types"], json!(["code"]));
    assert_eq!(answer.get("scope"), None);
    assert!(answer["client_name"].as_str().is_some_and(|name| !name.is_empty()));
    // As Python's MCP client and VS Code send it.
    let answer = setup
        .register(&json!({
            "redirect_uris": [CALLBACK],
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code", "token"],
            "token_endpoint_auth_method": "client_secret_post",
            "scope": "admin",
        }))
        .await;
    assert_eq!(answer.status, 201, "{answer:?}");
    let answer = answer.json();
    assert_eq!(answer["grant_types"], json!(["authorization_code", "refresh_token"]));
    assert_eq!(answer["token_endpoint_auth_method"], json!("none"));
    assert_eq!((answer["scope"].as_str(), answer.get("client_secret")), (Some("read"), None), "not all that there is");
}

#[tokio::test]
async fn bad_metadata_are_told_by_name() {
    let setup = Setup::new().await;
    let good = json!({"redirect_uris": [CALLBACK]});
    let plain = PlainKey::random(&domain::Environment::Live.default_prefix());
    let many: Vec<_> = (0..21).map(|place| format!("{CALLBACK}/{place}")).collect();
    let (uri, metadata) = ("invalid_redirect_uri", "invalid_client_metadata");
    for (name, value, error) in [
        ("redirect_uris", Value::Null, uri),
        ("redirect_uris", json!([]), uri),
        ("redirect_uris", json!(many), uri),
        ("redirect_uris", json!(["http://app.example/callback"]), uri),
        ("redirect_uris", json!([CALLBACK, "javascript:alert(1)"]), uri),
        ("redirect_uris", json!(["https://app.example/#x"]), uri),
        ("redirect_uris", json!(["/callback"]), uri),
        ("redirect_uris", json!(CALLBACK), metadata),
        ("redirect_uris", json!([7]), metadata),
        ("token_endpoint_auth_method", json!("private_key_jwt"), metadata),
        ("token_endpoint_auth_method", json!(7), metadata),
        ("grant_types", json!(["refresh_token"]), metadata),
        ("grant_types", json!(["client_credentials"]), metadata),
        ("grant_types", json!(["implicit"]), metadata),
        ("grant_types", json!([]), metadata),
        ("response_types", json!(["token"]), metadata),
        ("response_types", json!([]), metadata),
        ("client_name", json!("x".repeat(101)), metadata),
        ("client_name", json!("a\u{7}"), metadata),
        ("client_name", json!("Bank \u{202e}kcatta"), metadata),
        ("client_name", json!(plain.expose()), metadata),
        ("client_name", json!(["x"]), metadata),
        ("scope", json!("read  write"), metadata),
        ("scope", json!(["read"]), metadata),
    ] {
        let mut body = good.clone();
        body[name] = value.clone();
        let answer = setup.register(&body).await;
        assert_eq!(answer.status, 400, "{name}: {value}");
        assert_eq!(answer.header("cache-control"), Some("no-store"));
        let body = answer.json();
        assert_eq!(body["error"], json!(error), "{name}: {value}");
        assert!(!answer.body.contains(plain.expose()));
        assert_eq!(body.as_object().unwrap().len(), 2);
    }
    for body in ["", "[]", "null", "{", r#"{"redirect_uris":["x"],"redirect_uris":["y"]}"#, "\u{feff}{}"] {
        let answer = setup.post_raw("/oauth/register", "application/json", body).await;
        assert_eq!((answer.status, answer.json()["error"].clone()), (400, json!(metadata)), "{body}");
    }
    for content_type in ["application/x-www-form-urlencoded", "text/plain"] {
        let answer = setup.post_raw("/oauth/register", content_type, &good.to_string()).await;
        assert_eq!((answer.status, answer.json()["error"].clone()), (400, json!("invalid_request")));
    }
    let answer = setup.post_raw("/oauth/register", "application/json", &"x".repeat(70_000)).await;
    assert_eq!((answer.status, answer.json()["error"].clone()), (413, json!("invalid_request")));
    assert_eq!(setup.register(&good).await.status, 201, "what was refused is not counted");
}

#[tokio::test]
async fn registrations_are_limited_for_an_address() {
    let setup = Setup::new().await;
    let good = json!({"redirect_uris": [CALLBACK]});
    let mut statuses = Vec::new();
    for _ in 0..6 {
        statuses.push(setup.register(&good).await.status);
    }
    assert!(statuses.starts_with(&[201, 201, 201]) && statuses.ends_with(&[429]), "{statuses:?}");
    let answer = setup.register(&good).await;
    assert_eq!(answer.json()["error"], json!("temporarily_unavailable"));
    assert!(answer.header("retry-after").is_some_and(|seconds| seconds != "0"));
    let other = crate::setup::event(
        "POST",
        "/oauth/register",
        "",
        &json!({"content-type": "application/json", "x-forwarded-for": "198.51.100.9"}),
        &[],
        &good.to_string(),
        "198.51.100.7",
    );
    assert_eq!(setup.handle(&other, 0.0).await.status, 201, "another address is not held up");
}
