use std::sync::Arc;
use std::time::{Duration, Instant};

use domain::{DenyReason, Tally, Timestamp, UsageHour, UserId};
use store::UsageBuffer;
use testkit::{Fault, TestKey, TestStore, moment, now};

/// Everything that the store has counted for a key, in any hour.
async fn stored(test: &TestStore, key: &TestKey) -> Tally {
    let hours = test.store.usage_of_key(&key.record.id, now().plus(-86_400), now().plus(86_400)).await.unwrap();
    hours.values().fold(Tally::default(), |mut sum, tally| {
        sum.add(tally);
        sum
    })
}

#[tokio::test]
async fn counts_wait_in_memory_and_are_written_together() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let buffer = Arc::new(UsageBuffer::new(test.store.clone()));
    test.faults.reset_counts();
    for second in 0..4 {
        buffer.exchanged(&key.record, &UserId::random(), moment(f64::from(second)));
        buffer.allowed(&key.record, &UserId::random(), moment(f64::from(second)));
        buffer.denied(&key.record, DenyReason::NoRoute, moment(f64::from(second)));
        buffer.flush_if_due(moment(f64::from(second))).await;
    }
    assert!(test.faults.counts().is_empty(), "nothing has waited for five seconds");
    buffer.flush_if_due(moment(5.0)).await;
    let counts = test.faults.counts();
    assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("UpdateItem".to_owned(), 2)], "the row, and the last use");
    let tally = stored(&test, &key).await;
    assert_eq!((tally.exchanges, tally.allowed, tally.denied[&DenyReason::NoRoute]), (4, 4, 4));

    test.faults.reset_counts();
    buffer.flush(moment(10.0)).await.unwrap();
    assert!(test.faults.counts().is_empty(), "what is written does not wait any more");
}

#[tokio::test]
async fn a_flush_that_fails_loses_nothing_and_doubles_nothing() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let keys = [TestKey::new(&client, "read"), TestKey::new(&client, "read")];
    let buffer = UsageBuffer::new(test.store.clone());
    for key in &keys {
        buffer.exchanged(&key.record, &UserId::random(), moment(0.0));
    }
    // Executed and the answers lost, then not executed at all, then well again.
    for fault in [Some(Fault::LostAnswer), Some(Fault::Throttle), None] {
        test.faults.heal();
        if let Some(fault) = fault {
            test.faults.always("UpdateItem", fault);
        }
        for key in &keys {
            buffer.exchanged(&key.record, &UserId::random(), moment(1.0));
        }
        // A condition that fails because the lost write was executed counts as written.
        let _ = buffer.flush(moment(6.0)).await;
    }
    for key in &keys {
        assert_eq!(stored(&test, key).await.exchanges, 4);
    }
}

#[tokio::test]
async fn what_a_failed_flush_left_is_written_by_the_next_one() {
    let test = TestStore::start().await;
    let client = test.client().await;
    // More than are written at once: the first to fail ends it for all behind.
    let keys: Vec<_> = (0..40).map(|_| TestKey::new(&client, "read")).collect();
    let buffer = UsageBuffer::new(test.store.clone());
    for key in &keys {
        buffer.exchanged(&key.record, &UserId::random(), moment(0.0));
    }
    test.faults.always("UpdateItem", Fault::Throttle);
    assert!(buffer.flush(moment(0.0)).await.is_err());
    assert!(test.faults.counts()["UpdateItem"] <= 16 * 3, "no further writes are begun");
    test.faults.heal();
    buffer.flush(moment(1.0)).await.unwrap();
    for key in &keys {
        assert_eq!(stored(&test, key).await.exchanges, 1);
    }
}

#[tokio::test]
async fn a_slow_table_holds_no_caller_and_loses_no_count() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let buffer = Arc::new(UsageBuffer::new(test.store.clone()));
    buffer.exchanged(&key.record, &UserId::random(), moment(0.0));
    test.faults.always("UpdateItem", Fault::Hang);
    #[expect(clippy::disallowed_methods, reason = "the waiting itself is what is tested")]
    let begun = Instant::now();
    for second in [5.0, 10.0, 15.0, 20.0, 25.0] {
        buffer.flush_if_due(moment(second)).await;
        buffer.exchanged(&key.record, &UserId::random(), moment(second));
    }
    // One hanging write takes three seconds to fail; five callers that each wait for it would take fifteen.
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
    test.faults.heal();
    buffer.flush(moment(30.0)).await.unwrap();
    assert_eq!(stored(&test, &key).await.exchanges, 6);
}

#[tokio::test]
async fn every_process_counts_for_itself() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    for _ in 0..3 {
        let buffer = UsageBuffer::new(test.another_connection());
        buffer.exchanged(&key.record, &UserId::random(), moment(0.0));
        buffer.flush(moment(0.0)).await.unwrap();
    }
    assert_eq!(stored(&test, &key).await.exchanges, 3);
}

