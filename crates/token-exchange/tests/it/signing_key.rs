use std::time::Duration;

use domain::published_keys::{PENDING_FOR, SIGNER_BOUND};
use domain::{Moment, PublishedKeys, Turn};
use edge::ApiError;
use serde_json::json;
use signing::{Algorithm, Kms, UnverifiedToken, WrappedKey, Wrapper};
use store::Store;
use store::signing_keys::NewSigningKey;
use testkit::{Fault, TestStore, act, moment, now, parts, request};
use token_exchange::{LOOK_EVERY, SigningKey, handle};

use crate::setup::{Setup, wrapper};

use Algorithm::{EdDsa, Es256};

fn signing_key(store: &Store, algorithm: Algorithm) -> SigningKey {
    SigningKey::new(store.clone(), wrapper(), algorithm)
}

async fn kid(key: &SigningKey, seconds: f64) -> String {
    key.signer(moment(seconds), |_| false).await.unwrap().public().kid.clone()
}

/// Makes what `decide` decides, with a key that opens where one is wanted.
async fn turn(store: &Store, decide: impl FnOnce(&PublishedKeys) -> Turn) {
    let turn = decide(&store.signing_keys().await.unwrap());
    let new = match turn.wants {
        Some(wanted) => {
            let made = WrappedKey::make(&wrapper(), wanted.algorithm).await.unwrap();
            Some(NewSigningKey::new(made.public.kid, wanted.algorithm, made.public.json, made.wrapped, now()))
        }
        None => None,
    };
    assert!(store.signing_keys_turn(&turn, new.as_ref(), &act()).await.unwrap());
}

/// Another key signs from now on.
async fn replace(store: &Store) -> String {
    turn(store, |keys| keys.replaced(Es256, now())).await;
    active(store).await
}

async fn active(store: &Store) -> String {
    store.signing_keys().await.unwrap().signing(Es256).unwrap().0.to_owned()
}

