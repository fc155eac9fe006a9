use domain::{FeedEntry, FeedKind, Sequence};
use store::StoreError;
use testkit::{Fault, TestKey, TestStore, act};

#[tokio::test]
async fn each_revocation_is_one_entry_in_a_dense_order() {
    let test = TestStore::start().await;
    let client = test.client().await;
    assert_eq!(test.store.feed_head().await.unwrap(), Sequence(0));

    let mut expected = Vec::new();
    for place in 1..=3 {
        let key = TestKey::new(&client, "read").stored(&test.store).await;
        test.store.key_revoke(&client.id, &key.record.id, &act()).await.unwrap();
        expected.push(FeedEntry { sequence: Sequence(place), kind: FeedKind::Key, id: key.record.id.to_string() });
    }
    let slice = test.store.feed_after(Sequence(0)).await.unwrap();
    assert_eq!((slice.entries, slice.head), (expected.clone(), Sequence(3)));

    let rest = test.store.feed_after(Sequence(2)).await.unwrap();
    assert_eq!((rest.entries, rest.head), (expected[2..].to_vec(), Sequence(3)));
    let none = test.store.feed_after(Sequence(3)).await.unwrap();
    assert_eq!((none.entries, none.head), (vec![], Sequence(3)));
}

#[tokio::test(flavor = "multi_thread")]
async fn writers_at_once_leave_no_gap_and_lose_no_entry() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let mut writers = Vec::new();
    for _ in 0..8 {
        let key = TestKey::new(&client, "read").stored(&test.store).await;
        let (store, client) = (test.another_connection(), client.id.clone());
        writers.push(tokio::spawn(async move {
            // A writer that met the others too often says so; its caller repeats it.
            while let Err(error) = store.key_revoke(&client, &key.record.id, &act()).await {
                assert!(matches!(error, StoreError::Contended), "{error:?}");
            }
            key.record.id.to_string()
        }));
    }
    let mut ids = Vec::new();
    for writer in writers {
        ids.push(writer.await.unwrap());
    }
    let slice = test.store.feed_after(Sequence(0)).await.unwrap();
    let places: Vec<u64> = slice.entries.iter().map(|entry| entry.sequence.0).collect();
    assert_eq!(places, (1..=8).collect::<Vec<_>>());
    let mut told: Vec<String> = slice.entries.into_iter().map(|entry| entry.id).collect();
    told.sort();
    ids.sort();
    assert_eq!(told, ids);
}

#[tokio::test]
async fn a_transaction_conflict_is_tried_again() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    test.store.key_revoke(&client.id, &key.record.id, &act()).await.unwrap();
    assert_eq!(test.store.feed_head().await.unwrap(), Sequence(1));
}
