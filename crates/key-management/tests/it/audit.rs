//! What changes of keys leave in the audit log.

use domain::{Outcome, Role};
use serde_json::{Value, json};
use testkit::{Fault, now};

use crate::setup::Setup;

#[tokio::test]
async fn every_change_is_one_event_without_a_secret() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let before = setup.events().await.len();
    let made = setup.made(&admin, json!({"name": "one"})).await;
    let one = setup.path(&format!("/{}", made["record"]["id"].as_str().unwrap()));
    let (_, rotated) = setup.call(&admin, "POST", &format!("{one}/rotate"), None).await;
    let body = json!({
        "name": "two", "scopes": ["write"], "expires_at": now().plus(600), "metadata": {"a": "b"},
        "allowed_ips": ["192.0.2.1"],
    });
    assert_eq!(setup.call(&admin, "PATCH", &one, Some(body.clone())).await.0, 200);
    assert_eq!(setup.call(&admin, "PATCH", &one, Some(body)).await.0, 200, "which changes nothing");
    let body = json!({"name": "two", "expires_at": null, "allowed_ips": null});
    assert_eq!(setup.call(&admin, "PATCH", &one, Some(body)).await.0, 200);
    let (_, at_once) = setup.call(&admin, "POST", &format!("{one}/rotate"), Some(json!({"overlap_seconds": 0}))).await;
    for _ in 0..2 {
        assert_eq!(setup.call(&admin, "DELETE", &one, None).await.0, 204);
    }
    let fingerprint = |answer: &Value| answer["record"]["fingerprint"].clone();
    let expected = [
        (
            "key.created",
            json!({
                "name": "one", "type": "workspace", "environment": "live", "scopes": ["read"],
                "fingerprint": fingerprint(&made),
            }),
        ),
        (
            "key.rotated",
            json!({"fingerprint": fingerprint(&rotated), "previous_secret_expires_at": now().plus(86_400)}),
        ),
        (
            "key.updated",
            json!({
                "name": "two", "scopes": ["write"], "expires_at": now().plus(600), "metadata": "changed",
                "allowed_ips": ["192.0.2.1/32"],
            }),
        ),
        ("key.updated", json!({"expires_at": null, "allowed_ips": []})),
        ("key.rotated", json!({"fingerprint": fingerprint(&at_once), "previous_secret_expires_at": null})),
        ("key.revoked", json!({})),
    ];
    let events = setup.events().await.split_off(before);
    let seen: Vec<_> = events.iter().map(|event| (event.action.as_str(), json!(event.details))).collect();
    assert_eq!(seen, expected);
    for event in &events {
        assert_eq!((event.actor.kind.as_str(), &event.actor.id), ("key", &admin.record.id.to_string()));
        assert_eq!((event.object.kind.as_str(), json!(event.object.id)), ("key", made["record"]["id"].clone()));
    }
    let all = json!(setup.all_events().await).to_string();
    for secret in [&made["raw_key"], &rotated["raw_key"], &at_once["raw_key"], &json!(admin.plain.expose())] {
        assert!(!all.contains(&secret.as_str().unwrap()[24..]), "{all}");
    }
}

#[tokio::test]
async fn an_event_says_who_and_from_where() {
    let setup = Setup::new().await;
    let own = setup.personal_key(&setup.account.owner, "admin").await;
    let (login, key) = (setup.owner().await, own.plain.expose().to_owned());
    for (by, kind, id) in [
        (&login, "user", setup.account.owner.id.as_str()),
        (&key, "key", own.record.id.as_str()),
        (&setup.token(&own), "key", own.record.id.as_str()),
    ] {
        let (status, _) = setup.call_from("2001:db8::7", by, "POST", &setup.path(""), Some(json!({"name": "x"}))).await;
        assert_eq!(status, 201);
        let events = setup.events().await;
        let last = events.last().unwrap();
        assert_eq!((last.actor.kind.as_str(), last.actor.id.as_str(), last.at), (kind, id, now()));
        assert_eq!(last.address.as_deref(), Some("2001:db8::7"), "as the gateway has seen it");
    }
}

