use std::collections::BTreeSet;

use domain::{Act, ClientId, Environment, KeyKind, PreviousSecret, SecretVersion, Sequence, Timestamp, UserId};
use store::StoreError;
use store::key_list::KeyFilter;
use store::keys::Revocation;
use testkit::{Fault, TestKey, TestStore, act, now};

#[tokio::test]
async fn a_record_reads_back_as_it_was_written() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let mut key = TestKey::new(&client, "read insights:*");
    key.record.expires_at = Some(now().plus(60));
    key.record.environment = Environment::Test;
    key.record.kind = KeyKind::Personal(UserId::random());
    key.record.rotated_at = Some(now());
    key.record.previous_secret = Some(PreviousSecret {
        hash: TestKey::new(&client, "read").plain.hash(),
        version: SecretVersion(1),
        expires_at: now().plus(30),
    });
    key.record.secret_version = SecretVersion(2);
    test.store.key_create(&key.record, &act(), None).await.unwrap();
    assert_eq!(test.store.key_by_string(&key.plain).await.unwrap(), Some(key.record.clone()));
    assert_eq!(test.store.key_of_client(&client.id, &key.record.id).await.unwrap(), Some(key.record.clone()));
    assert_eq!(test.store.key_of_client(&ClientId::random(), &key.record.id).await.unwrap(), None);
}

#[tokio::test]
async fn no_key_is_written_over_another() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let first = TestKey::new(&client, "read").stored(&test.store).await;
    let mut second = TestKey::new(&client, "admin");
    second.record.id = first.record.id.clone();
    assert!(matches!(test.store.key_create(&second.record, &act(), None).await, Err(StoreError::Exists)));
    assert_eq!(test.store.key_by_id(&first.record.id).await.unwrap(), Some(first.record));
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_one_key_and_no_error() {
    let test = TestStore::start().await;
    let client = test.client().await;
    test.faults.reset_counts();
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    assert_eq!(test.faults.counts()["TransactWriteItems"], 2, "the SDK has tried again");
    assert_eq!(test.store.key_by_id(&key.record.id).await.unwrap(), Some(key.record));
}

#[tokio::test]
async fn pages_hold_each_key_once_and_in_order() {
    let test = TestStore::start().await;
    let (client, other) = (test.client().await, test.client().await);
    TestKey::new(&other, "read").stored(&test.store).await;
    let mut expected = Vec::new();
    for second in 0..7 {
        let mut key = TestKey::new(&client, "read");
        key.record.created_at = now().plus(second / 2);
        test.store.key_create(&key.record, &act(), None).await.unwrap();
        expected.push(key.record.id);
    }

    let (mut listed, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page = test.store.key_list(&client.id, &KeyFilter::default(), 3, after.as_ref()).await.unwrap();
        assert!(page.keys.len() <= 3);
        assert!(page.keys.is_sorted_by_key(|record| record.created_at));
        listed.extend(page.keys.into_iter().map(|record| record.id));
        pages += 1;
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 3);
    assert_eq!(listed.iter().collect::<BTreeSet<_>>(), expected.iter().collect::<BTreeSet<_>>());
    assert_eq!(listed.len(), 7);
}

#[tokio::test]
async fn a_page_that_ends_with_the_list_has_no_next() {
    let test = TestStore::start().await;
    let client = test.client().await;
    for _ in 0..2 {
        TestKey::new(&client, "read").stored(&test.store).await;
    }
    test.faults.reset_counts();
    let page = test.store.key_list(&client.id, &KeyFilter::default(), 2, None).await.unwrap();
    assert_eq!((page.keys.len(), page.next), (2, None));
    assert_eq!(test.faults.counts().into_iter().collect::<Vec<_>>(), [("Query".to_owned(), 1)]);
}

