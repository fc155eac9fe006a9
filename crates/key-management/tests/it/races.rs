//! What happens at once. Nothing in a process puts calls in order, so one is as good as many.

use domain::{KeyRecord, PlainKey, SecretVersion};
use serde_json::{Value, json};
use testkit::{now, parts, request};

use crate::setup::{Bearer, Setup, reply_in_the_end, reply_of};

/// Sends the same call so many times at once.
async fn at_once(
    setup: &Setup,
    times: usize,
    by: &impl Bearer,
    method: &str,
    path: &str,
    body: &Value,
) -> Vec<(u16, Value)> {
    let (bearer, body) = (by.bearer(), if body.is_null() { String::new() } else { body.to_string() });
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let mut running = Vec::new();
    for _ in 0..times {
        let request = request(method, path, &headers, body.clone());
        running.push(tokio::spawn(reply_of(setup.app.clone(), request, setup.moment())));
    }
    let mut answers = Vec::new();
    for one in running {
        answers.push(parts(one.await.unwrap()));
    }
    answers
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_hundred_creations_in_one_client_all_succeed_in_one_chain() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let (events, keys) = (setup.events().await.len(), setup.count_keys().await);
    let mut running = Vec::new();
    for number in 0..100 {
        let (path, bearer) = (setup.path(""), admin.bearer());
        let call = move || {
            let name = number.to_string();
            let headers =
                [("authorization", bearer.as_str()), ("content-type", "application/json"), ("idempotency-key", &name)];
            request("POST", &path, &headers, r#"{"name":"x"}"#)
        };
        running.push(tokio::spawn(reply_in_the_end(setup.app.clone(), call, setup.moment())));
    }
    for one in running {
        assert_eq!(one.await.unwrap().0.status().as_u16(), 201);
    }
    assert_eq!((setup.events().await.len(), setup.count_keys().await), (events + 100, keys + 100));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_revocations_at_once_one_is_an_event() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let (events, told) = (setup.events().await.len(), setup.test.store.feed_head().await.unwrap());
    let mut running = Vec::new();
    for _ in 0..20 {
        let (path, bearer) = (setup.path_of(&key), admin.bearer());
        let call = move || request("DELETE", &path, &[("authorization", &bearer)], "");
        running.push(tokio::spawn(reply_in_the_end(setup.app.clone(), call, setup.moment())));
    }
    for one in running {
        assert_eq!(one.await.unwrap().0.status().as_u16(), 204);
    }
    let events = setup.events().await.split_off(events);
    assert_eq!(events.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["key.revoked"]);
    assert_eq!(setup.test.store.feed_head().await.unwrap().0, told.0 + 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rotations_at_once_one_is_made() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let path = format!("{}/rotate", setup.path_of(&key));
    let answers = at_once(&setup, 4, &admin, "POST", &path, &Value::Null).await;
    let new: Vec<_> = answers.iter().filter(|(status, _)| *status == 201).collect();
    assert!(answers.iter().all(|(status, _)| [201, 409].contains(status)), "{answers:?}");
    let stored = setup.record(&key).await;
    assert_eq!((new.len(), stored.secret_version, stored.revision), (1, SecretVersion(2), 1));
    for plain in [&PlainKey::parse(new[0].1["raw_key"].as_str().unwrap()).unwrap(), &key.plain] {
        assert!(KeyRecord::check(Some(&stored), plain, now()).is_ok(), "what is in use goes on");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_of_one_record_at_once_are_all_in_it() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let events = setup.events().await.len();
    let path = setup.path_of(&key);
    let (metadata, scopes) = (json!({"metadata": {"a": 1}}), json!({"scopes": ["read", "write"]}));
    let (one, two) = tokio::join!(
        at_once(&setup, 1, &admin, "PATCH", &path, &metadata),
        at_once(&setup, 1, &admin, "PATCH", &path, &scopes),
    );
    assert_eq!((one[0].0, two[0].0), (200, 200));
    let stored = setup.record(&key).await;
    assert_eq!((stored.metadata.to_json().as_str(), stored.scopes.to_string().as_str()), (r#"{"a":1}"#, "read write"));
    assert_eq!(setup.events().await.len(), events + 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_and_a_revocation_at_once_leave_a_revoked_key() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let path = setup.path_of(&key);
    let wider = json!({"scopes": ["read", "write"]});
    let (changed, revoked) = tokio::join!(
        at_once(&setup, 3, &admin, "PATCH", &path, &wider),
        at_once(&setup, 1, &admin, "DELETE", &path, &Value::Null),
    );
    assert_eq!(revoked[0].0, 204);
    assert!(changed.iter().all(|(status, _)| [200, 409].contains(status)), "{changed:?}");
    assert!(setup.record(&key).await.revoked_at.is_some());
    setup.events().await;
}

#[tokio::test]
async fn whoever_was_revoked_a_moment_ago_makes_nothing_that_outlives_it() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let token = setup.token(&admin);
    setup.warm(&admin, &key).await;
    setup.test.store.key_revoke(&setup.client.id, &admin.record.id, &testkit::act()).await.unwrap();
    let before = setup.count_keys().await;
    for by in [admin.plain.expose(), &token] {
        let (status, _) = setup.call(&by.to_owned(), "POST", &setup.path(""), Some(json!({"name": "x"}))).await;
        assert_eq!(status, 401);
    }
    assert_eq!(setup.count_keys().await, before);
}
