use domain::{KeyRecord, PlainKey};
use serde_json::{Value, json};
use testkit::{event, moment, now, request, request_of};

use crate::setup::{Bearer, Setup};

#[tokio::test]
async fn a_new_key_is_shown_once_and_kept_as_a_hash() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let (status, body) = setup.create(&admin, json!({"name": "  production "})).await;
    assert_eq!(status, 201, "{body}");
    let raw_key = body["raw_key"].as_str().unwrap().to_owned();
    let plain = PlainKey::parse(&raw_key).unwrap();
    let workspace = setup.test.store.workspace_by_id(&setup.client.id, &setup.client.default_workspace_id).await;
    let record = json!({
        "id": plain.id(), "client_id": setup.client.id, "name": "production", "fingerprint": plain.hash().fingerprint(),
        "revoked": false, "created_at": now(), "type": "workspace", "environment": "live", "prefix": "sk_live_",
        "scopes": ["read"], "owner_user_id": null, "workspace_id": setup.client.default_workspace_id,
        "billed_to": workspace.unwrap().unwrap().owner_user_id, "expires_at": null,
        "rotation_due_at": now().plus(90 * 86_400), "previous_secret_expires_at": null, "created_by": admin.record.id, "revoked_at": null,
        "last_used_at": null, "allowed_ips": [], "rate_limit": null, "quota": null, "metadata": {},
    });
    assert_eq!(body["record"], record);

    let one = setup.path(&format!("/{}", plain.id()));
    for path in [one.as_str(), &setup.path("")] {
        let (status, body) = setup.call(&admin, "GET", path, None).await;
        assert_eq!(status, 200);
        assert!(!body.to_string().contains(&raw_key[30..]), "{body}");
        let listed = body["data"].as_array().and_then(|all| all.iter().find(|one| one["id"] == record["id"]));
        assert_eq!(*listed.unwrap_or(&body), record);
    }
    let stored = setup.test.store.key_by_string(&plain).await.unwrap();
    assert!(KeyRecord::check(stored.as_ref(), &plain, now()).is_ok(), "it works at once");
}

#[tokio::test]
async fn every_member_of_the_form_reaches_the_record() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let form = json!({
        "name": "ci", "type": "workspace", "workspace_id": setup.client.default_workspace_id, "environment": "test",
        "scopes": ["read", "insights:*"], "expires_at": now().plus(60), "allowed_ips": ["192.0.2.0/24", "2001:db8::/32"],
        "metadata": {"team": "checkout", "deep": {"list": [1, null, true]}},
    });
    let (status, body) = setup.create(&admin, form.clone()).await;
    assert_eq!(status, 201, "{body}");
    assert!(body["raw_key"].as_str().unwrap().starts_with("sk_test_"));
    for (name, value) in form.as_object().unwrap() {
        assert_eq!(&body["record"][name], value, "{name}");
    }
}

#[tokio::test]
async fn the_sample_events_create_list_get_and_revoke() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let other = setup.key("read").await;
    let client = setup.client.id.as_str();
    let before = setup.test.store.feed_head().await.unwrap();
    let key = ("REPLACE_WITH_KEY", admin.plain.expose());
    for (name, expected) in [
        ("create", 201),
        ("list", 200),
        ("get", 200),
        ("update", 200),
        ("rotate", 201),
        ("revoke", 204),
        ("revoke", 204),
    ] {
        let id = ("REPLACE_WITH_KEY_ID", other.record.id.as_str());
        let all = [id, key, ("REPLACE_WITH_CLIENT_ID", client)];
        let values = if matches!(name, "get" | "update" | "rotate" | "revoke") { &all[..] } else { &all[1..] };
        let text = event(&format!("key-management-{name}"), values);
        let (status, body) = setup.answer(request_of(&text), moment(0.0)).await;
        assert_eq!(status, expected, "{name}: {body}");
    }
    let (_, body) = setup.call(&admin, "GET", &setup.path(&format!("/{}", other.record.id)), None).await;
    assert_eq!((&body["revoked"], &body["revoked_at"]), (&json!(true), &json!(now())));
    let told = setup.test.store.feed_head().await.unwrap().0 - before.0;
    assert_eq!(told, 3, "the second revocation changes nothing");
}

