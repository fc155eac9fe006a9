use std::collections::BTreeSet;

use domain::{
    Client, ClientId, FeedEntry, FeedKind, HashedKey, KeyId, KeyPattern, KeyPrefix, KeyRecord, PresentedKey, Sequence,
};
use serde_json::json;
use store::audit::AuditFilter;
use store::import::{IMPORTED_TOGETHER, ImportedHash, KeysImported, MOST_PATTERNS, PatternRegistered};
use store::key_list::KeyFilter;
use store::{Store, StoreError};
use testkit::{Fault, TestKey, TestStore, act};

fn pattern(prefix: &str, length: usize) -> KeyPattern {
    KeyPattern::new(KeyPrefix::parse(prefix).unwrap(), length).unwrap()
}

/// Another system's key string of 39 characters.
fn foreign() -> String {
    format!("sk-sim-{}", domain::random::base62(32))
}

/// The record that its import makes.
fn imported(client: &Client, text: &str) -> KeyRecord {
    let record = TestKey::new(client, "read").record;
    let prefix = KeyPrefix::parse("sk-sim-").unwrap();
    KeyRecord { id: KeyId::random(), prefix, hash: HashedKey::of_text(text), ..record }
}

async fn matches(store: &Store, text: &str) -> bool {
    let PresentedKey::Foreign(key) = PresentedKey::parse(text).unwrap() else { panic!("{text}") };
    store.pattern_list().await.unwrap().match_key(&key)
}

