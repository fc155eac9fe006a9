use serde_json::json;
use signing::{Algorithm, Kms, Wrapper};
use testkit::{Fault, TestStore};
use upkeep::{App, UpkeepError};

use crate::setup::{app, call, keys, kid, moves, rotate, scheduled, withdraw};

/// The keys of every item that there is agree, and one signs.
async fn agree(test: &TestStore) {
    let with_state: Vec<String> = keys(test).await.iter().map(|(kid, _)| kid.to_owned()).collect();
    let public: Vec<_> = test.store.signing_key_publics().await.unwrap().into_iter().map(|item| item.kid).collect();
    assert_eq!(public, with_state);
    let active = kid(test, "active").await;
    assert!(test.store.signing_key_private(&active).await.unwrap().is_some());
}

#[tokio::test]
async fn whatever_fails_the_keys_agree_and_the_next_run_makes_up_for_it() {
    for fault in [Fault::Throttle, Fault::InternalError, Fault::LostAnswer, Fault::TransactionConflict] {
        for (operation, times) in [("TransactWriteItems", 1), ("TransactWriteItems", 3), ("GetItem", 1), ("GetItem", 3)]
        {
            if operation == "GetItem" && matches!(fault, Fault::TransactionConflict) {
                continue;
            }
            let test = TestStore::start().await;
            let app = app(&test.store, Algorithm::Es256);
            call(&app, scheduled(), 0).await.unwrap();
            for event in [rotate(), withdraw(&kid(&test, "active").await)] {
                for _ in 0..times {
                    test.faults.once(operation, fault);
                }
                let failed = call(&app, event.clone(), 10).await.err();
                test.faults.heal();
                assert!(failed.is_none_or(|error| matches!(error, UpkeepError::Store(_))), "{fault:?}: {event}");
                agree(&test).await;
                // Again, as an operator would: it is done already, or now.
                let again = call(&app, event.clone(), 20).await;
                assert!(matches!(again, Ok(_) | Err(UpkeepError::NotPublished)), "{fault:?}: {again:?}");
                agree(&test).await;
                assert!(keys(&test).await.iter().count() <= 2, "{fault:?}: {event}");
            }
        }
    }
}

#[tokio::test]
async fn a_withdrawal_whose_answer_was_lost_is_one() {
    let test = TestStore::start().await;
    let app = app(&test.store, Algorithm::Es256);
    call(&app, scheduled(), 0).await.unwrap();
    let first = kid(&test, "active").await;
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    call(&app, withdraw(&first), 10).await.unwrap();
    assert_ne!(kid(&test, "active").await, first);
    assert_eq!(keys(&test).await.iter().count(), 1);
}

fn with_kms_away(test: &TestStore) -> App {
    // The port was free a moment ago, and nobody listens there now.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = Wrapper::Kms(Kms::connect_emulated(&format!("http://{free}"), "key".to_owned()));
    App { wrapper: away, ..app(&test.store, Algorithm::Es256) }
}

#[tokio::test]
async fn a_kms_that_is_away_makes_no_key_and_changes_none() {
    let test = TestStore::start().await;
    call(&app(&test.store, Algorithm::Es256), scheduled(), 0).await.unwrap();
    let before = keys(&test).await;
    let app = with_kms_away(&test);
    for event in [rotate(), json!({"rotate": "ES256", "at_once": true})] {
        assert!(matches!(call(&app, event, 10).await, Err(UpkeepError::Key(_))));
    }
    assert_eq!(keys(&test).await, before);
}

#[tokio::test]
async fn a_kms_that_is_away_does_not_save_a_withdrawn_key() {
    let test = TestStore::start().await;
    call(&app(&test.store, Algorithm::Es256), scheduled(), 0).await.unwrap();
    let first = kid(&test, "active").await;
    let answer = call(&with_kms_away(&test), withdraw(&first), 10).await.unwrap();
    assert_eq!(moves(&answer), [(first.as_str(), "withdrawn")]);
    assert_eq!(test.store.signing_key_publics().await.unwrap(), []);
    // Once KMS is back the next run makes one.
    call(&app(&test.store, Algorithm::Es256), scheduled(), 20).await.unwrap();
    agree(&test).await;
}