#[tokio::test]
async fn a_revoked_manager_is_refused_within_five_seconds() {
    let setup = Setup::new().await;
    let (one, two) = (setup.key("admin").await, setup.key("admin").await);
    assert_eq!(setup.call(&two, "GET", &setup.path(""), None).await.0, 200);
    assert_eq!(setup.call(&one, "DELETE", &setup.path(&format!("/{}", two.record.id)), None).await.0, 204);
    let bearer = format!("Bearer {}", two.plain.expose());
    let later = request("GET", &setup.path(""), &[("authorization", &bearer)], "");
    assert_eq!(setup.answer(later, moment(4.0)).await.0, 401);
}

#[tokio::test]
async fn a_list_pages_through_all_keys_with_cursors() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    for _ in 0..4 {
        setup.key("read").await;
    }
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let path = setup.path(&format!("?limit=2{cursor}"));
        let (status, body) = setup.call(&admin, "GET", &path, None).await;
        assert_eq!(status, 200, "{body}");
        found.extend(body["data"].as_array().unwrap().iter().map(|record| record["id"].to_string()));
        match &body["next_cursor"] {
            Value::String(next) => cursor = format!("&cursor={next}"),
            _ => break,
        }
    }
    found.sort();
    found.dedup();
    assert_eq!(found.len(), 5);
}

#[tokio::test]
async fn a_keys_token_manages_as_the_key_does() {
    let setup = Setup::new().await;
    let admin = setup.key("keys:manage").await;
    let token = setup.token(&admin).bearer();
    let call = request("GET", &setup.path(""), &[("authorization", &token)], "");
    assert_eq!(setup.answer(call, moment(0.0)).await.0, 200);
}

#[tokio::test]
async fn metadata_are_an_object_of_16_kb_without_keys_in_it() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let key = setup.key("read").await;
    let shown =
        async |metadata: Value| setup.patch(&admin, &key, json!({"metadata": metadata})).await.1["metadata"].clone();
    assert_eq!(
        shown(json!({"a": 1, "deep": {"list": [null, true, 0.5]}})).await["deep"]["list"],
        json!([null, true, 0.5])
    );
    assert_eq!(shown(json!({"b": "c"})).await, json!({"b": "c"}), "replaced, not merged");
    let fits = json!({"a": "x".repeat(16 * 1024 - r#"{"a":""}"#.len())});
    assert_eq!(shown(fits.clone()).await, fits);
    let long = json!({"a": "x".repeat(16 * 1024 - r#"{"a":""}"#.len() + 1)});
    let with_a_key = [json!({"note": admin.plain.expose()}), json!({(admin.plain.expose()): 1})];
    for bad in [json!([]), json!("x"), json!(1), long].iter().chain(&with_a_key) {
        for (status, answer) in [
            setup.patch(&admin, &key, json!({"metadata": bad})).await,
            setup.create(&admin, json!({"name": "x", "metadata": bad})).await,
        ] {
            assert_eq!(status, 400, "{answer}");
            assert!(!answer.to_string().contains(admin.plain.expose()));
        }
    }
    assert_eq!(setup.patch(&admin, &key, json!({"name": "x"})).await.1["metadata"], fits, "what is left out stays");
    assert_eq!(shown(json!({})).await, json!({}));
    shown(fits).await;
    assert_eq!(shown(json!(null)).await, json!({}));
}

#[tokio::test]
async fn what_comes_later_is_no_member_yet() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    for (name, value) in
        [("rate_limit", json!({"limit": 1, "window_seconds": 60})), ("quota", json!({"limit": 1, "period": "day"}))]
    {
        for value in [value, json!(null)] {
            assert_eq!(setup.patch(&admin, &key, json!({name: value})).await.0, 400, "{name}");
            assert_eq!(setup.create(&admin, json!({"name": "x", name: value})).await.0, 400, "{name}");
        }
    }
}
