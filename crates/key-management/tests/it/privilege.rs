use domain::{ClientId, Environment};
use serde_json::json;
use testkit::{TestKey, now};

use crate::setup::Setup;

#[tokio::test]
async fn it_takes_keys_manage_or_admin() {
    let setup = Setup::new().await;
    let victim = setup.key("read").await;
    let one = setup.path(&format!("/{}", victim.record.id));
    for scopes in ["read", "write read insights:*", "usage:read"] {
        let key = setup.key(scopes).await;
        assert_eq!(setup.create(&key, json!({"name": "x", "scopes": ["read"]})).await.0, 403, "{scopes}");
        for (method, path) in [("GET", setup.path("")), ("GET", one.clone()), ("DELETE", one.clone())] {
            let (status, body) = setup.call(&key, method, &path, None).await;
            assert_eq!((status, &body["message"]), (403, &json!("This needs the scope `keys:manage`")), "{scopes}");
        }
    }
    for scopes in ["admin", "keys:manage", "keys:*"] {
        let key = setup.key(scopes).await;
        assert_eq!(setup.call(&key, "GET", &one, None).await.0, 200, "{scopes}");
    }
}

#[tokio::test]
async fn nobody_gives_what_they_do_not_hold() {
    let setup = Setup::new().await;
    let manager = setup.key("keys:manage read insights:read").await;
    for (scopes, expected) in [
        (json!(["read"]), 201),
        (json!(["read", "insights:read"]), 201),
        (json!(["keys:manage"]), 201),
        (json!(["write"]), 403),
        (json!(["read", "admin"]), 403),
        (json!(["insights:*"]), 403),
        (json!(["keys:*"]), 403),
        (json!(["plans:read"]), 403),
        (json!(["Read"]), 400),
        (json!(["insights"]), 400),
        (json!(["*"]), 400),
        (json!([]), 400),
    ] {
        let (status, body) = setup.create(&manager, json!({"name": "x", "scopes": scopes})).await;
        assert_eq!(status, expected, "{scopes}: {body}");
    }
    let without_read = setup.key("keys:manage").await;
    let (status, _) = setup.create(&without_read, json!({"name": "x"})).await;
    assert_eq!(status, 403, "left-out scopes are the client's default, and that too must be held");
}

#[tokio::test]
async fn another_clients_things_do_not_exist() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let other = setup.test.client().await;
    let theirs = TestKey::new(&other, "read").stored(&setup.test.store).await;
    let nobody = ClientId::random();
    let unknown_key = setup.path("/ak_0123456789abcdef");
    let (status, missing) = setup.call(&admin, "GET", &unknown_key, None).await;
    assert_eq!(status, 404);
    let by_others = |client: &ClientId, rest: &str| format!("/api/v1/clients/{client}/api_keys{rest}");
    let key = format!("/{}", theirs.record.id);
    for (method, path) in [
        ("GET", setup.path(&key)),
        ("DELETE", setup.path(&key)),
        ("GET", by_others(&other.id, "")),
        ("POST", by_others(&other.id, "")),
        ("GET", by_others(&other.id, &key)),
        ("DELETE", by_others(&other.id, &key)),
        ("GET", by_others(&nobody, "")),
        ("GET", by_others(&nobody, &key)),
        ("DELETE", unknown_key),
        ("GET", setup.path("/x")),
        ("GET", setup.path("/ak_%30123456789abcdef")),
    ] {
        let answer = setup.call(&admin, method, &path, Some(json!({"name": "x"}))).await;
        assert_eq!(answer, (404, missing.clone()), "{method} {path}");
    }
    let untouched = setup.test.store.key_by_id(&theirs.record.id).await.unwrap().unwrap();
    assert_eq!(untouched.revoked_at, None);
    let their_workspace = json!({"name": "x", "scopes": ["read"], "workspace_id": other.default_workspace_id});
    assert_eq!(setup.create(&admin, their_workspace).await.0, 400);
}

#[tokio::test]
async fn a_test_key_manages_test_keys_alone() {
    let setup = Setup::new().await;
    let tester = setup.other_key("admin", |record| record.environment = Environment::Test).await;
    let of_test = setup.other_key("read", |record| record.environment = Environment::Test).await;
    let live = setup.key("read").await;
    assert_eq!(setup.create(&tester, json!({"name": "x", "environment": "test"})).await.0, 201);
    assert_eq!(setup.create(&tester, json!({"name": "x", "environment": "live"})).await.0, 403);
    assert_eq!(setup.create(&tester, json!({"name": "x"})).await.0, 403, "live is what is left out");
    let one = |key: &TestKey| setup.path(&format!("/{}", key.record.id));
    assert_eq!(setup.call(&tester, "GET", &one(&live), None).await.0, 403);
    assert_eq!(setup.call(&tester, "DELETE", &one(&live), None).await.0, 403);
    assert_eq!(setup.call(&tester, "GET", &setup.path("?environment=live"), None).await.0, 403);
    let (_, list) = setup.call(&tester, "GET", &setup.path(""), None).await;
    assert!(list["data"].as_array().unwrap().iter().all(|record| record["environment"] == "test"), "{list}");
    assert_eq!(list["data"].as_array().unwrap().len(), 3);
    assert_eq!(setup.call(&tester, "DELETE", &one(&of_test), None).await.0, 204);
    assert!(setup.test.store.key_by_id(&live.record.id).await.unwrap().unwrap().revoked_at.is_none());
}

#[tokio::test]
async fn a_key_neither_ends_itself_nor_outlives_itself() {
    let setup = Setup::new().await;
    let brief = setup.other_key("admin", |record| record.expires_at = Some(now().plus(60))).await;
    let own = setup.path(&format!("/{}", brief.record.id));
    assert_eq!(setup.call(&brief, "DELETE", &own, None).await.0, 403);
    for (end, expected) in [(Some(60), 201), (Some(59), 201), (Some(61), 403), (None, 403)] {
        let end = end.map(|seconds| now().plus(seconds));
        let (status, body) = setup.create(&brief, json!({"name": "x", "expires_at": end})).await;
        assert_eq!(status, expected, "{end:?}: {body}");
    }
}

#[tokio::test]
async fn what_belongs_to_the_principal_is_not_taken_from_the_body() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    for member in ["client_id", "billed_to", "role", "revoked", "id", "owner_user_id", "created_by", "rate_limit"] {
        let (status, _) = setup.create(&admin, json!({"name": "x", member: "cl_0123456789abcdef"})).await;
        assert_eq!(status, 400, "{member}");
    }
}
