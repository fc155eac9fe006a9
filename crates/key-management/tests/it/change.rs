//! PATCH and rotate: what changes, for whom, and what becomes of the old.

use domain::{Environment, KeyRecord, KeyRefusal, PlainKey, SecretVersion};
use serde_json::json;
use testkit::{TestKey, moment, now};

use crate::setup::Setup;

#[tokio::test]
async fn what_is_given_changes_and_nothing_else() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let key = setup.key("read write").await;
    let end = now().plus(600);
    let before = setup.test.store.feed_head().await.unwrap();
    for (body, expected) in [
        (json!({"name": " renamed "}), ("renamed", "read write", None)),
        (json!({"scopes": ["read"]}), ("renamed", "read", None)),
        (json!({"expires_at": end}), ("renamed", "read", Some(end))),
        (json!({}), ("renamed", "read", Some(end))),
        (json!({"expires_at": null}), ("renamed", "read", None)),
    ] {
        let (status, answer) = setup.patch(&admin, &key, body.clone()).await;
        assert_eq!(status, 200, "{body}: {answer}");
        let stored = setup.record(&key).await;
        assert_eq!((stored.name.as_str(), &*stored.scopes.to_string(), stored.expires_at), expected, "{body}");
        assert_eq!((&answer["name"], &answer["expires_at"]), (&json!(expected.0), &json!(expected.2)));
        assert_eq!(stored.hash, key.record.hash);
    }
    let told = setup.test.store.feed_head().await.unwrap().0 - before.0;
    assert_eq!(told, 4, "each change is told, no change is not");
}

#[tokio::test]
async fn a_narrowed_manager_manages_no_longer_within_five_seconds() {
    let setup = Setup::new().await;
    let (admin, manager) = (setup.key("admin").await, setup.key("keys:manage read").await);
    assert_eq!(setup.call(&manager, "GET", &setup.path(""), None).await.0, 200);
    assert_eq!(setup.patch(&admin, &manager, json!({"scopes": ["read"]})).await.0, 200);
    let bearer = format!("Bearer {}", manager.plain.expose());
    let later = testkit::request("GET", &setup.path(""), &[("authorization", &bearer)], "");
    assert_eq!(setup.answer(later, moment(4.0)).await.0, 403);
}

#[tokio::test]
async fn changes_that_are_not_of_the_form_change_nothing() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let key = setup.key("read").await;
    for body in [
        json!({"name": ""}),
        json!({"name": null, "x": 1}),
        json!({"scopes": []}),
        json!({"scopes": ["no:such"]}),
        json!({"expires_at": now()}),
        json!({"expires_at": "soon"}),
        json!({"environment": "test"}),
        json!({"revoked": true}),
        json!({"client_id": "cl_0123456789abcdef"}),
        json!([]),
    ] {
        assert_eq!(setup.patch(&admin, &key, body.clone()).await.0, 400, "{body}");
    }
    for body in
        [json!({"overlap_seconds": -1}), json!({"overlap_seconds": 2_592_001}), json!({"overlap": 1}), json!([])]
    {
        assert_eq!(setup.rotate(&admin, &key, Some(body.clone())).await.0, 400, "{body}");
    }
    assert_eq!(setup.record(&key).await, key.record);
}

