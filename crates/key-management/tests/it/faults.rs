//! A store that throttles, hangs, loses answers, cancels, or holds what can't be read: nothing lost, nothing doubled, the
//! right status.

use std::time::Duration;

use key_management::handle;
use serde_json::{Value, json};
use testkit::{Fault, ISSUER, TestKey, moment, request};

use crate::setup::Setup;

/// A change of each kind, ready to be made, and none of which needs another; with the status of a second time.
async fn changes(setup: &Setup) -> Vec<(&'static str, String, Option<Value>, u16)> {
    let (one, two, three) = (setup.key("read").await, setup.key("read").await, setup.key("read").await);
    vec![
        ("POST", setup.path(""), Some(json!({"name": "x"})), 201),
        ("PATCH", setup.path_of(&one), Some(json!({"name": "y"})), 200),
        ("POST", format!("{}/rotate", setup.path_of(&two)), None, 409),
        ("DELETE", setup.path_of(&three), None, 204),
    ]
}

/// All that a client's keys are.
async fn records(setup: &Setup, admin: &TestKey) -> Value {
    setup.call(admin, "GET", &setup.path(""), None).await.1
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_changes_nothing() {
    for operation in ["TransactWriteItems", "GetItem"] {
        for fault in [Fault::Throttle, Fault::InternalError] {
            let setup = Setup::new().await;
            let admin = setup.key("admin").await;
            let changes = changes(&setup).await;
            let (before, events) = (records(&setup, &admin).await, setup.events().await.len());
            for (method, path, body, _) in &changes {
                setup.test.faults.always(operation, fault);
                let (status, answer) = setup.call(&admin, method, path, body.clone()).await;
                assert_eq!(status, 503, "{operation} {fault:?}: {method} {path}: {answer}");
                setup.test.faults.heal();
            }
            assert_eq!((records(&setup, &admin).await, setup.events().await.len()), (before, events));
            for (method, path, body, _) in changes {
                let (status, answer) = setup.call(&admin, method, &path, body).await;
                assert!((200..300).contains(&status), "{method} {path}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_store_recovers_from_is_made_once() {
    for fault in [Fault::Throttle, Fault::LostAnswer, Fault::TransactionConflict, Fault::InternalError] {
        let setup = Setup::new().await;
        let admin = setup.key("admin").await;
        for (method, path, body, _) in changes(&setup).await {
            let (events, keys) = (setup.events().await.len(), setup.count_keys().await);
            setup.test.faults.once("TransactWriteItems", fault);
            let (status, answer) = setup.call(&admin, method, &path, body).await;
            assert!((200..300).contains(&status), "{fault:?}: {method} {path}: {answer}");
            assert_eq!(setup.events().await.len(), events + 1, "{fault:?}: {method} {path}");
            assert_eq!(setup.count_keys().await, keys + usize::from(path == setup.path("")));
        }
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_for_good_is_made_once_and_may_be_asked_for_again() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    for (method, path, body, again) in changes(&setup).await {
        let events = setup.events().await.len();
        setup.test.faults.always("TransactWriteItems", Fault::LostAnswer);
        let (status, answer) = setup.call(&admin, method, &path, body.clone()).await;
        assert_eq!(status, 503, "{method} {path}: {answer}");
        setup.test.faults.heal();
        assert_eq!(setup.events().await.len(), events + 1, "{method} {path}: it is made");
        let (status, answer) = setup.call(&admin, method, &path, body).await;
        assert_eq!(status, again, "{method} {path}: {answer}");
        // A creation without a name to repeat it by is another creation.
        let more = usize::from(path == setup.path(""));
        assert_eq!(setup.events().await.len(), events + 1 + more, "{method} {path}");
    }
}

#[tokio::test]
async fn a_time_out_before_the_commit_makes_nothing_and_one_after_it_makes_it_once() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    records(&setup, &admin).await;
    let create = async |name: &str| {
        let more = [("idempotency-key", name)];
        setup.call_with(&admin, &more, "POST", &setup.path(""), Some(json!({"name": "x"}))).await
    };
    for (fault, made) in [(Fault::Hang, 0), (Fault::Slow(Duration::from_millis(1500)), 1)] {
        let (events, keys, name) = (setup.events().await.len(), setup.count_keys().await, format!("{made}"));
        setup.test.faults.always("TransactWriteItems", fault);
        let (status, answer) = create(&name).await;
        assert_eq!(status, 503, "{fault:?}: {answer}");
        setup.test.faults.heal();
        assert_eq!((setup.events().await.len(), setup.count_keys().await), (events + made, keys + made), "{fault:?}");
        let (status, answer) = create(&name).await;
        assert_eq!((status, answer["raw_key"].is_string()), (201, made == 0), "{fault:?}: {answer}");
        assert_eq!((setup.events().await.len(), setup.count_keys().await), (events + 1, keys + 1), "{fault:?}");
    }
}

#[tokio::test]
async fn transactions_that_are_cancelled_again_and_again_are_503_and_make_nothing() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let (before, events) = (records(&setup, &admin).await, setup.events().await.len());
    setup.test.faults.always("TransactWriteItems", Fault::TransactionConflict);
    assert_eq!(setup.create(&admin, json!({"name": "x"})).await.0, 503);
    setup.test.faults.heal();
    assert_eq!((records(&setup, &admin).await, setup.events().await.len()), (before, events));
}

#[tokio::test]
async fn a_record_that_can_not_be_read_is_503_and_hides_no_other() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let events = setup.events().await.len();
    let (pk, created) = (format!("KEY#{}", key.record.id), format!("{}#{}", key.record.created_at, key.record.id));
    let (client, id) = (setup.client.id.as_str(), key.record.id.as_str());
    let item = [("pk", pk.as_str()), ("sk", "KEY"), ("client_id", client), ("created_id", &created), ("id", id)];
    setup.test.put_raw("KeysTable", &item, &[]);
    assert_eq!(setup.get(&admin, &key).await.0, 503);
    assert_eq!(setup.patch(&admin, &key, json!({"name": "x"})).await.0, 503);
    assert_eq!(setup.rotate(&admin, &key, None).await.0, 503);
    assert_eq!(setup.revoke(&admin, &key).await.0, 503);
    assert_eq!(setup.listed(&admin, "").await, [admin.record.id.as_str()]);
    assert_eq!(setup.events().await.len(), events);
}

#[tokio::test]
async fn reads_of_a_store_that_is_away_are_503_and_no_401_or_404() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    records(&setup, &admin).await;
    for operation in ["Query", "BatchGetItem"] {
        setup.test.faults.always(operation, Fault::InternalError);
        assert_eq!(setup.call(&admin, "GET", &setup.path(""), None).await.0, 503, "{operation}");
        setup.test.faults.heal();
    }
    setup.test.faults.always("*", Fault::Throttle);
    assert_eq!(setup.get(&admin, &key).await.0, 503);
    let stranger = setup.call(&TestKey::new(&setup.client, "admin"), "GET", &setup.path(""), None).await;
    assert_eq!(stranger.0, 503, "nobody knows whether the key counts");
    let reply = handle(setup.app.clone(), request("GET", &setup.path(""), &[], ""), moment(0.0)).await;
    assert_eq!(reply.unwrap_err().into_reply(ISSUER).status().as_u16(), 401, "no credential, no read");
}
