//! Creating calls that are sent again.

use std::time::Duration;

use domain::{Role, SecretVersion};
use edge::{Reply, Request};
use serde_json::{Value, json};
use testkit::{Fault, TestKey, moment, now, parts, request};

use crate::setup::{Bearer, Setup, calls, reply_in_the_end, reply_of};

/// An answer, and whether it says that it was given before.
type Answer = (u16, Value, bool);

/// A call with a name to repeat it by.
fn call(name: &str, bearer: &str, path: &str, body: &str) -> Request {
    let headers = [("authorization", bearer), ("content-type", "application/json"), ("idempotency-key", name)];
    request("POST", path, &headers, body)
}

fn answer(reply: Reply) -> Answer {
    let replayed = reply.headers().get("idempotency-replayed").is_some_and(|value| value == "true");
    let (status, body) = parts(reply);
    (status, body, replayed)
}

impl Setup {
    async fn named(&self, name: &str, by: &impl Bearer, path: &str, body: &str, seconds: f64) -> Answer {
        answer(reply_of(self.app.clone(), call(name, &by.bearer(), path, body), moment(seconds)).await)
    }

    /// The answers to twenty of one name at once: each is a 201, and the secret is in one of them. Where a call of the store
    /// has timed out and was repeated, nobody may have got the secret.
    async fn twenty(&self, name: &str, by: &impl Bearer, path: &str, body: &str) -> Vec<Value> {
        let mut running = Vec::new();
        for _ in 0..20 {
            let [bearer, name, path, body] = [&by.bearer(), name, path, body].map(str::to_owned);
            let call = move || call(&name, &bearer, &path, &body);
            running.push(tokio::spawn(reply_in_the_end(self.app.clone(), call, moment(0.0))));
        }
        let (mut answers, mut secrets, mut repeated) = (Vec::new(), 0, false);
        for one in running {
            let (reply, was_repeated) = one.await.unwrap();
            let (status, body, replayed) = answer(reply);
            assert_eq!(status, 201, "{body}");
            assert_eq!(body["raw_key"].is_null(), replayed);
            secrets += usize::from(!replayed);
            repeated |= was_repeated;
            answers.push(body);
        }
        assert!(secrets == 1 || (secrets == 0 && repeated), "{secrets}");
        answers
    }

    async fn count(&self, admin: &TestKey) -> usize {
        let (_, list) = self.call(admin, "GET", &self.path("?limit=100"), None).await;
        list["data"].as_array().unwrap().len()
    }
}

const BODY: &str = r#"{"name":"production","metadata":{"a":1}}"#;

#[tokio::test]
async fn the_same_call_gets_the_same_answer_without_the_secret() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let path = setup.path("");
    let (status, first, replayed) = setup.named("a b-1", &admin, &path, BODY, 0.0).await;
    assert_eq!((status, replayed), (201, false), "{first}");
    let (status, second, replayed) = setup.named("a b-1", &admin, &path, BODY, 3600.0).await;
    assert_eq!((status, replayed), (201, true));
    assert_eq!((&second["raw_key"], &second["record"]), (&json!(null), &first["record"]));
    assert_eq!(setup.count(&admin).await, 2, "one was made");

    let (status, body, _) = setup.named("a b-1", &admin, &path, r#"{"name":"other"}"#, 0.0).await;
    assert_eq!((status, &body["message"]), (409, &json!("This `Idempotency-Key` was used for another request")));
    let (_, other, replayed) = setup.named("a b-2", &admin, &path, BODY, 0.0).await;
    assert!(!replayed && other["record"]["id"] != first["record"]["id"]);
    let (_, next_day, replayed) = setup.named("a b-1", &admin, &path, BODY, 86_400.0).await;
    assert!(!replayed && next_day["raw_key"].is_string(), "{next_day}");
}

