use std::time::Duration;

use identity::{FEED_INTERVAL, Refusal, RefusalReason};
use signing::{Algorithm, KeyMaterial, Signer};
use testkit::{Fault, moment, published_signer, withdraw_signer};

use crate::setup::Setup;

fn is_unknown<T: std::fmt::Debug>(outcome: &Result<T, Refusal>) -> bool {
    matches!(outcome, Err(Refusal::Unauthorized { reason: RefusalReason::UnknownSigningKey, .. }))
}

fn foreign_signer() -> Signer {
    Signer::new(&KeyMaterial::generate(Algorithm::Es256).unwrap()).unwrap()
}

#[tokio::test]
async fn a_withdrawn_signing_key_is_refused_within_five_seconds_and_its_successor_counts_at_once() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let old = setup.token(&key);
    // The last one finds the key in memory again, which the second read of the feed has emptied.
    for second in [0.0, 4.0, 4.1] {
        setup.by_token(&old, moment(second)).await.unwrap();
    }
    let successor = withdraw_signer(&setup.test.store, &setup.signer).await;
    let new = successor.sign(&setup.claims(&key)).unwrap();
    assert!(FEED_INTERVAL < Duration::from_secs(5));
    assert!(is_unknown(&setup.by_token(&old, moment(4.0 + FEED_INTERVAL.as_secs_f64())).await));
    setup.by_token(&new, moment(8.1)).await.unwrap();
    setup.calls();
    for step in 0..50 {
        assert!(is_unknown(&setup.by_token(&old, moment(8.2 + f64::from(step) * 0.01)).await));
        setup.by_token(&new, moment(8.2)).await.unwrap();
    }
    assert_eq!(setup.calls(), [], "what is known to be gone is looked for no more");
}

#[tokio::test]
async fn a_withdrawn_key_that_a_late_read_brings_is_not_taken_again() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let (old, other) = (setup.token(&key), foreign_signer().sign(&setup.claims(&key)).unwrap());
    for second in [0.0, 4.0, 8.0] {
        setup.by_token(&old, moment(second)).await.unwrap();
    }
    withdraw_signer(&setup.test.store, &setup.signer).await;
    setup.by_key(&key, moment(12.0)).await.unwrap();
    // The feed has told of it; what the keys' partition shows now is as it was before.
    setup.test.faults.once("Query", Fault::Stale);
    assert!(is_unknown(&setup.by_token(&other, moment(12.1)).await));
    assert!(is_unknown(&setup.by_token(&old, moment(12.2)).await));
    assert!(is_unknown(&setup.by_token(&old, moment(60.0)).await));
}

#[tokio::test]
async fn a_read_that_was_under_way_while_the_key_was_withdrawn_does_not_bring_it_back() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let old = setup.token(&key);
    setup.by_key(&key, moment(0.0)).await.unwrap();
    setup.test.faults.once("Query", Fault::Slow(Duration::from_millis(400)));
    let slow = setup.by_token(&old, moment(1.0));
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        withdraw_signer(&setup.test.store, &setup.signer).await;
        setup.by_key(&key, moment(5.0)).await.unwrap();
    };
    let _ = tokio::join!(slow, meanwhile);
    assert!(is_unknown(&setup.by_token(&old, moment(5.1)).await));
}

#[tokio::test]
async fn a_gap_in_the_feed_has_the_keys_read_anew() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let old = setup.token(&key);
    for second in [0.0, 4.0, 4.1] {
        setup.by_token(&old, moment(second)).await.unwrap();
    }
    withdraw_signer(&setup.test.store, &setup.signer).await;
    // The entry that tells of it is cut off, as by expiry: the head alone says that something was there.
    setup.test.put_raw("KeysTable", &[("pk", "FEED"), ("sk", "HEAD")], &[("sequence", 7)]);
    assert!(is_unknown(&setup.by_token(&old, moment(8.0)).await));
}

#[tokio::test]
async fn before_the_first_key_a_look_does_not_hold_up_its_first_token() {
    let setup = Setup::without_signing_key().await;
    let key = setup.key("read").await;
    let stray = setup.token(&key);
    assert!(is_unknown(&setup.by_token(&stray, moment(0.0)).await));
    let first = published_signer(&setup.test.store, Algorithm::Es256).await;
    setup.by_token(&first.sign(&setup.claims(&key)).unwrap(), moment(0.1)).await.unwrap();
}