#[tokio::test]
async fn a_pattern_is_registered_once_and_told_once() {
    let test = TestStore::start().await;
    let (client, other) = (test.client().await, test.client().await);
    assert!(!matches(&test.store, &foreign()).await);
    let register = async |client: &Client, length| {
        test.store.pattern_register(&client.id, &pattern("sk-sim-", length), &act()).await.unwrap()
    };
    assert_eq!(register(&client, 39).await, PatternRegistered::Done);
    let entry = |place, client: &Client| FeedEntry {
        sequence: Sequence(place),
        kind: FeedKind::Pattern,
        id: client.id.to_string(),
    };
    let told = async || test.store.feed_after(Sequence(0)).await.unwrap().entries;
    assert_eq!(told().await, [entry(1, &client)]);
    assert_eq!(register(&client, 39).await, PatternRegistered::Before);
    assert_eq!(told().await.len(), 1, "nothing is written");
    // Each client's own, though what is looked up is the same.
    assert_eq!(register(&other, 39).await, PatternRegistered::Done);
    assert_eq!(register(&client, 40).await, PatternRegistered::Done);
    assert_eq!(told().await, [entry(1, &client), entry(2, &other), entry(3, &client)]);

    let own = test.store.pattern_list_of_client(&client.id).await.unwrap();
    assert_eq!(own, [pattern("sk-sim-", 39), pattern("sk-sim-", 40)]);
    assert!(matches(&test.store, &foreign()).await && matches(&test.store, &format!("{}x", foreign())).await);
    assert!(!matches(&test.store, &format!("{}xx", foreign())).await);
    let events = test.store.audit_list(&client.id, &AuditFilter::default(), 10, None).await.unwrap().events;
    let said: Vec<_> =
        events.iter().skip(1).map(|event| (event.action.as_str(), &event.details["key_pattern"])).collect();
    let of = |length| json!({"prefix": "sk-sim-", "length": length});
    assert_eq!(said, [("client.updated", &of(39)), ("client.updated", &of(40))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn patterns_registered_at_once_are_all_there_and_no_more_than_a_client_may_have() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let more = MOST_PATTERNS + 2;
    let mut writers = Vec::new();
    for start in 0..6 {
        let (store, client) = (test.another_connection(), client.id.clone());
        writers.push(tokio::spawn(async move {
            let mut outcomes = Vec::new();
            for place in 0..more {
                let length = 30 + (start * 2 + place) % more;
                loop {
                    match store.pattern_register(&client, &pattern("sk-sim-", length), &act()).await {
                        Ok(registered) => break outcomes.push((length, registered)),
                        // Safe to repeat, also where nobody knows whether it was done.
                        Err(StoreError::Contended | StoreError::Unavailable(_)) => {}
                        Err(error) => panic!("{error:?}"),
                    }
                }
            }
            outcomes
        }));
    }
    let (mut outcomes, mut done) = (Vec::new(), BTreeSet::new());
    for writer in writers {
        outcomes.extend(writer.await.unwrap());
    }
    let kept = test.store.pattern_list_of_client(&client.id).await.unwrap();
    let lengths: BTreeSet<_> = kept.iter().map(KeyPattern::length).collect();
    assert_eq!((kept.len(), lengths.len()), (MOST_PATTERNS, MOST_PATTERNS), "each once");
    for (length, registered) in outcomes {
        assert_eq!(lengths.contains(&length), registered != PatternRegistered::TooMany, "{length}: {registered:?}");
        assert!(registered != PatternRegistered::Done || done.insert(length), "{length} was registered twice");
    }
    assert_eq!(test.store.feed_head().await.unwrap(), Sequence(MOST_PATTERNS as u64));
}

#[tokio::test]
async fn a_pattern_that_can_not_be_read_stops_no_other() {
    let test = TestStore::start().await;
    let client = test.client().await;
    test.store.pattern_register(&client.id, &pattern("sk-sim-", 39), &act()).await.unwrap();
    let other = ClientId::random();
    let item = |place: u8, prefix: &'static str| {
        [("pk", "PATTERN".to_owned()), ("sk", format!("{other}#{place}")), ("prefix", prefix.to_owned())]
    };
    for (place, (prefix, length)) in [(0, ("sk", 64)), (1, ("", 30)), (2, ("sk-new-", 1000))] {
        let item = item(place, prefix);
        let strings: Vec<_> = item.iter().map(|(name, value)| (*name, value.as_str())).collect();
        test.put_raw("KeysTable", &strings, &[("length", length)]);
    }
    assert!(matches(&test.store, &foreign()).await);
    assert!(!matches(&test.store, &format!("sk{}_", "x".repeat(61))).await, "our own strings could look like that");
    let own = test.store.pattern_list_of_client(&other).await;
    assert!(matches!(own, Err(StoreError::Corrupt(_))), "{own:?}");
}

#[tokio::test]
async fn imported_keys_are_records_that_their_hashes_lead_to() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let strings: Vec<_> = (0..IMPORTED_TOGETHER).map(|_| foreign()).collect();
    let records: Vec<_> = strings.iter().map(|text| imported(&client, text)).collect();
    test.faults.reset_counts();
    assert_eq!(test.store.import_keys(&client.id, &records, &act()).await.unwrap(), KeysImported::Done);
    assert_eq!(test.faults.counts()["TransactWriteItems"], 1);
    assert_eq!(test.store.feed_head().await.unwrap(), Sequence(0), "nobody can have them cached");

    for (text, record) in strings.iter().zip(&records) {
        let id = test.store.key_id_by_hash(&HashedKey::of_text(text)).await.unwrap();
        assert_eq!(id.as_ref(), Some(&record.id));
    }
    assert_eq!(test.store.key_by_id(&records[0].id).await.unwrap().as_ref(), Some(&records[0]));
    assert_eq!(test.store.key_id_by_hash(&HashedKey::of_text("x")).await.unwrap(), None);

    let listed = test.store.key_list(&client.id, &KeyFilter::default(), 100, None).await.unwrap().keys;
    assert_eq!(listed.len(), records.len(), "a hash is no key of the list");
    let filter = AuditFilter { action: Some("key.imported".to_owned()), ..AuditFilter::default() };
    let events = test.store.audit_list(&client.id, &filter, 100, None).await.unwrap().events;
    assert_eq!(events.len(), records.len());
    let told: BTreeSet<_> = events.iter().map(|event| event.object.id.as_str()).collect();
    assert_eq!(told, records.iter().map(|record| record.id.as_str()).collect());
    let event = events.iter().find(|event| event.object.id == records[0].id.as_str()).unwrap();
    assert_eq!(
        json!(event.details),
        json!({
            "name": "production", "type": "workspace", "environment": "live", "scopes": ["read"], "prefix": "sk-sim-",
            "fingerprint": records[0].hash.fingerprint(),
        })
    );
    let whole = test.store.audit_list(&client.id, &AuditFilter::default(), 100, None).await.unwrap().events;
    assert!(whole.windows(2).all(|pair| pair[1].previous_hash == pair[0].hash), "one chain");
}