#[tokio::test]
async fn names_are_a_clients_own_and_of_the_form() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    setup.named("same", &admin, &setup.path(""), BODY, 0.0).await;
    let other = setup.test.client().await;
    let theirs = TestKey::new(&other, "admin").stored(&setup.test.store).await;
    let path = format!("/api/v1/clients/{}/api_keys", other.id);
    let (status, body, replayed) = setup.named("same", &theirs, &path, BODY, 0.0).await;
    assert_eq!((status, replayed), (201, false), "{body}");
    for bad in ["", &"x".repeat(129), "tab\tbed"] {
        assert_eq!(setup.named(bad, &admin, &setup.path(""), BODY, 0.0).await.0, 400, "{bad:?}");
    }
    assert_eq!(setup.named(&"x".repeat(128), &admin, &setup.path(""), BODY, 0.0).await.0, 201);
}

#[tokio::test]
async fn an_answer_is_given_again_only_to_whoever_may_ask() {
    let setup = Setup::new().await;
    let (admin, reader) = (setup.key("admin").await, setup.key("keys:manage").await);
    let wide = r#"{"name":"x","scopes":["admin"]}"#;
    assert_eq!(setup.named("n", &admin, &setup.path(""), wide, 0.0).await.0, 201);
    assert_eq!(setup.named("n", &reader, &setup.path(""), wide, 0.0).await.0, 403, "it could not make that key");
    assert_eq!(setup.named("n", &setup.key("read").await, &setup.path(""), wide, 0.0).await.0, 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_at_once_one_makes_the_key() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let events = setup.events().await.len();
    let answers = setup.twenty("n", &admin, &setup.path(""), BODY).await;
    let mut ids: Vec<_> = answers.iter().map(|body| body["record"]["id"].as_str().unwrap()).collect();
    ids.dedup();
    assert_eq!((ids.len(), setup.count(&admin).await), (1, 2));
    assert_eq!(setup.events().await.len(), events + 1);
}

#[tokio::test]
async fn what_was_made_and_not_answered_is_found_by_its_repetition() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    setup.call(&admin, "GET", &setup.path(""), None).await;
    setup.test.faults.always("TransactWriteItems", Fault::LostAnswer);
    let (status, _, _) = setup.named("n", &admin, &setup.path(""), BODY, 0.0).await;
    assert_eq!(status, 503, "nobody knows");
    setup.test.faults.heal();
    assert_eq!(setup.count(&admin).await, 2, "but it is made");
    let (status, body, replayed) = setup.named("n", &admin, &setup.path(""), BODY, 0.0).await;
    assert_eq!((status, replayed, &body["raw_key"]), (201, true, &json!(null)), "{body}");
    assert_eq!(setup.count(&admin).await, 2);

    setup.test.faults.always("TransactWriteItems", Fault::Throttle);
    assert_eq!(setup.named("m", &admin, &setup.path(""), BODY, 0.0).await.0, 503);
    setup.test.faults.heal();
    let (status, body, replayed) = setup.named("m", &admin, &setup.path(""), BODY, 0.0).await;
    assert_eq!((status, replayed), (201, false), "nothing was made, so it is made now");
    assert!(body["raw_key"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_rotations_of_one_name_at_once_one_is_made() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let path = format!("{}/rotate", setup.path_of(&key));
    let events = setup.events().await.len();
    setup.twenty("r", &admin, &path, "{}").await;
    assert_eq!(setup.events().await.len(), events + 1);
    let stored = setup.test.store.key_by_id(&key.record.id).await.unwrap().unwrap();
    assert_eq!(stored.secret_version, SecretVersion(2));
    assert_eq!(setup.named("r", &admin, &path, r#"{"overlap_seconds":0}"#, 0.0).await.0, 409, "another call");
    let elsewhere = setup.path(&format!("/{}/rotate", setup.key("read").await.record.id));
    assert_eq!(setup.named("r", &admin, &elsewhere, "{}", 0.0).await.0, 409, "another key");
}

#[tokio::test]
async fn a_rotation_whose_answer_was_lost_is_found_by_its_repetition() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let path = format!("{}/rotate", setup.path_of(&key));
    setup.test.faults.always("TransactWriteItems", Fault::LostAnswer);
    assert_eq!(setup.named("r", &admin, &path, "{}", 0.0).await.0, 503);
    setup.test.faults.heal();
    let (status, first, replayed) = setup.named("r", &admin, &path, "{}", 0.0).await;
    assert_eq!((status, replayed, &first["raw_key"]), (201, true, &json!(null)), "{first}");
    assert_eq!(first["record"]["fingerprint"], json!(setup.record(&key).await.hash.fingerprint()));

    // What has happened since changes no answer that was given.
    assert_eq!(setup.revoke(&admin, &key).await.0, 204);
    assert_eq!(setup.named("r", &admin, &path, "{}", 60.0).await, (201, first, true));
    assert_eq!(setup.named("s", &admin, &path, "{}", 60.0).await.0, 409, "a new call finds it so");
    assert_eq!(setup.record(&key).await.secret_version, SecretVersion(2));
}

#[tokio::test]
async fn an_answer_outlives_what_it_was_asked_for() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let body = json!({"name": "x", "expires_at": now().plus(600)}).to_string();
    let (_, first, _) = setup.named("n", &admin, &setup.path(""), &body, 0.0).await;
    let (status, again, replayed) = setup.named("n", &admin, &setup.path(""), &body, 601.0).await;
    assert_eq!((status, replayed, &again["record"]), (201, true, &first["record"]), "though it is over by now");
    assert_eq!(setup.named("m", &admin, &setup.path(""), &body, 601.0).await.0, 400);
}

#[tokio::test]
async fn nobody_is_answered_what_another_user_was() {
    let setup = Setup::new().await;
    let (one, two) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let body = r#"{"name":"laptop","type":"personal"}"#;
    let (status, first, _) = setup.named("n", &setup.login(&one).await, &setup.path(""), body, 0.0).await;
    assert_eq!(status, 201, "{first}");
    let (status, other, _) = setup.named("n", &setup.login(&two).await, &setup.path(""), body, 0.0).await;
    assert_eq!((status, &other["record"]), (409, &json!(null)), "{other}");
    assert_eq!(setup.named("n", &setup.login(&one).await, &setup.path(""), body, 0.0).await.0, 201);
    let (status, other, replayed) = setup.named("m", &setup.login(&two).await, &setup.path(""), body, 0.0).await;
    assert_eq!((status, replayed, &other["record"]["owner_user_id"]), (201, false, &json!(two.id)));
}

#[tokio::test]
async fn whoever_may_ask_no_longer_is_answered_no_longer() {
    let setup = Setup::new().await;
    let (admin, manager, key) =
        (setup.key("admin").await, setup.key("keys:manage read").await, setup.key("read").await);
    let rotation = format!("{}/rotate", setup.path_of(&key));
    let (body, bodies) = (r#"{"name":"x","scopes":["read"]}"#, [(setup.path(""), "c"), (rotation, "r")]);
    let body_of = |name: &str| if name == "c" { body } else { "{}" };
    for (path, name) in &bodies {
        assert_eq!(setup.named(name, &manager, path, body_of(name), 0.0).await.0, 201);
    }
    assert_eq!(setup.patch(&admin, &manager, json!({"scopes": ["keys:manage"]})).await.0, 200);
    for (path, name) in &bodies {
        assert_eq!(setup.named(name, &manager, path, body_of(name), 5.0).await.0, 403, "{path}");
        assert!(setup.named(name, &admin, path, body_of(name), 5.0).await.2, "{path}: names are the client's");
    }
}

/// The answer of the second read of three is as old as one of a store that shows the record first.
#[tokio::test]
async fn an_answer_that_is_seen_later_than_what_it_tells_of_is_found_all_the_same() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    setup.warm(&admin, &key).await;
    let path = format!("{}/rotate", setup.path_of(&key));
    let (_, first, _) = setup.named("r", &admin, &path, "{}", 0.0).await;
    setup.test.faults.once("GetItem", Fault::Slow(Duration::ZERO));
    setup.test.faults.once("GetItem", Fault::Stale);
    setup.test.faults.reset_counts();
    let (status, body, replayed) = setup.named("r", &admin, &path, "{}", 0.0).await;
    assert_eq!((status, replayed, &body["record"]), (201, true, &first["record"]), "{body}");
    assert_eq!(calls(&setup), "GetItem 5, Query 1", "record, no answer, last use; record, answer");
}