/// The id of the key that signs an exchange at `at`, or the status where it is refused.
async fn exchanged(setup: &Setup, body: &str, at: Moment) -> Result<String, u16> {
    let request = request("POST", "/auth/token", &[("content-type", "application/json")], body);
    let (status, answer) = match handle(setup.app.clone(), request, at).await {
        Ok(reply) => parts(reply),
        Err(error) => parts(error.into_reply(testkit::ISSUER)),
    };
    let token = answer["accessToken"].as_str().ok_or(status)?;
    Ok(UnverifiedToken::parse(token).unwrap().kid().to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_start_at_once_make_one_key() {
    let test = TestStore::start().await;
    let mut starts = Vec::new();
    for _ in 0..6 {
        let key = signing_key(&test.another_connection(), Es256);
        starts.push(tokio::spawn(async move { kid(&key, 0.0).await }));
    }
    let mut kids = Vec::new();
    for start in starts {
        kids.push(start.await.unwrap());
    }
    kids.dedup();
    assert_eq!(kids.len(), 1, "{kids:?}");
    assert_eq!(test.store.signing_key_publics().await.unwrap().len(), 1);
}

#[tokio::test]
async fn another_algorithms_key_signs_until_the_preferred_one_was_published_for_long_enough() {
    let test = TestStore::start().await;
    let old = kid(&signing_key(&test.store, Es256), 0.0).await;
    let key = signing_key(&test.store, EdDsa);
    assert_eq!(kid(&key, 0.0).await, old, "and makes no key of its own");
    assert_eq!(test.store.signing_key_publics().await.unwrap().len(), 1);
    turn(&test.store, |keys| keys.due(EdDsa, now())).await;
    assert_eq!(kid(&key, 100.0).await, old);
    turn(&test.store, |keys| keys.due(EdDsa, now().plus(PENDING_FOR))).await;
    assert_ne!(kid(&key, 200.0).await, old);
}

#[tokio::test]
async fn the_stored_key_opens_with_its_own_wrapper_alone() {
    let test = TestStore::start().await;
    kid(&signing_key(&test.store, Es256), 0.0).await;
    let other = Wrapper::from_secret(&"b".repeat(32)).unwrap();
    let key = SigningKey::new(test.store.clone(), other, Es256);
    let refused = key.signer(moment(0.0), |_| false).await.map(|_| ());
    assert_eq!(refused.unwrap_err().to_string(), "a wrapped signing key does not open with the configured wrapper");
    assert_eq!(test.store.signing_key_publics().await.unwrap().len(), 1, "no second key is made in its place");
}

#[tokio::test]
async fn a_kms_that_is_away_is_503_and_makes_no_key() {
    let setup = Setup::new().await;
    let body = json!({"apiKey": setup.key("read").await.plain.expose()}).to_string();
    // The port was free a moment ago, and nobody listens there now.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = || async { Wrapper::Kms(Kms::connect_emulated(&format!("http://{free}"), "key".to_owned())) };

    // One is stored, and another one could not be made in its place either.
    let app = setup.app_signing_with(SigningKey::new(setup.test.store.clone(), away().await, Es256));
    let request = request("POST", "/auth/token", &[("content-type", "application/json")], body.as_str());
    let refused = handle(app, request, moment(0.0)).await.unwrap_err();
    assert!(matches!(refused, ApiError::Unavailable(_)));
    assert_eq!(setup.test.store.signing_key_publics().await.unwrap().len(), 1);

    // There is none yet.
    let test = TestStore::start().await;
    let key = SigningKey::new(test.store.clone(), away().await, Es256);
    assert!(key.signer(moment(0.0), |_| false).await.is_err());
    assert_eq!(test.store.signing_keys().await.unwrap(), PublishedKeys::default());
}

#[tokio::test]
async fn a_key_that_could_not_be_read_at_the_start_is_read_at_the_first_request() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let body = json!({"apiKey": key.plain.expose()}).to_string();
    let late = signing_key(&setup.test.store, Es256);
    setup.test.faults.always("GetItem", Fault::InternalError);
    late.prepare(moment(0.0)).await;
    setup.test.faults.heal();
    assert!(late.signer(moment(0.0), |_| false).await.is_ok());
    assert_eq!(setup.post("/auth/token", &body).await.0, 200);
}

#[tokio::test]
async fn a_new_key_is_taken_up_within_a_minute_by_one_look() {
    let test = TestStore::start().await;
    let key = signing_key(&test.store, Es256);
    let first = kid(&key, 0.0).await;
    test.faults.reset_counts();
    for second in [1.0, 30.0, 59.9, 60.0, 61.0, 119.0] {
        assert_eq!(kid(&key, second).await, first);
    }
    let calls: Vec<_> = test.faults.counts().into_iter().collect();
    assert_eq!(calls, [("GetItem".to_owned(), 1)], "one look in a minute");
    let second = replace(&test.store).await;
    assert_eq!(kid(&key, 119.9).await, first);
    test.faults.reset_counts();
    assert_eq!(kid(&key, 120.0).await, second);
    let calls: Vec<_> = test.faults.counts().into_iter().collect();
    assert_eq!(calls, [("GetItem".to_owned(), 2)], "the look, and the key");
    assert!(LOOK_EVERY <= Duration::from_mins(1));
}

#[tokio::test]
async fn time_that_only_one_clock_has_seen_counts_and_a_clock_that_went_back_means_a_look() {
    for passed in [
        Moment { monotonic: Duration::ZERO, ..moment(60.0) },
        Moment { wall_ms: moment(0.0).wall_ms, ..moment(60.0) },
        Moment { wall_ms: moment(0.0).wall_ms - 1, ..moment(1.0) },
    ] {
        let test = TestStore::start().await;
        let key = signing_key(&test.store, Es256);
        kid(&key, 0.0).await;
        let second = replace(&test.store).await;
        let signer = key.signer(passed, |_| false).await.unwrap();
        assert_eq!(signer.public().kid, second, "{passed:?}");
    }
}

#[tokio::test]
async fn while_nothing_can_be_looked_up_the_key_at_hand_goes_on_for_as_long_as_it_may() {
    let test = TestStore::start().await;
    let key = signing_key(&test.store, Es256);
    let first = kid(&key, 0.0).await;
    let second = replace(&test.store).await;
    test.faults.always("GetItem", Fault::InternalError);
    let last = SIGNER_BOUND.as_secs_f64() - 1.0;
    for second in [60.0, 300.0, last] {
        assert_eq!(kid(&key, second).await, first, "{second}");
    }
    test.faults.reset_counts();
    assert_eq!(kid(&key, last + 0.5).await, first);
    assert_eq!(test.faults.counts().values().sum::<usize>(), 0, "a look that failed is not tried at every request");
    for second in [SIGNER_BOUND.as_secs_f64(), 86_400.0] {
        assert!(key.signer(moment(second), |_| false).await.is_err(), "{second}");
    }
    test.faults.heal();
    assert_eq!(kid(&key, 86_401.0).await, second);
}

#[tokio::test]
async fn a_successor_that_can_not_be_opened_gives_the_key_at_hand_no_more_time() {
    let test = TestStore::start().await;
    let key = signing_key(&test.store, Es256);
    let first = kid(&key, 0.0).await;
    turn(&test.store, |keys| keys.rotated(Es256, now())).await;
    let turn_over = test.store.signing_keys().await.unwrap().due(Es256, now().plus(PENDING_FOR));
    let (successor, _) = turn_over.after.signing(Es256).unwrap();
    test.put_raw("SigningTable", &[("pk", "PRIVATE"), ("sk", successor), ("algorithm", "ES256")], &[]);
    assert!(test.store.signing_keys_turn(&turn_over, None, &act()).await.unwrap());
    for second in [60.0, 300.0, 599.0] {
        assert_eq!(kid(&key, second).await, first);
    }
    assert!(key.signer(moment(600.0), |_| false).await.is_err());
}

#[tokio::test]
async fn a_withdrawn_key_signs_nothing_once_the_feed_has_told_of_it() {
    let setup = Setup::new().await;
    let body = json!({"apiKey": setup.key("read").await.plain.expose()}).to_string();
    let first = active(&setup.test.store).await;
    for second in [0.0, 4.0] {
        assert_eq!(exchanged(&setup, &body, moment(second)).await.as_deref(), Ok(first.as_str()));
    }
    turn(&setup.test.store, |keys| keys.withdrawn(&first, Es256, now()).unwrap()).await;
    let second = active(&setup.test.store).await;
    assert_eq!(exchanged(&setup, &body, moment(8.0)).await, Ok(second), "long before the next look is due");
}

#[tokio::test]
async fn a_withdrawn_key_is_given_up_even_where_its_successor_does_not_open() {
    let setup = Setup::new().await;
    let body = json!({"apiKey": setup.key("read").await.plain.expose()}).to_string();
    for second in [0.0, 4.0] {
        exchanged(&setup, &body, moment(second)).await.unwrap();
    }
    let first = active(&setup.test.store).await;
    let turn = setup.test.store.signing_keys().await.unwrap().withdrawn(&first, Es256, now()).unwrap();
    let new = NewSigningKey::new("broken".to_owned(), Es256, "{}".to_owned(), vec![0], now());
    assert!(setup.test.store.signing_keys_turn(&turn, Some(&new), &act()).await.unwrap());
    for second in [8.0, 12.0, 60.0] {
        assert_eq!(exchanged(&setup, &body, moment(second)).await, Err(503));
    }
}

#[tokio::test]
async fn a_withdrawn_key_that_only_the_look_tells_of_is_given_up() {
    let test = TestStore::start().await;
    let key = signing_key(&test.store, Es256);
    let first = kid(&key, 0.0).await;
    let turn = test.store.signing_keys().await.unwrap().withdrawn(&first, Es256, now()).unwrap();
    let new = NewSigningKey::new("broken".to_owned(), Es256, "{}".to_owned(), vec![0], now());
    assert!(test.store.signing_keys_turn(&turn, Some(&new), &act()).await.unwrap());
    assert_eq!(kid(&key, 59.0).await, first);
    assert!(key.signer(moment(60.0), |_| false).await.is_err());
    assert!(key.signer(moment(61.0), |_| false).await.is_err());
}
