use std::collections::BTreeMap;

use domain::{DenyReason, Tally, UsageHour, UserId, WriterId};
use store::usage::UsageRow;
use testkit::{Fault, TestKey, TestStore, now};

fn row(key: &TestKey, writer: &WriterId, sequence: u64, exchanges: u64) -> UsageRow {
    UsageRow {
        key_id: key.record.id.clone(),
        client_id: key.record.client_id.clone(),
        billed_to: Some(UserId::random()),
        hour: UsageHour::of(now()),
        writer: writer.clone(),
        sequence,
        total: Tally { exchanges, ..Tally::default() },
    }
}

async fn exchanges(test: &TestStore, key: &TestKey) -> u64 {
    let hours = test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
    hours.values().map(|tally| tally.exchanges).sum()
}

#[tokio::test]
async fn a_write_that_is_repeated_or_late_counts_nothing_twice() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let writer = WriterId::random();
    for (sequence, total) in [(1, 5), (1, 5), (2, 8), (1, 5)] {
        test.store.usage_write(&row(&key, &writer, sequence, total)).await.unwrap();
    }
    assert_eq!(exchanges(&test, &key).await, 8);
}

#[tokio::test]
async fn a_write_whose_answer_was_lost_counts_once() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    test.faults.once("UpdateItem", Fault::LostAnswer);
    test.store.usage_write(&row(&key, &WriterId::random(), 1, 5)).await.unwrap();
    assert_eq!(test.faults.counts()["UpdateItem"], 2, "the SDK has tried again");
    assert_eq!(exchanges(&test, &key).await, 5);
}

#[tokio::test]
async fn writers_and_hours_are_summed_apart() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let denied = BTreeMap::from([(DenyReason::InsufficientScope, 2), (DenyReason::KeyRevoked, 1)]);
    let mut first = row(&key, &WriterId::random(), 1, 3);
    first.total.allowed = 7;
    first.total.denied = denied.clone();
    let second = row(&key, &WriterId::random(), 1, 4);
    let mut next_hour = row(&key, &WriterId::random(), 1, 1);
    next_hour.hour = UsageHour::of(now().plus(3600));
    for row in [&first, &second, &next_hour] {
        test.store.usage_write(row).await.unwrap();
    }
    let hours = test.store.usage_of_key(&key.record.id, now(), now().plus(3600)).await.unwrap();
    assert_eq!(hours[&first.hour], Tally { exchanges: 7, allowed: 7, denied });
    assert_eq!(hours[&next_hour.hour].exchanges, 1);
    let only_first = test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
    assert_eq!(only_first.len(), 1);
}
