use std::time::Duration;

use domain::{KeyRefusal, Moment, PresentedKey};
use identity::{Credential, FEED_INTERVAL, Identity, Refusal};
use testkit::{Fault, TestKey, audience, moment};

use crate::setup::{Setup, call};

fn is_revoked<T: std::fmt::Debug>(outcome: &Result<T, Refusal>) -> bool {
    matches!(outcome, Err(Refusal::Unauthorized { reason, .. }) if *reason == KeyRefusal::Revoked.into())
}

async fn revoke(setup: &Setup, key: &TestKey) {
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &testkit::act()).await.unwrap();
}

#[tokio::test]
async fn warm_and_fresh_a_principal_costs_no_call() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = setup.token(&key);
    setup.calls();
    setup.by_token(&token, moment(0.0)).await.unwrap();
    assert_eq!(
        setup.calls(),
        [("GetItem".to_owned(), 3), ("Query".to_owned(), 1)],
        "cold: signing keys, the feed's head, the key, its workspace"
    );
    setup.by_token(&token, moment(1.0)).await.unwrap();
    setup.by_key(&key, moment(3.9)).await.unwrap();
    assert_eq!(setup.calls(), []);
    setup.by_key(&key, moment(4.0)).await.unwrap();
    setup.by_token(&token, moment(4.1)).await.unwrap();
    assert_eq!(
        setup.calls(),
        [("GetItem".to_owned(), 2), ("Query".to_owned(), 2)],
        "one read of the feed per interval; after the first one an instance reads its records and keys once more"
    );
    setup.by_key(&key, moment(8.0)).await.unwrap();
    setup.by_token(&token, moment(8.1)).await.unwrap();
    assert_eq!(setup.calls(), [("Query".to_owned(), 1)]);

    let second = setup.key("read").await;
    setup.calls();
    setup.by_key(&second, moment(9.0)).await.unwrap();
    setup.by_key(&second, moment(9.1)).await.unwrap();
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)], "one read of a record at first sight");
}

#[tokio::test]
async fn a_revoked_key_and_its_tokens_are_refused_within_five_seconds() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("read").await);
    let token = setup.token(&key);
    setup.by_key(&key, moment(0.0)).await.unwrap();
    setup.by_key(&other, moment(0.0)).await.unwrap();
    revoke(&setup, &key).await;
    assert!(FEED_INTERVAL < Duration::from_secs(5));
    let within = moment(FEED_INTERVAL.as_secs_f64());
    assert!(is_revoked(&setup.by_token(&token, within).await));
    assert!(is_revoked(&setup.by_key(&key, within).await));
}

#[tokio::test]
async fn time_that_only_one_clock_has_seen_counts() {
    for passed in [
        Moment { monotonic: Duration::ZERO, ..moment(10.0) },
        Moment { wall_ms: moment(0.0).wall_ms, ..moment(10.0) },
        Moment { wall_ms: moment(0.0).wall_ms - 300_000, ..moment(1.0) },
    ] {
        let setup = Setup::new().await;
        let key = setup.key("read").await;
        setup.by_key(&key, moment(0.0)).await.unwrap();
        revoke(&setup, &key).await;
        assert!(is_revoked(&setup.by_key(&key, passed).await), "{passed:?}");
    }
}

#[tokio::test]
async fn stale_and_unreadable_is_unavailable() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.by_key(&key, moment(0.0)).await.unwrap();
    setup.test.faults.always("Query", Fault::InternalError);
    setup.by_key(&key, moment(3.0)).await.unwrap();
    for second in [4.0, 5.0, 60.0] {
        let outcome = setup.by_key(&key, moment(second)).await;
        assert!(matches!(outcome, Err(Refusal::Unavailable(_))), "{outcome:?}");
    }
    setup.test.faults.heal();
    setup.by_key(&key, moment(61.0)).await.unwrap();
}

