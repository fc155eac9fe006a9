use std::time::Duration;

use domain::{Action, Deed, KeyRefusal, Moment, PlainKey, PresentedKey};
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
        [("GetItem".to_owned(), 3), ("Query".to_owned(), 2)],
        "cold: signing keys, the feed's head, the tokens that were ended, the key, its workspace"
    );
    setup.by_token(&token, moment(1.0)).await.unwrap();
    setup.by_key(&key, moment(3.9)).await.unwrap();
    assert_eq!(setup.calls(), []);
    setup.by_key(&key, moment(4.0)).await.unwrap();
    setup.by_token(&token, moment(4.1)).await.unwrap();
    assert_eq!(
        setup.calls(),
        [("GetItem".to_owned(), 2), ("Query".to_owned(), 3)],
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
async fn a_read_of_the_feed_counts_from_when_it_was_sent() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = setup.token(&key);
    for second in [0.0, 4.0, 4.1] {
        setup.by_key(&key, moment(second)).await.unwrap();
        setup.by_token(&token, moment(second)).await.unwrap();
    }
    // The read is sent at 8.0, and its answer, which knows of nothing, is here after the revocation. By then others have
    // begun to wait for it, one of them later than the bound after it was sent.
    setup.test.faults.once("Query", Fault::Slow(Duration::from_millis(400)));
    let reading = setup.by_key(&key, moment(8.0));
    let waiting = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        revoke(&setup, &key).await;
        tokio::join!(setup.by_key(&key, moment(11.9)), setup.by_token(&token, moment(13.0)))
    };
    let (reading, (within, later)) = tokio::join!(reading, waiting);
    reading.unwrap();
    within.unwrap();
    assert!(is_revoked(&later), "what it waited for was sent too long ago: {later:?}");
    assert!(is_revoked(&setup.by_key(&key, moment(12.0)).await));
}

#[tokio::test]
async fn entries_that_expired_unread_empty_the_cache() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("read").await);
    for second in [0.0, 4.0, 4.1] {
        setup.by_key(&key, moment(second)).await.unwrap();
        setup.by_key(&other, moment(second)).await.unwrap();
    }
    revoke(&setup, &key).await;
    // The entry that names the key is no more; of what came after it the last one is left.
    let head = setup.test.store.feed_head().await.unwrap().0;
    let entry = |number: u64| [("pk".to_owned(), "FEED".to_owned()), ("sk".to_owned(), format!("{number:020}"))];
    for number in [head, head + 2] {
        let mut strings: Vec<(String, String)> = entry(number).into();
        strings.extend([("kind".to_owned(), "key".to_owned()), ("id".to_owned(), other.record.id.to_string())]);
        let strings: Vec<(&str, &str)> = strings.iter().map(|(name, value)| (&**name, &**value)).collect();
        setup.test.put_raw("KeysTable", &strings, &[("sequence", number)]);
    }
    setup.test.put_raw("KeysTable", &[("pk", "FEED"), ("sk", "HEAD")], &[("sequence", head + 2)]);
    assert!(is_revoked(&setup.by_key(&key, moment(8.0)).await));
    setup.by_key(&other, moment(8.0)).await.unwrap();
}

#[tokio::test]
async fn a_token_that_was_being_made_while_its_key_was_revoked_ends_with_it() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    for second in [0.0, 4.0, 4.1] {
        setup.by_key(&key, moment(second)).await.unwrap();
    }
    // The exchange has read the key as it was, and signs after the revocation.
    let claims = setup.claims(&key);
    revoke(&setup, &key).await;
    let token = setup.signer.sign(&claims).unwrap();
    setup.by_token(&token, moment(7.9)).await.unwrap();
    assert!(is_revoked(&setup.by_token(&token, moment(8.0)).await));
    let cold = Identity::new(setup.test.store.clone(), audience());
    let header = format!("Bearer {token}");
    let credential = Credential::from_authorization(&header).unwrap();
    assert!(is_revoked(&cold.principal(&call(credential), moment(5.0)).await));
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

#[tokio::test]
async fn a_rotated_keys_new_string_and_its_tokens_count_at_once() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.by_key(&key, moment(0.0)).await.unwrap();
    let before = setup.token(&key);
    let plain = PlainKey::random_for(&key.record.prefix, &key.record.id);
    let after = key.record.clone().rotated(&plain, 60, testkit::now());
    let deed = Deed::new(Action::KeyRotated, &key.record.id);
    setup.test.store.key_change(&key.record, &after, deed, &testkit::act(), None).await.unwrap();
    let rotated = TestKey { plain, record: after };
    let token = setup.token(&rotated);
    setup.by_token(&token, moment(0.1)).await.unwrap();
    setup.by_key(&rotated, moment(0.1)).await.unwrap();
    setup.by_key(&key, moment(0.2)).await.unwrap();
    setup.by_token(&before, moment(0.2)).await.unwrap();
    setup.calls();
    setup.by_key(&rotated, moment(0.3)).await.unwrap();
    setup.by_token(&token, moment(0.3)).await.unwrap();
    assert_eq!(setup.calls(), [], "and it is known from then on");
    // A guess costs the read of an unknown id, and changes nothing.
    let guess = TestKey { plain: PlainKey::random_for(&key.record.prefix, &key.record.id), ..rotated };
    assert!(setup.by_key(&guess, moment(0.4)).await.is_err());
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)]);
}