#[tokio::test]
async fn counts_go_to_the_hour_they_were_made_in_even_when_the_clock_goes_back() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let buffer = UsageBuffer::new(test.store.clone());
    for second in [0.0, 3600.0, 0.0] {
        buffer.exchanged(&key.record, &UserId::random(), moment(second));
        buffer.flush(moment(second)).await.unwrap();
    }
    let hours = test.store.usage_of_key(&key.record.id, now(), now().plus(3600)).await.unwrap();
    assert_eq!(hours[&UsageHour::of(now())].exchanges, 2);
    assert_eq!(hours[&UsageHour::of(now().plus(3600))].exchanges, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn flushes_at_once_and_counts_meanwhile_add_up() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let buffer = Arc::new(UsageBuffer::new(test.store.clone()));
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (buffer, record) = (buffer.clone(), key.record.clone());
        tasks.push(tokio::spawn(async move {
            for _ in 0..25 {
                buffer.exchanged(&record, &UserId::random(), moment(0.0));
                buffer.flush(moment(0.0)).await.unwrap();
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    assert_eq!(stored(&test, &key).await.exchanges, 200);
}

async fn last_used(test: &TestStore, key: &TestKey) -> Option<Timestamp> {
    let one = test.store.last_used_of(&key.record.client_id, &key.record.id).await.unwrap();
    let many = test.store.last_used(&key.record.client_id, [&key.record.id]).await.unwrap();
    assert_eq!(many.get(&key.record.id), one.as_ref());
    one
}

#[tokio::test]
async fn the_last_use_is_written_once_for_each_minute_and_key() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let (key, denied) = (TestKey::new(&client, "read"), TestKey::new(&client, "read"));
    let (buffer, payer) = (UsageBuffer::new(test.store.clone()), UserId::random());
    assert_eq!(now().unix() % 60, 0, "tests begin with a minute");
    // Seconds, whether another key is denied something, and how many writes that makes: rows, and last uses.
    for (second, denies, writes) in
        [(0, false, 2), (5, false, 1), (59, true, 2), (60, false, 2), (64, true, 2), (185, false, 2)]
    {
        let at = moment(f64::from(second));
        buffer.allowed(&key.record, &payer, at);
        if denies {
            buffer.denied(&denied.record, DenyReason::NoRoute, at);
        }
        test.faults.reset_counts();
        buffer.flush(at).await.unwrap();
        let counts = test.faults.counts().into_iter().collect::<Vec<_>>();
        assert_eq!(counts, [("UpdateItem".to_owned(), writes)], "{second} s");
        let minute = now().plus(i64::from(second) / 60 * 60);
        assert_eq!((last_used(&test, &key).await, last_used(&test, &denied).await), (Some(minute), None), "{second} s");
    }
    buffer.denied(&key.record, DenyReason::NoRoute, moment(300.0));
    buffer.flush(moment(300.0)).await.unwrap();
    assert_eq!(last_used(&test, &key).await, Some(now().plus(180)), "a refusal is no use");
}

#[tokio::test]
async fn an_earlier_use_sets_nothing_back_whoever_writes_it() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let payer = UserId::random();
    let [first, late] = [test.store.clone(), test.another_connection()].map(UsageBuffer::new);
    late.exchanged(&key.record, &payer, moment(0.0));
    first.exchanged(&key.record, &payer, moment(3700.0));
    first.flush(moment(3700.0)).await.unwrap();
    late.flush(moment(3800.0)).await.unwrap();
    first.allowed(&key.record, &payer, moment(60.0));
    first.flush(moment(3800.0)).await.unwrap();
    assert_eq!(last_used(&test, &key).await, Some(now().plus(3660)));
    assert_eq!(stored(&test, &key).await.exchanges, 2);
}

#[tokio::test]
async fn a_last_use_that_could_not_be_written_is_written_by_the_next_flush() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let buffer = UsageBuffer::new(test.store.clone());
    for fault in [Fault::Throttle, Fault::LostAnswer] {
        let second = if matches!(fault, Fault::Throttle) { 0_u8 } else { 60 };
        buffer.allowed(&key.record, &UserId::random(), moment(f64::from(second)));
        test.faults.always("UpdateItem", fault);
        assert!(buffer.flush(moment(f64::from(second))).await.is_err());
        test.faults.heal();
        buffer.flush(moment(f64::from(second) + 1.0)).await.unwrap();
        assert_eq!(last_used(&test, &key).await, Some(now().plus(i64::from(second))));
    }
    assert_eq!(stored(&test, &key).await.allowed, 2);
}

#[tokio::test]
async fn another_clients_key_of_the_same_id_was_never_used() {
    let test = TestStore::start().await;
    let key = TestKey::new(&test.client().await, "read");
    let buffer = UsageBuffer::new(test.store.clone());
    buffer.allowed(&key.record, &UserId::random(), moment(0.0));
    buffer.flush(moment(0.0)).await.unwrap();
    let other = test.client().await;
    assert_eq!(test.store.last_used_of(&other.id, &key.record.id).await.unwrap(), None);
    assert!(test.store.last_used(&other.id, [&key.record.id]).await.unwrap().is_empty());
    test.faults.reset_counts();
    assert!(test.store.last_used(&other.id, []).await.unwrap().is_empty());
    assert!(test.faults.counts().is_empty(), "none of none");
}