#[tokio::test]
async fn a_fill_that_was_under_way_while_the_feed_spoke_is_not_kept() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    // Warm, so that the fill below is the first thing to read.
    setup.by_key(&setup.key("read").await, moment(0.0)).await.unwrap();

    // The record is read as it was before the revocation and arrives late, after another request has read the feed.
    setup.test.faults.once("GetItem", Fault::Slow(Duration::from_millis(400)));
    let slow = async {
        let _ = setup.by_key(&key, moment(1.0)).await;
    };
    let meanwhile = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        revoke(&setup, &key).await;
        let other = setup.key("read").await;
        setup.by_key(&other, moment(5.0)).await.unwrap();
    };
    tokio::join!(slow, meanwhile);
    assert!(is_revoked(&setup.by_key(&key, moment(5.1)).await));
}

#[tokio::test]
async fn a_revocation_drops_one_record_and_no_other() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("read").await);
    for second in [0.0, 4.0] {
        setup.by_key(&key, moment(second)).await.unwrap();
        setup.by_key(&other, moment(second)).await.unwrap();
    }
    revoke(&setup, &key).await;
    assert!(is_revoked(&setup.by_key(&key, moment(8.0)).await));
    setup.calls();
    setup.by_key(&other, moment(8.0)).await.unwrap();
    assert_eq!(setup.calls(), []);
}

#[tokio::test]
async fn an_entry_that_is_seen_before_its_change_does_not_save_the_key() {
    // Warm: the feed names the key, and the record that is read after that is still the old one.
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    for second in [0.0, 4.0] {
        setup.by_key(&key, moment(second)).await.unwrap();
    }
    revoke(&setup, &key).await;
    setup.test.faults.once("GetItem", Fault::Stale);
    setup.by_key(&key, moment(8.0)).await.unwrap();
    assert!(is_revoked(&setup.by_key(&key, moment(12.0)).await), "the next read of the feed forgets it again");

    // Cold: the head tells of the revocation already, the record does not.
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.by_key(&key, moment(0.0)).await.unwrap();
    revoke(&setup, &key).await;
    let cold = Identity::new(setup.test.store.clone(), audience());
    setup.calls();
    // The head as it is, the record as it was.
    setup.test.faults.once("GetItem", Fault::Slow(Duration::ZERO));
    setup.test.faults.once("GetItem", Fault::Stale);
    let credential = call(Credential::Key(PresentedKey::Own(key.plain.clone())));
    cold.principal(&credential, moment(0.0)).await.unwrap();
    assert!(is_revoked(&cold.principal(&credential, moment(4.0)).await));
}

#[tokio::test]
async fn an_entry_that_can_not_be_read_empties_the_cache_and_stops_nobody() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    for second in [0.0, 4.0] {
        setup.by_key(&key, moment(second)).await.unwrap();
    }
    setup.test.put_raw("KeysTable", &[("pk", "FEED"), ("sk", "00000000000000000001")], &[("sequence", 1)]);
    setup.test.put_raw("KeysTable", &[("pk", "FEED"), ("sk", "HEAD")], &[("sequence", 1)]);
    setup.calls();
    setup.by_key(&key, moment(8.0)).await.unwrap();
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 2), ("Query".to_owned(), 1)], "everything is forgotten");
    setup.by_key(&key, moment(12.0)).await.unwrap();
}

#[tokio::test]
async fn requests_at_once_read_the_feed_once() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.by_key(&key, moment(0.0)).await.unwrap();
    setup.calls();
    setup.by_key(&key, moment(5.0)).await.unwrap();
    setup.calls();
    let at = moment(10.0);
    let (one, two, three) = tokio::join!(setup.by_key(&key, at), setup.by_key(&key, at), setup.by_key(&key, at));
    assert!(one.is_ok() && two.is_ok() && three.is_ok());
    assert_eq!(setup.calls(), [("Query".to_owned(), 1)]);
}
