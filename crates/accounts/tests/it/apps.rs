//! A client's OAuth apps.

use domain::Role;
use serde_json::{Value, json};
use testkit::Fault;

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

#[tokio::test]
async fn a_new_secret_is_answered_once_and_the_one_before_ends_at_once() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let (_, made) = setup.call(&owner, "POST", "/apps", Some(form())).await;
    let (id, old) = (made["id"].as_str().unwrap(), made["client_secret"].as_str().unwrap());
    let path = format!("/apps/{id}/rotate_secret");
    let app_id = domain::AppId::parse(id).unwrap();
    let head = setup.test.store.feed_head().await.unwrap();
    let mut seen = vec![old.to_owned()];
    for body in [None, Some(json!({}))] {
        let (status, rotated) = setup.call(&owner, "POST", &path, body).await;
        let new = rotated["client_secret"].as_str().unwrap().to_owned();
        let mut expected = made.clone();
        expected["client_secret"] = json!(new);
        assert_eq!((status, &rotated), (201, &expected), "the same app with another secret");
        let kept = setup.test.store.app_by_id(&app_id).await.unwrap().unwrap();
        assert!(kept.is_proved_by(&new) && !seen.iter().any(|old| kept.is_proved_by(old)));
        seen.push(new);
    }
    let (_, shown) = setup.get(&owner, &format!("/apps/{id}")).await;
    assert!(shown.get("client_secret").is_none());
    let told = setup.test.store.feed_after(head).await.unwrap().entries;
    assert_eq!(told.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), [id, id]);
    let events = setup.events().await;
    let events: Vec<_> = events.iter().filter(|event| event.action == "app.secret_rotated").collect();
    let prints: Vec<_> = seen[1..].iter().map(|secret| domain::HashedKey::of_text(secret).fingerprint()).collect();
    assert_eq!(
        events.iter().map(|event| json!(event.details)).collect::<Vec<_>>(),
        [json!({"fingerprint": prints[0]}), json!({"fingerprint": prints[1]}),]
    );
    assert!(events.iter().all(|event| event.object.id == id && event.actor.id == setup.account.owner.id.as_str()));
    let written = json!(setup.all_events().await).to_string();
    assert!(!seen.iter().any(|secret| written.contains(secret.as_str())));
}

#[tokio::test]
async fn an_answer_with_a_secret_is_kept_by_no_cache() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read").await;
    let bearer = format!("Bearer {}", setup.owner());
    let path = setup.path(&format!("/apps/{}/rotate_secret", app.id));
    let request = testkit::request("POST", &path, &[("authorization", bearer.as_str())], String::new());
    let reply = accounts::handle(setup.app.clone(), request, setup.moment()).await.unwrap();
    assert_eq!(reply.headers()["cache-control"], "no-store");
}

#[tokio::test]
async fn a_secret_is_replaced_by_those_who_manage_the_client_where_there_is_one() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let app = setup.oauth_app("read").await;
    let path = format!("/apps/{}/rotate_secret", app.id);
    let member = setup.login(&setup.user(Role::Member).await);
    for bearer in [member, setup.key("read write").await, setup.test_key("admin").await] {
        assert_eq!(setup.call(&bearer, "POST", &path, None).await.0, 403);
    }
    let (_, public) = setup.call(&owner, "POST", "/apps", Some(with("confidential", json!(false)))).await;
    let of_public = format!("/apps/{}/rotate_secret", public["id"].as_str().unwrap());
    assert_eq!(setup.call(&owner, "POST", &of_public, None).await.0, 409);
    let missing = setup.get(&owner, "/apps/oc_0123456789abcdef").await;
    let theirs = testkit::app(Some(&setup.test.account().await.client), Some("read"), Some("theirs"));
    let nobodys = testkit::app(None, None, None);
    for foreign in [&theirs, &nobodys] {
        setup.test.store.app_register(foreign).await.unwrap();
        let path = format!("/apps/{}/rotate_secret", foreign.id);
        assert_eq!(setup.call(&owner, "POST", &path, None).await, missing);
    }
    for bad in [json!({"overlap_seconds": 0}), json!({"client_secret": "mine"}), json!([])] {
        assert_eq!(setup.call(&owner, "POST", &path, Some(bad)).await.0, 400);
    }
    assert_eq!(setup.test.store.app_by_id(&app.id).await.unwrap(), Some(app));
    assert_eq!(setup.test.store.app_by_id(&theirs.id).await.unwrap(), Some(theirs));
    assert!(!setup.events().await.iter().any(|event| event.action == "app.secret_rotated"));
}

/// The secret that is answered is the one that counts, also where the store's own answer was lost on the way.
#[tokio::test]
async fn a_lost_answer_of_the_store_gives_no_secret_that_is_none() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read").await;
    let path = format!("/apps/{}/rotate_secret", app.id);
    for faults in [&[Fault::LostAnswer][..], &[Fault::LostAnswer, Fault::TransactionConflict]] {
        for fault in faults {
            setup.test.faults.once("TransactWriteItems", *fault);
        }
        let before = setup.events().await.len();
        let (status, rotated) = setup.call(&setup.owner(), "POST", &path, None).await;
        assert_eq!(status, 201, "{faults:?}: {rotated}");
        let kept = setup.test.store.app_by_id(&app.id).await.unwrap().unwrap();
        assert!(kept.is_proved_by(rotated["client_secret"].as_str().unwrap()), "{faults:?}");
        assert_eq!(setup.events().await.len(), before + 1, "{faults:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_secrets_that_are_replaced_at_once_the_last_one_counts() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read").await;
    let path = format!("/apps/{}/rotate_secret", app.id);
    let before = setup.events().await.len();
    let calls = (0..4).map(|_| (setup.owner(), "POST", path.clone(), None)).collect();
    let statuses = crate::races::at_once(&setup, calls).await;
    assert!(statuses.iter().all(|status| [201, 503].contains(status)) && statuses.contains(&201), "{statuses:?}");
    let done = statuses.iter().filter(|status| **status == 201).count();
    assert_eq!(setup.events().await.len(), before + done, "each is an event");
    assert!(!setup.test.store.app_by_id(&app.id).await.unwrap().unwrap().is_proved_by("secret"));
}

#[tokio::test]
async fn a_rotation_that_is_named_is_made_once_and_its_secret_is_not_told_again() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read").await;
    let bearer = format!("Bearer {}", setup.owner());
    let path = setup.path(&format!("/apps/{}/rotate_secret", app.id));
    let rotate = async |name: &str, path: &str| {
        let headers = [("authorization", bearer.as_str()), ("idempotency-key", name)];
        setup.answer(testkit::request("POST", path, &headers, String::new())).await
    };
    let (status, mut first) = rotate("one", &path).await;
    assert_eq!(status, 201, "{first}");
    let secret = first["client_secret"].take();
    let before = setup.events().await.len();
    assert_eq!(rotate("one", &path).await, (201, first));
    assert_eq!(setup.events().await.len(), before);
    let kept = setup.test.store.app_by_id(&app.id).await.unwrap().unwrap();
    assert!(kept.is_proved_by(secret.as_str().unwrap()));
    let other = setup.oauth_app("read").await;
    let elsewhere = setup.path(&format!("/apps/{}/rotate_secret", other.id));
    assert_eq!(rotate("one", &elsewhere).await.0, 409, "it was used for another request");
    assert_eq!(rotate("", &path).await.0, 400);
}