#[tokio::test]
async fn a_refused_change_is_noted_outside_of_the_chain() {
    let setup = Setup::new().await;
    let (manager, wide, reader) = (setup.key("keys:manage").await, setup.key("admin").await, setup.key("read").await);
    let member = setup.user(Role::Member).await;
    let personal = setup.personal_key(&member, "read").await;
    let by_key = |key: &testkit::TestKey| key.plain.expose().to_owned();
    let before = setup.events().await.len();
    let client = setup.client.id.as_str();
    let (all, of) = (setup.path(""), |key: &testkit::TestKey| setup.path_of(key));
    for (by, method, path, body, action, object) in [
        (by_key(&manager), "POST", all.clone(), Some(json!({"name": "x", "scopes": ["admin"]})), "key.created", client),
        (by_key(&reader), "POST", all.clone(), Some(json!({"name": "x"})), "key.created", client),
        (setup.login(&member).await, "POST", all, Some(json!({"name": "x"})), "key.created", client),
        (
            by_key(&manager),
            "PATCH",
            of(&manager),
            Some(json!({"name": "x"})),
            "key.updated",
            manager.record.id.as_str(),
        ),
        (by_key(&manager), "POST", format!("{}/rotate", of(&wide)), None, "key.rotated", wide.record.id.as_str()),
        (by_key(&manager), "DELETE", of(&manager), None, "key.revoked", manager.record.id.as_str()),
        (by_key(&wide), "PATCH", of(&personal), Some(json!({"name": "x"})), "key.updated", personal.record.id.as_str()),
    ] {
        let seen: Vec<_> = setup.refusals().await.into_iter().map(|event| event.id).collect();
        let (status, answer) = setup.call(&by, method, &path, body).await;
        assert_eq!(status, 403, "{method} {path}: {answer}");
        let mut noted = setup.refusals().await;
        noted.retain(|event| !seen.contains(&event.id));
        assert_eq!(noted.len(), 1, "{method} {path}");
        assert_eq!((noted[0].action.as_str(), noted[0].object.id.as_str()), (action, object));
        assert_eq!((noted[0].outcome, &noted[0].details["message"]), (Outcome::Refused, &answer["message"]));
    }
    let noted = setup.refusals().await.len();
    assert_eq!(setup.get(&manager, &wide).await.0, 200);
    assert_eq!(setup.get(&reader, &wide).await.0, 403, "reading changes nothing");
    assert_eq!(setup.revoke(&setup.login(&member).await, &wide).await.0, 404, "what one does not see is not there");
    assert_eq!(setup.create(&manager, json!({"name": ""})).await.0, 400, "a mistake is none");
    assert_eq!(
        (setup.refusals().await.len(), setup.events().await.len()),
        (noted, before),
        "the chain knows nothing of it"
    );

    setup.test.faults.always("PutItem", Fault::InternalError);
    assert_eq!(setup.revoke(&manager, &manager).await.0, 403, "refused, though it can't be noted");
}

#[tokio::test]
async fn what_can_not_be_written_to_the_chain_does_not_happen() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let (chain, next) = (format!("CHAIN#{}", setup.client.id), format!("{:020}", setup.events().await.len() + 1));
    let head = [("pk", chain.as_str()), ("sk", "HEAD")];
    let occupied = [("pk", chain.as_str()), ("sk", next.as_str())];
    // An event stands where the next one belongs; then the head is no head.
    for item in [occupied, head] {
        setup.test.put_raw("AuditTable", &item, &[]);
        let keys = setup.count_keys().await;
        assert_eq!(setup.create(&admin, json!({"name": "x"})).await.0, 503, "{item:?}");
        assert_eq!(setup.patch(&admin, &key, json!({"scopes": ["write"]})).await.0, 503);
        assert_eq!(setup.rotate(&admin, &key, None).await.0, 503);
        assert_eq!(setup.revoke(&admin, &key).await.0, 503);
        assert_eq!((setup.count_keys().await, setup.record(&key).await), (keys, key.record.clone()));
    }
}
