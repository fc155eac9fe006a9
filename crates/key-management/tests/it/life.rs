use domain::{KeyRecord, PlainKey, Sequence};
use key_management::handle;
use serde_json::{Value, json};
use signing::Algorithm;
use testkit::{Fault, event, moment, now, published_signer, request, request_of};

use crate::setup::Setup;

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
        "scopes": ["read", "insights:*"], "expires_at": now().plus(60),
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
    assert_eq!(setup.test.store.feed_head().await.unwrap(), Sequence(3), "the second revocation changes nothing");
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
async fn creating_is_one_write_and_listing_one_query() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    setup.call(&admin, "GET", &setup.path(""), None).await;
    setup.test.faults.reset_counts();
    setup.create(&admin, json!({"name": "x"})).await;
    let counts = setup.test.faults.counts();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("GetItem".to_owned(), 2), ("PutItem".to_owned(), 1)]);
    setup.test.faults.reset_counts();
    setup.call(&admin, "GET", &setup.path(""), None).await;
    assert_eq!(setup.test.faults.counts().into_iter().collect::<Vec<_>>(), [("Query".to_owned(), 1)]);
}

#[tokio::test]
async fn a_keys_token_manages_as_the_key_does() {
    let setup = Setup::new().await;
    let signer = published_signer(&setup.test.store, Algorithm::Es256).await;
    let admin = setup.key("keys:manage").await;
    let access = domain::Access::built_in().unwrap();
    let grant = domain::grant(Some(&admin.record), &admin.plain, None, 900, &access, now()).unwrap();
    let token = format!("Bearer {}", signer.sign(&grant.claims(testkit::ISSUER)).unwrap());
    let call = request("GET", &setup.path(""), &[("authorization", &token)], "");
    assert_eq!(setup.answer(call, moment(0.0)).await.0, 200);
}

#[tokio::test]
async fn a_store_that_is_away_is_503() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    setup.call(&admin, "GET", &setup.path(""), None).await;
    for (operation, method, body) in [
        ("PutItem", "POST", Some(json!({"name": "x"}))),
        ("GetItem", "POST", Some(json!({"name": "x"}))),
        ("Query", "GET", None),
    ] {
        setup.test.faults.always(operation, Fault::InternalError);
        assert_eq!(setup.call(&admin, method, &setup.path(""), body).await.0, 503, "{operation}");
        setup.test.faults.heal();
    }
    setup.test.faults.always("*", Fault::Throttle);
    let stranger = setup.call(&testkit::TestKey::new(&setup.client, "admin"), "GET", &setup.path(""), None).await;
    assert_eq!(stranger.0, 503, "nobody knows whether the key counts");
    let reply = handle(setup.app.clone(), request("GET", &setup.path(""), &[], ""), moment(0.0)).await;
    assert_eq!(reply.unwrap_err().into_reply(testkit::ISSUER).status().as_u16(), 401, "no credential, no read");
}
