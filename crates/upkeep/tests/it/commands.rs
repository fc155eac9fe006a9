use domain::ClientId;
use domain::Sequence;
use domain::published_keys::{MAX_PUBLISHED, PENDING_FOR};
use serde_json::{Value, json};
use signing::Algorithm;
use store::audit::AuditFilter;
use testkit::TestStore;
use upkeep::UpkeepError;

use crate::setup::{app, call, keys, kid, moves, rotate, scheduled, states, withdraw};

async fn with_first_key() -> (TestStore, upkeep::App) {
    let test = TestStore::start().await;
    let app = app(&test.store, Algorithm::Es256);
    call(&app, scheduled(), 0).await.unwrap();
    (test, app)
}

#[tokio::test(flavor = "multi_thread")]
async fn rotations_at_once_make_one_key_and_all_are_told_which() {
    let (test, _) = with_first_key().await;
    let mut calls = Vec::new();
    for _ in 0..10 {
        let app = app(&test.another_connection(), Algorithm::Es256);
        calls.push(tokio::spawn(async move { call(&app, rotate(), 10).await.unwrap() }));
    }
    let mut answers = Vec::new();
    for call in calls {
        answers.push(call.await.unwrap());
    }
    let pending = kid(&test, "pending").await;
    for answer in &answers {
        assert_eq!(states(answer), [json!(["ES256", "active"]), json!(["ES256", "pending"])]);
        assert!(answer["keys"].as_array().unwrap().iter().any(|key| key["kid"] == pending.as_str()));
    }
    assert_eq!(answers.iter().map(|answer| moves(answer).len()).sum::<usize>(), 1, "one has made it");
    assert_eq!(test.store.signing_key_publics().await.unwrap().len(), 2);
}

#[tokio::test]
async fn a_rotation_says_when_the_new_key_signs_and_the_schedule_sees_to_it() {
    let (test, app) = with_first_key().await;
    let first = kid(&test, "active").await;
    let answer = call(&app, rotate(), 10).await.unwrap();
    let pending = kid(&test, "pending").await;
    let key = answer["keys"].as_array().unwrap().iter().find(|key| key["kid"] == pending.as_str()).unwrap().clone();
    assert_eq!(key["since"], "2027-01-15T08:00:10Z");
    assert_eq!(key["until"], testkit::now().plus(10 + PENDING_FOR).to_string());
    assert!(moves(&call(&app, scheduled(), 10 + PENDING_FOR - 1).await.unwrap()).is_empty());
    let answer = call(&app, scheduled(), 10 + PENDING_FOR).await.unwrap();
    let mut moved = moves(&answer);
    moved.sort_by_key(|(_, what)| what.to_owned());
    assert_eq!(moved, [(pending.as_str(), "activated"), (first.as_str(), "retired")]);
}

#[tokio::test]
async fn a_rotation_at_once_keeps_the_tokens_of_the_old_key() {
    let (test, app) = with_first_key().await;
    let first = kid(&test, "active").await;
    let answer = call(&app, json!({"rotate": "ES256", "at_once": true}), 10).await.unwrap();
    assert_eq!(states(&answer), [json!(["ES256", "active"]), json!(["ES256", "retiring"])]);
    assert_eq!(kid(&test, "retiring").await, first);
}

#[tokio::test]
async fn only_the_configured_algorithm_is_rotated() {
    let (test, app) = with_first_key().await;
    let before = keys(&test).await;
    let refused = call(&app, json!({"rotate": "EdDSA"}), 10).await.unwrap_err();
    assert!(matches!(refused, UpkeepError::Algorithm { asked: Algorithm::EdDsa, configured: Algorithm::Es256 }));
    assert!(refused.to_string().contains("KEYGATE_SIGNING_ALGORITHM"), "{refused}");
    assert_eq!(keys(&test).await, before);
}