#[tokio::test]
async fn what_is_there_already_is_found_in_one_read_and_never_written_over() {
    let test = TestStore::start().await;
    let (client, other) = (test.client().await, test.client().await);
    let strings: Vec<_> = (0..120).map(|_| foreign()).collect();
    let records: Vec<_> = strings.iter().map(|text| imported(&client, text)).collect();
    for chunk in records.chunks(IMPORTED_TOGETHER) {
        test.store.import_keys(&client.id, chunk, &act()).await.unwrap();
    }
    let hashes: Vec<_> = strings.iter().map(|text| HashedKey::of_text(text)).collect();
    let mut asked = hashes.clone();
    asked.push(HashedKey::of_text("x"));
    test.faults.reset_counts();
    let found = test.store.import_find(&asked).await.unwrap();
    assert_eq!(test.faults.counts().into_iter().collect::<Vec<_>>(), [("BatchGetItem".to_owned(), 2)]);
    assert_eq!(found.len(), 120);
    for (hash, record) in hashes.iter().zip(&records) {
        assert_eq!(found[hash], ImportedHash { key_id: record.id.clone(), client_id: client.id.clone() });
    }
    assert!(test.store.import_find(&[]).await.unwrap().is_empty());

    // One of them is enough for none of the others to be written.
    let mut second = imported(&other, &foreign());
    second.client_id = other.id.clone();
    let taken = imported(&other, &strings[7]);
    let outcome = test.store.import_keys(&other.id, &[second.clone(), taken], &act()).await.unwrap();
    assert_eq!(outcome, KeysImported::Taken);
    assert_eq!(test.store.key_by_id(&second.id).await.unwrap(), None);
    assert_eq!(test.store.import_find(&hashes).await.unwrap(), found, "a hash leads to one key for good");
    let same_id = KeyRecord { id: records[0].id.clone(), ..imported(&other, &foreign()) };
    assert_eq!(test.store.import_keys(&other.id, &[same_id], &act()).await.unwrap(), KeysImported::Taken);

    let ids: Vec<_> = records.iter().map(|record| record.id.clone()).collect();
    assert_eq!(test.store.keys_of_client(&client.id, &ids).await.unwrap().len(), 120);
    assert_eq!(test.store.keys_of_client(&other.id, &ids).await.unwrap(), [], "another client's are none");
}

#[tokio::test]
async fn reads_of_many_go_on_with_what_was_too_much_at_once() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let strings = [foreign(), foreign()];
    let records: Vec<_> = strings.iter().map(|text| imported(&client, text)).collect();
    test.store.import_keys(&client.id, &records, &act()).await.unwrap();
    let hashes = strings.map(|text| HashedKey::of_text(&text));
    test.faults.reset_counts();
    for fault in [Fault::Unprocessed, Fault::Throttle, Fault::Unprocessed] {
        test.faults.once("BatchGetItem", fault);
    }
    assert_eq!(test.store.import_find(&hashes).await.unwrap().len(), 2);
    assert_eq!(test.faults.counts()["BatchGetItem"], 4);
    // What is never read is not taken for what is not there.
    test.faults.always("BatchGetItem", Fault::Unprocessed);
    let outcome = test.store.import_find(&hashes).await;
    assert!(matches!(outcome, Err(StoreError::Contended)), "{outcome:?}");
    test.faults.heal();
    test.faults.always("BatchGetItem", Fault::InternalError);
    let outcome = test.store.import_find(&hashes).await;
    assert!(matches!(outcome, Err(StoreError::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_transaction_that_is_lost_or_meets_another_imports_once() {
    let test = TestStore::start().await;
    let client = test.client().await;
    for fault in [Fault::LostAnswer, Fault::TransactionConflict, Fault::Throttle] {
        let record = imported(&client, &foreign());
        test.faults.once("TransactWriteItems", fault);
        let outcome = test.store.import_keys(&client.id, std::slice::from_ref(&record), &act()).await.unwrap();
        assert_eq!(outcome, KeysImported::Done, "{fault:?}");
        assert_eq!(test.store.key_id_by_hash(&record.hash).await.unwrap(), Some(record.id), "{fault:?}");
    }
    let filter = AuditFilter { action: Some("key.imported".to_owned()), ..AuditFilter::default() };
    assert_eq!(test.store.audit_list(&client.id, &filter, 100, None).await.unwrap().events.len(), 3);
    // And where the event can't be written, there is no key.
    let record = imported(&client, &foreign());
    test.faults.always("TransactWriteItems", Fault::InternalError);
    assert!(test.store.import_keys(&client.id, std::slice::from_ref(&record), &act()).await.is_err());
    assert_eq!(test.store.key_by_id(&record.id).await.unwrap(), None);
}
