//! A client's OAuth apps.

use domain::Role;
use serde_json::{Value, json};

use crate::setup::Setup;

fn form() -> Value {
    json!({
        "name": "Reports",
        "redirect_uris": ["https://app.example/callback"],
        "grant_types": ["authorization_code", "refresh_token"],
        "scopes": ["read"],
        "confidential": true,
    })
}

fn with(member: &str, value: Value) -> Value {
    let mut form = form();
    form[member] = value;
    form
}

#[tokio::test]
async fn an_apps_secret_is_answered_once_and_kept_as_a_hash() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let (status, made) = setup.call(&owner, "POST", "/apps", Some(form())).await;
    assert_eq!(status, 201, "{made}");
    let (id, secret) = (made["id"].as_str().unwrap().to_owned(), made["client_secret"].as_str().unwrap().to_owned());
    assert!(id.starts_with("oc_") && secret.len() > 43);
    let (_, shown) = setup.get(&owner, &format!("/apps/{id}")).await;
    let mut expected = made.clone();
    expected.as_object_mut().unwrap().remove("client_secret");
    assert_eq!(shown, expected);
    let (_, list) = setup.get(&owner, "/apps").await;
    assert_eq!(list, json!({"data": [shown], "next_cursor": null}));
    let kept = setup.test.store.app_by_id(&domain::AppId::parse(&id).unwrap()).await.unwrap().unwrap();
    assert!(kept.is_proved_by(&secret) && !kept.is_proved_by(&id));

    let (_, public) = setup.call(&owner, "POST", "/apps", Some(with("confidential", json!(false)))).await;
    assert_eq!((&public["client_secret"], &public["confidential"]), (&Value::Null, &json!(false)));
}

#[tokio::test]
async fn what_no_app_can_be_is_refused_with_its_member() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    for (bad, member) in [
        (with("name", json!(" ")), "name"),
        (with("name", json!("a\u{202e}b")), "name"),
        (with("redirect_uris", json!(["http://app.example/"])), "redirect_uris"),
        (with("redirect_uris", json!(["javascript:alert(1)"])), "redirect_uris"),
        (with("redirect_uris", json!([])), "redirect_uris"),
        (with("redirect_uris", json!(vec!["https://app.example/"; 21])), "redirect_uris"),
        (with("grant_types", json!([])), "grant_types"),
        (with("grant_types", json!(["password"])), "grant_types"),
        (with("grant_types", json!(["authorization_code", "authorization_code"])), "grant_types"),
        (with("grant_types", json!(["refresh_token"])), "redirect_uris"),
        (with("scopes", json!([])), "scopes"),
        (with("scopes", json!(["no:such"])), "scopes"),
        (with("confidential", json!("yes")), "confidential"),
        (with("client_id", json!("cl_0123456789abcdef")), "client_id"),
    ] {
        let (status, answer) = setup.call(&owner, "POST", "/apps", Some(bad.clone())).await;
        assert_eq!(status, 400, "{bad}: {answer}");
        let message = answer["message"].as_str().unwrap();
        assert!(message.contains(member) || message.contains("expected"), "{bad}: {message}");
    }
    let mut machine = with("grant_types", json!(["client_credentials"]));
    machine["redirect_uris"] = json!([]);
    machine["confidential"] = json!(false);
    assert_eq!(setup.call(&owner, "POST", "/apps", Some(machine.clone())).await.0, 400, "it could prove nothing");
    machine["confidential"] = json!(true);
    assert_eq!(setup.call(&owner, "POST", "/apps", Some(machine)).await.0, 201);
}

#[tokio::test]
async fn apps_are_for_those_who_manage_the_client() {
    let setup = Setup::new().await;
    let (_, made) = setup.call(&setup.owner(), "POST", "/apps", Some(form())).await;
    let one = format!("/apps/{}", made["id"].as_str().unwrap());
    let member = setup.user(Role::Member).await;
    let login = setup.login(&member);
    for (method, path, body) in [
        ("GET", "/apps", None),
        ("POST", "/apps", Some(form())),
        ("GET", one.as_str(), None),
        ("PATCH", &one, Some(json!({"name": "x"}))),
        ("DELETE", &one, None),
    ] {
        assert_eq!(setup.call(&login, method, path, body).await.0, 403, "{method} {path}");
    }
    let admin = setup.user(Role::Admin).await;
    let narrow = setup.login_holding(&admin, "admin");
    assert_eq!(setup.get(&narrow, &one).await.0, 200);
    assert_eq!(setup.get(&setup.owner(), "/apps/oc_0123456789abcdef").await.0, 404);
    assert_eq!(setup.get(&setup.owner(), "/apps/x").await.0, 404);
}

#[tokio::test]
async fn a_change_and_a_removal_are_told_to_the_feed_and_the_audit_log() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let (_, made) = setup.call(&owner, "POST", "/apps", Some(with("scopes", json!(["read", "write"])))).await;
    let one = format!("/apps/{}", made["id"].as_str().unwrap());
    let head = setup.test.store.feed_head().await.unwrap();
    let (status, changed) = setup.call(&owner, "PATCH", &one, Some(json!({"scopes": ["read"], "name": "New"}))).await;
    assert_eq!((status, &changed["scopes"], &changed["name"]), (200, &json!(["read"]), &json!("New")));
    let (status, _) = setup.call(&owner, "PATCH", &one, Some(json!({"redirect_uris": []}))).await;
    assert_eq!(status, 400, "what it may do and where it is answered belong together");
    assert_eq!(setup.call(&owner, "PATCH", &one, Some(json!({}))).await.0, 200);
    assert_eq!(setup.call(&owner, "DELETE", &one, None).await.0, 204);
    assert_eq!(setup.call(&owner, "DELETE", &one, None).await.0, 404);
    assert_eq!(setup.get(&owner, &one).await.0, 404);
    let told = setup.test.store.feed_after(head).await.unwrap();
    let kinds: Vec<_> = told.entries.iter().map(|entry| (entry.kind.as_str(), entry.id.as_str())).collect();
    let id = made["id"].as_str().unwrap();
    assert_eq!(kinds, [("app", id), ("app", id)]);
    let actions: Vec<String> = setup.events().await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions, ["user.joined", "app.created", "app.updated", "app.removed"]);
}
