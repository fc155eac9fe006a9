use serde_json::{Value, json};
use testkit::{event, moment, now, request, request_of};

use crate::setup::Setup;

#[tokio::test]
async fn every_failed_credential_gets_the_same_answer() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let bearer = format!("Bearer {}", key.plain.expose());
    let raw = key.plain.expose();
    let cases: [&[(&str, &str)]; 9] = [
        &[],
        &[("authorization", "Bearer x")],
        &[("authorization", "Bearer a.b.c")],
        &[("authorization", raw)],
        &[("authorization", &bearer), ("x-api-key", raw)],
        &[("authorization", &bearer), ("authorization", &bearer)],
        &[("x-api-key", "sk_live_x")],
        &[("cookie", raw)],
        &[("x-authorization", &bearer)],
    ];
    for headers in cases {
        let (status, body) = setup.answer(request("GET", &setup.path(""), headers, ""), moment(0.0)).await;
        let expected =
            json!({"statusCode": 401, "error": "Unauthorized", "message": "Bearer token is missing or has expired"});
        assert_eq!((status, body), (401, expected), "{headers:?}");
    }
    let misplaced = request("GET", &setup.path(&format!("?api_key={raw}")), &[], "");
    assert_eq!(setup.answer(misplaced, moment(0.0)).await.0, 401);
    let by_header = request("GET", &setup.path(""), &[("x-api-key", raw)], "");
    assert_eq!(setup.answer(by_header, moment(0.0)).await.0, 200);
}

/// The single-value map of such an event holds the last value alone: read by it, any of these would pass.
#[tokio::test]
async fn a_credential_that_a_gateway_saw_twice_counts_as_none() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let (raw, bearer) = (key.plain.expose(), format!("Bearer {}", key.plain.expose()));
    let sample = event(
        "key-management-list",
        &[("REPLACE_WITH_KEY", raw), ("REPLACE_WITH_CLIENT_ID", setup.client.id.as_str())],
    );
    for (name, values, expected) in [
        ("Authorization", vec![bearer.as_str()], 200),
        ("Authorization", vec!["Bearer x", &bearer], 401),
        ("Authorization", vec![&bearer, "Bearer x"], 401),
        ("Authorization", vec![&bearer, &bearer], 401),
        ("X-API-Key", vec![raw], 200),
        ("X-API-Key", vec!["x", raw], 401),
        ("X-API-Key", vec![raw, "x"], 401),
        ("X-API-Key", vec![raw, raw], 401),
    ] {
        let mut event: Value = serde_json::from_str(&sample).unwrap();
        event["headers"] = json!({name: values.last()});
        event["multiValueHeaders"] = json!({name: values});
        let (status, body) = setup.answer(request_of(&event.to_string()), moment(0.0)).await;
        assert_eq!(status, expected, "{name}: {values:?}: {body}");
    }
}

#[tokio::test]
async fn a_creation_must_be_of_the_form() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let long = "x".repeat(101);
    for body in [
        json!({}),
        json!({"name": ""}),
        json!({"name": "   "}),
        json!({"name": long}),
        json!({"name": "a\u{0}b"}),
        json!({"name": "a\nb"}),
        json!({"name": 1}),
        json!({"name": "x", "environment": "prod"}),
        json!({"name": "x", "type": "shared"}),
        json!({"name": "x", "workspace_id": "default"}),
        json!({"name": "x", "workspace_id": "ws_0123456789abcdef"}),
        json!({"name": "x", "expires_at": now()}),
        json!({"name": "x", "expires_at": "tomorrow"}),
        json!({"name": "x", "expires_at": 1_800_000_000}),
        json!({"name": "x", "scopes": "read"}),
        json!([]),
        Value::Null,
    ] {
        let (status, answer) = setup.create(&admin, body.clone()).await;
        assert_eq!(status, 400, "{body}: {answer}");
    }
    assert_eq!(setup.create(&admin, json!({"name": "ключ 🔑"})).await.0, 201);
}

#[tokio::test]
async fn lists_take_known_parameters_once() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    setup.key("read").await;
    let (_, page) = setup.call(&admin, "GET", &setup.path("?limit=1"), None).await;
    let cursor = page["next_cursor"].as_str().unwrap();
    let changed = format!("{}{}", if cursor.starts_with('A') { "B" } else { "A" }, &cursor[1..]);
    for query in [
        "?limit=0",
        "?limit=101",
        "?limit=x",
        "?limit=",
        "?limit=-1",
        "?limit=1&limit=2",
        "?page=2",
        "?revoked=yes",
        "?type=shared",
        "?environment=prod",
        "?workspace_id=default",
        "?cursor=",
        "?cursor=x",
        &format!("?cursor={changed}"),
        &format!("?cursor={cursor}&revoked=true"),
        &format!("?cursor={cursor}A"),
    ] {
        let (status, body) = setup.call(&admin, "GET", &setup.path(query), None).await;
        assert_eq!(status, 400, "{query}: {body}");
    }
    assert_eq!(setup.call(&admin, "GET", &setup.path(&format!("?cursor={cursor}")), None).await.0, 200);
    let other = setup.test.client().await;
    let stranger = testkit::TestKey::new(&other, "admin").stored(&setup.test.store).await;
    let theirs = format!("/api/v1/clients/{}/api_keys?cursor={cursor}", other.id);
    assert_eq!(setup.call(&stranger, "GET", &theirs, None).await.0, 400, "another client's list");
}

#[tokio::test]
async fn other_methods_and_paths_have_their_own_answers() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let one = setup.path(&format!("/{}", admin.record.id));
    for (method, path, expected) in [
        ("PUT", setup.path(""), 405),
        ("DELETE", setup.path(""), 405),
        ("POST", one.clone(), 405),
        ("PUT", one.clone(), 405),
        ("GET", format!("{one}/rotate"), 405),
        ("POST", format!("{one}/rotate/"), 404),
        ("POST", format!("{one}/renew"), 404),
        ("GET", format!("{one}/"), 404),
        ("GET", setup.path("/"), 404),
        ("GET", "/api/v1/clients".to_owned(), 404),
        ("GET", format!("/{}", setup.path("")), 404),
    ] {
        assert_eq!(setup.call(&admin, method, &path, None).await.0, expected, "{method} {path}");
    }
    let bearer = format!("Bearer {}", admin.plain.expose());
    let overridden = [("authorization", bearer.as_str()), ("x-http-method-override", "DELETE")];
    assert_eq!(setup.answer(request("GET", &one, &overridden, ""), moment(0.0)).await.0, 200);
}