#[tokio::test]
async fn a_withdrawn_key_is_gone_everywhere_and_another_one_signs() {
    let (test, app) = with_first_key().await;
    let first = kid(&test, "active").await;
    let answer = call(&app, withdraw(&first), 10).await.unwrap();
    let second = kid(&test, "active").await;
    assert_eq!(
        moves(&answer),
        [(first.as_str(), "withdrawn"), (second.as_str(), "published"), (second.as_str(), "activated")]
    );
    let published: Vec<_> = test.store.signing_key_publics().await.unwrap().into_iter().map(|item| item.kid).collect();
    assert_eq!(published, [second]);
    assert_eq!(test.store.signing_key_private(&first).await.unwrap(), None);
    let told = test.store.feed_after(Sequence(0)).await.unwrap().entries;
    assert_eq!(told.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), [first.as_str()]);
    let events = test.store.audit_list(&ClientId::of_nobody(), &AuditFilter::default(), 10, None).await.unwrap().events;
    let actions: Vec<_> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["signing_key.rotated", "signing_key.withdrawn", "signing_key.rotated"]);
    assert!(events.iter().all(|event| event.actor.id == "upkeep"));

    let again = call(&app, withdraw(&first), 20).await.unwrap_err();
    assert!(matches!(again, UpkeepError::NotPublished));
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawals_at_once_make_one_successor() {
    let (test, _) = with_first_key().await;
    let first = kid(&test, "active").await;
    let mut calls = Vec::new();
    for _ in 0..6 {
        let (app, event) = (app(&test.another_connection(), Algorithm::Es256), withdraw(&first));
        calls.push(tokio::spawn(async move { call(&app, event, 10).await }));
    }
    let mut withdrawn = 0;
    for call in calls {
        match call.await.unwrap() {
            Ok(answer) => withdrawn += moves(&answer).iter().filter(|(_, what)| *what == "withdrawn").count(),
            Err(error) => assert!(matches!(error, UpkeepError::NotPublished), "{error}"),
        }
    }
    assert_eq!(withdrawn, 1);
    assert_eq!(keys(&test).await.iter().count(), 1);
    assert_ne!(kid(&test, "active").await, first);
}

#[tokio::test]
async fn a_pending_key_takes_the_place_of_a_withdrawn_one() {
    let (test, app) = with_first_key().await;
    call(&app, rotate(), 10).await.unwrap();
    let (first, pending) = (kid(&test, "active").await, kid(&test, "pending").await);
    let answer = call(&app, withdraw(&first), 20).await.unwrap();
    assert_eq!(moves(&answer).len(), 2);
    assert_eq!(kid(&test, "active").await, pending);
    assert_eq!(keys(&test).await.iter().count(), 1);
}

#[tokio::test]
async fn more_than_ten_keys_are_refused_with_the_reason() {
    let (test, app) = with_first_key().await;
    let at_once = json!({"rotate": "ES256", "at_once": true});
    for second in 1..10 {
        call(&app, at_once.clone(), second).await.unwrap();
    }
    let before = keys(&test).await;
    assert_eq!(before.iter().count(), MAX_PUBLISHED);
    for event in [at_once, rotate()] {
        let refused = call(&app, event, 10).await.unwrap_err();
        assert!(matches!(refused, UpkeepError::TooMany));
        assert!(refused.to_string().contains("10 signing keys are published"), "{refused}");
    }
    assert_eq!(keys(&test).await, before);
    assert_eq!(test.store.signing_key_publics().await.unwrap().len(), MAX_PUBLISHED);
}

#[tokio::test]
async fn what_is_no_command_does_nothing() {
    let (test, app) = with_first_key().await;
    let before = keys(&test).await;
    for event in [json!({}), Value::Null, json!({"rotate": "none"}), json!({"withdraw": ["x"]})] {
        assert!(matches!(call(&app, event.clone(), 10).await, Err(UpkeepError::Event)), "{event}");
    }
    assert!(matches!(call(&app, withdraw("nothing"), 10).await, Err(UpkeepError::NotPublished)));
    assert_eq!(keys(&test).await, before);
}