#[tokio::test]
async fn filters_choose_by_each_property() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let plain = TestKey::new(&client, "read").stored(&test.store).await;
    let mut of_test = TestKey::new(&client, "read");
    of_test.record.environment = Environment::Test;
    test.store.key_create(&of_test.record, &act(), None).await.unwrap();
    let revoked = TestKey::new(&client, "read").stored(&test.store).await;
    test.store.key_revoke(&client.id, &revoked.record.id, &act()).await.unwrap();
    let mut personal = TestKey::new(&client, "read");
    personal.record.kind = KeyKind::Personal(UserId::random());
    test.store.key_create(&personal.record, &act(), None).await.unwrap();

    let any = KeyFilter::default();
    let cases = [
        (any.clone(), vec![&plain, &of_test, &revoked, &personal]),
        (KeyFilter { environment: Some(Environment::Test), ..any.clone() }, vec![&of_test]),
        (KeyFilter { revoked: Some(true), ..any.clone() }, vec![&revoked]),
        (KeyFilter { revoked: Some(false), kind: Some("workspace"), ..any.clone() }, vec![&plain, &of_test]),
        (KeyFilter { kind: Some("personal"), ..any.clone() }, vec![&personal]),
        (
            KeyFilter { workspace_id: Some(client.default_workspace_id.clone()), ..any },
            vec![&plain, &of_test, &revoked],
        ),
    ];
    for (filter, expected) in cases {
        let page = test.store.key_list(&client.id, &filter, 100, None).await.unwrap();
        let found: BTreeSet<_> = page.keys.iter().map(|record| record.id.clone()).collect();
        assert_eq!(found, expected.iter().map(|key| key.record.id.clone()).collect(), "{filter:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_is_revoked_once_however_many_try() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    let mut callers = Vec::new();
    for second in 0..10 {
        let (store, client, id) = (test.another_connection(), client.id.clone(), key.record.id.clone());
        callers.push(tokio::spawn(async move {
            store.key_revoke(&client, &id, &Act { at: now().plus(second), ..act() }).await.unwrap()
        }));
    }
    let mut revoked = 0;
    for caller in callers {
        match caller.await.unwrap() {
            Revocation::Revoked => revoked += 1,
            Revocation::AlreadyRevoked => {}
            Revocation::NotFound => panic!("it was there"),
        }
    }
    assert_eq!(revoked, 1);
    assert_eq!(test.store.feed_head().await.unwrap(), Sequence(1), "one change, one entry");
}

#[tokio::test]
async fn only_the_keys_own_client_can_revoke_it() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    let by_other = test.store.key_revoke(&ClientId::random(), &key.record.id, &act()).await.unwrap();
    assert_eq!(by_other, Revocation::NotFound);
    assert_eq!(test.store.key_by_id(&key.record.id).await.unwrap().unwrap().revoked_at, None);
}

#[tokio::test]
async fn a_revocation_whose_answer_was_lost_is_done_once() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    let outcome = test.store.key_revoke(&client.id, &key.record.id, &act()).await.unwrap();
    assert!(matches!(outcome, Revocation::Revoked | Revocation::AlreadyRevoked), "{outcome:?}");
    assert_eq!(test.store.feed_head().await.unwrap(), Sequence(1));
    let stored = test.store.key_by_id(&key.record.id).await.unwrap().unwrap();
    assert_eq!(stored.revoked_at, Some(now()));
}

#[tokio::test]
async fn a_store_that_throttles_hangs_or_is_gone_is_unavailable() {
    let test = TestStore::start().await;
    let id = TestKey::new(&test.client().await, "read").record.id;
    for fault in [Fault::Throttle, Fault::InternalError, Fault::Hang] {
        test.faults.always("GetItem", fault);
        let answer = test.store.key_by_id(&id).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{fault:?}: {answer:?}");
    }
    let gone = TestStore::unreachable();
    assert!(matches!(gone.key_by_id(&id).await, Err(StoreError::Unavailable(_))));
}

#[tokio::test]
async fn one_passing_fault_is_not_seen() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read").stored(&test.store).await;
    for fault in [Fault::Throttle, Fault::InternalError, Fault::Hang] {
        test.faults.once("GetItem", fault);
        assert_eq!(test.store.key_by_id(&key.record.id).await.unwrap().as_ref(), Some(&key.record), "{fault:?}");
    }
}

#[tokio::test]
async fn times_beyond_rfc_3339_cannot_be_stored() {
    let test = TestStore::start().await;
    let mut key = TestKey::new(&test.client().await, "read");
    key.record.expires_at = Some(Timestamp::from_unix(i64::MAX));
    test.store.key_create(&key.record, &act(), None).await.unwrap();
    let stored = test.store.key_by_id(&key.record.id).await.unwrap().unwrap();
    assert_eq!(stored.expires_at.unwrap().to_string(), "9999-12-30T22:00:00Z");
}