#[tokio::test]
async fn nobody_changes_beyond_what_they_hold() {
    let setup = Setup::new().await;
    let manager = setup.key("keys:manage read").await;
    let (narrow, wide) = (setup.key("read").await, setup.key("admin").await);
    assert_eq!(setup.patch(&manager, &narrow, json!({"scopes": ["read", "write"]})).await.0, 403);
    assert_eq!(
        setup.patch(&manager, &wide, json!({"scopes": ["admin"]})).await.0,
        200,
        "it has them: nothing is given"
    );
    let ending = setup.other_key("admin", |record| record.expires_at = Some(now().plus(600))).await;
    assert_eq!(setup.patch(&manager, &ending, json!({"expires_at": null})).await.0, 403);
    assert_eq!(setup.patch(&manager, &ending, json!({"expires_at": now().plus(601)})).await.0, 403);
    assert_eq!(setup.patch(&manager, &ending, json!({"expires_at": now().plus(599)})).await.0, 200, "sooner");
    assert_eq!(setup.rotate(&manager, &wide, None).await.0, 403, "a new secret of a wider key is a wider key");
    assert_eq!(setup.patch(&manager, &wide, json!({"scopes": ["read"]})).await.0, 200, "narrowing takes nothing");
    assert_eq!(setup.patch(&manager, &manager, json!({"name": "x"})).await.0, 403, "its own record");
    assert_eq!(setup.rotate(&manager, &manager, None).await.0, 403);

    let brief = setup.other_key("admin", |record| record.expires_at = Some(now().plus(60))).await;
    assert_eq!(setup.rotate(&brief, &narrow, None).await.0, 403, "it would outlive the caller");
    let wider = json!({"scopes": ["read", "write"]});
    assert_eq!(setup.patch(&brief, &narrow, wider).await.0, 403, "so would the scopes");
    assert_eq!(setup.patch(&manager, &wide, json!({"expires_at": now().plus(900)})).await.0, 200, "an end is no gift");
    assert_eq!(setup.patch(&brief, &narrow, json!({"expires_at": now().plus(60)})).await.0, 200);
    assert_eq!(setup.patch(&brief, &narrow, json!({"expires_at": now().plus(61)})).await.0, 403);
    assert_eq!(setup.patch(&brief, &narrow, json!({"expires_at": null})).await.0, 403);
    assert_eq!(setup.rotate(&brief, &narrow, None).await.0, 201);

    let tester = setup.other_key("admin", |record| record.environment = Environment::Test).await;
    assert_eq!(setup.patch(&tester, &narrow, json!({"name": "x"})).await.0, 403);
    assert_eq!(setup.rotate(&tester, &narrow, None).await.0, 403);

    let other = setup.test.client().await;
    let theirs = TestKey::new(&other, "read").stored(&setup.test.store).await;
    let admin = setup.key("admin").await;
    assert_eq!(setup.patch(&admin, &theirs, json!({"name": "x"})).await.0, 404);
    assert_eq!(setup.rotate(&admin, &theirs, None).await.0, 404);
}

#[tokio::test]
async fn a_rotation_gives_a_new_string_of_the_same_key_and_leaves_the_old_one_a_while() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let key = setup.key("read").await;
    let (status, body) = setup.rotate(&admin, &key, Some(json!({"overlap_seconds": 60}))).await;
    assert_eq!(status, 201, "{body}");
    let new = PlainKey::parse(body["raw_key"].as_str().unwrap()).unwrap();
    assert_eq!((new.id(), new.prefix()), (key.record.id.clone(), "sk_live_"));
    assert_ne!(new.expose(), key.plain.expose());
    let end = now().plus(60);
    assert_eq!(body["record"]["previous_secret_expires_at"], json!(end));
    assert_eq!(body["record"]["fingerprint"], json!(new.hash().fingerprint()));
    let stored = setup.record(&key).await;
    let version = |plain, at| KeyRecord::check(Some(&stored), plain, at).map(|proved| proved.version);
    assert_eq!(version(&new, now()), Ok(SecretVersion(2)));
    assert_eq!(version(&key.plain, end.plus(-1)), Ok(SecretVersion(1)));
    assert_eq!(version(&key.plain, end), Err(KeyRefusal::SecretReplaced));

    let (status, _) = setup.rotate(&admin, &key, None).await;
    assert_eq!(status, 409, "a repeated rotation must not end the secret that is in use");
    let other = setup.key("read").await;
    let (_, left_out) = setup.rotate(&admin, &other, None).await;
    let a_day = json!(now().plus(86_400));
    assert_eq!(left_out["record"]["previous_secret_expires_at"], a_day, "where nothing is said");
    let (_, at_once) = setup.rotate(&admin, &key, Some(json!({"overlap_seconds": 0}))).await;
    assert_eq!(at_once["record"]["previous_secret_expires_at"], json!(null));
    let stored = setup.record(&key).await;
    assert_eq!(KeyRecord::check(Some(&stored), &new, now()).map(|_| ()), Err(KeyRefusal::WrongSecret));
}

#[tokio::test]
async fn a_key_that_has_ended_stays_as_it_is() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let key = setup.key("read").await;
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &testkit::act()).await.unwrap();
    let revoked = setup.record(&key).await;
    assert_eq!(setup.patch(&admin, &key, json!({"name": "x"})).await.0, 409);
    assert_eq!(setup.rotate(&admin, &key, None).await.0, 409);
    assert_eq!(setup.record(&key).await, revoked);
    let expired = setup.other_key("read", |record| record.expires_at = Some(now())).await;
    assert_eq!(setup.patch(&admin, &expired, json!({"expires_at": null})).await.0, 409);
    assert_eq!(setup.rotate(&admin, &expired, None).await.0, 409);
}
