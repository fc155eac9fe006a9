use std::collections::BTreeSet;
use std::time::Duration;

use domain::{Act, Action, AuditEvent, Client, ClientId, Deed, HashedKey, KeyId, Outcome, Timestamp, UserId, random};
use serde_json::json;
use store::audit::{AuditFilter, AuditPosition};
use store::keys::{KeyChanged, KeyCreated, Revocation};
use store::replay::Replay;
use store::{Store, StoreError};
use testkit::{Fault, TestKey, TestStore, act, change_client, now};

/// Every event of a client that a filter lets through, oldest first, and the places behind them.
async fn walk(store: &Store, client: &ClientId, filter: &AuditFilter, limit: usize) -> Vec<(AuditEvent, String)> {
    let (mut events, mut after) = (Vec::new(), None::<AuditPosition>);
    loop {
        let page = store.audit_list(client, filter, limit, after.as_ref()).await.unwrap();
        assert!(page.events.len() <= limit);
        let place = page.next.as_ref().map(ToString::to_string).unwrap_or_default();
        events.extend(page.events.into_iter().map(|event| (event, place.clone())));
        match page.next {
            None => return events,
            Some(next) => {
                assert_eq!(AuditPosition::parse(&place, client, filter), Some(next.clone()));
                after = Some(next);
            }
        }
    }
}

async fn list(store: &Store, client: &ClientId) -> Vec<AuditEvent> {
    walk(store, client, &AuditFilter::default(), 100).await.into_iter().map(|(event, _)| event).collect()
}

/// Panics where the events are no whole chain from its first on; says how many they are.
fn assert_chain(events: &[AuditEvent]) -> usize {
    let mut previous: Option<&str> = None;
    for event in events {
        assert_eq!(event.hash.as_deref(), Some(event.computed_hash().as_str()), "{event:?}");
        assert_eq!(event.previous_hash.as_deref(), previous, "{event:?}");
        previous = event.hash.as_deref();
    }
    events.len()
}

fn by(actor: &UserId, at: Timestamp) -> Act {
    Act { actor: actor.into(), address: Some("192.0.2.1".to_owned()), at }
}

/// An answer to a call of a name that no other has.
fn replay() -> Replay {
    let [name, asked] = [random::base62(20), random::base62(20)].map(|text| HashedKey::of_text(&text));
    Replay { name, asked, status: 201, body: "{}".to_owned() }
}

#[tokio::test(flavor = "multi_thread")]
async fn fifty_changes_at_once_are_one_chain_without_a_gap() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let mut keys = Vec::new();
    for place in 0..50 {
        let key = TestKey::new(&client, "read");
        // Some of the changes meet at the feed's head, too.
        let revoked = place % 5 == 0;
        keys.push((if revoked { key.stored(&test.store).await } else { key }, revoked));
    }
    let mut writers = Vec::new();
    for (key, revoked) in keys {
        let store = test.another_connection();
        writers.push(tokio::spawn(async move {
            let replay = replay();
            loop {
                let done = if revoked {
                    store.key_revoke(&key.record.client_id, &key.record.id, &act()).await.map(drop)
                } else {
                    store.key_create(&key.record, &act(), Some(&replay)).await.map(drop)
                };
                match done {
                    Ok(()) => return key.record.id.to_string(),
                    // A writer that met the others too often, or waited too long for an answer, says so; its caller repeats it.
                    Err(StoreError::Contended | StoreError::Unavailable(_)) => {}
                    Err(error) => panic!("{error:?}"),
                }
            }
        }));
    }
    let mut changed = BTreeSet::new();
    for writer in writers {
        changed.insert(writer.await.unwrap());
    }

    // The sign-up, ten keys to revoke, fifty changes.
    let (events, places): (Vec<_>, Vec<_>) =
        walk(&test.store, &client.id, &AuditFilter::default(), 1).await.into_iter().unzip();
    assert_eq!(assert_chain(&events), 61);
    let told: BTreeSet<String> = events[11..].iter().map(|event| event.object.id.clone()).collect();
    assert_eq!(told, changed, "each change has its event");
    assert_eq!(events.iter().filter(|event| event.action == "key.revoked").count(), 10);
    // A place is partition, number, and time with number.
    let numbers = places[..60].iter().map(|place| place.split(' ').nth(1).unwrap().parse::<usize>().unwrap());
    assert_eq!(numbers.collect::<Vec<_>>(), (1..=60).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_lost_answer_makes_no_second_event() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read");
    let replay = replay();
    let lose = || {
        test.faults.reset_counts();
        test.faults.once("TransactWriteItems", Fault::LostAnswer);
        let faults = test.faults.clone();
        move || assert!(faults.counts()["TransactWriteItems"] > 1, "the SDK has tried again")
    };

    let tried_again = lose();
    assert_eq!(test.store.key_create(&key.record, &act(), Some(&replay)).await.unwrap(), KeyCreated::Done);
    tried_again();
    let tried_again = lose();
    let renamed = domain::KeyRecord { name: "renamed".to_owned(), ..key.record.clone() };
    let deed = Deed::new(Action::KeyUpdated, &key.record.id).with("name", "renamed");
    let changed = test.store.key_change(&key.record, &renamed, deed, &act(), None).await.unwrap();
    assert_eq!(changed, KeyChanged::Done);
    tried_again();
    let tried_again = lose();
    let revoked = test.store.key_revoke(&client.id, &key.record.id, &act()).await.unwrap();
    assert_eq!(revoked, Revocation::Revoked);
    tried_again();
    let tried_again = lose();
    change_client(&test.store, &client, |client| client.name = "Renamed".to_owned()).await;
    tried_again();

    // As by a caller who has waited too long for the answer, and asks again.
    let again = test.store.key_create(&key.record, &act(), Some(&replay)).await.unwrap();
    assert_eq!(again, KeyCreated::AnsweredBefore);
    let again = test.store.key_revoke(&client.id, &key.record.id, &act()).await.unwrap();
    assert_eq!(again, Revocation::AlreadyRevoked);

    let events = list(&test.store, &client.id).await;
    assert_chain(&events);
    let actions: Vec<&str> = events.iter().map(|event| event.action.as_str()).collect();
    assert_eq!(actions, ["user.joined", "key.created", "key.updated", "key.revoked", "client.updated"]);
}

#[tokio::test]
async fn a_change_that_met_another_one_is_tried_again() {
    let test = TestStore::start().await;
    let client = test.client().await;
    test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    TestKey::new(&client, "read").stored(&test.store).await;

    // Read before the first key was made: the second one is to be hung behind the sign-up, where the first one hangs.
    test.faults.once("GetItem", Fault::Stale);
    test.faults.reset_counts();
    TestKey::new(&client, "read").stored(&test.store).await;
    assert!(test.faults.counts()["TransactWriteItems"] > 1);
    assert_eq!(assert_chain(&list(&test.store, &client.id).await), 3);
}

#[tokio::test]
async fn behind_a_head_that_can_not_be_right_nothing_is_written() {
    let hash = "0123456789abcdef".repeat(4);
    let upper = hash.to_uppercase();
    let both = [("sequence", 1), ("at", 1_800_000_000)];
    for (wrong, strings, numbers) in [
        ("sequence", &[("hash", hash.as_str())][..], &both[1..]),
        ("at", &[("hash", hash.as_str())], &both[..1]),
        ("hash", &[], &both),
        ("hash", &[("hash", "")], &both),
        ("hash", &[("hash", &hash[1..])], &both),
        ("hash", &[("hash", upper.as_str())], &both),
        ("sequence", &[("hash", hash.as_str()), ("sequence", "1")], &both[1..]),
    ] {
        let test = TestStore::start().await;
        let client = test.client().await;
        let key = TestKey::new(&client, "read").stored(&test.store).await;
        let before = list(&test.store, &client.id).await;
        let partition = format!("CHAIN#{}", client.id);
        let strings = [&[("pk", partition.as_str()), ("sk", "HEAD")], strings].concat();
        test.put_raw("AuditTable", &strings, numbers);

        test.faults.reset_counts();
        let other = TestKey::new(&client, "read");
        let created = test.store.key_create(&other.record, &act(), None).await.unwrap_err();
        let revoked = test.store.key_revoke(&client.id, &key.record.id, &act()).await.unwrap_err();
        for error in [created, revoked] {
            assert!(matches!(error, StoreError::Corrupt(attribute) if attribute == wrong), "{wrong}: {error:?}");
        }
        assert_eq!(test.faults.counts().get("TransactWriteItems"), None);
        assert_eq!(test.store.key_by_id(&other.record.id).await.unwrap(), None);
        assert_eq!(test.store.key_by_id(&key.record.id).await.unwrap(), Some(key.record));
        assert_eq!(list(&test.store, &client.id).await, before);
    }
}

/// Tries to revoke a key, again and again, as long as it takes to see that it does not succeed.
async fn is_tried_in_vain(test: &TestStore, key: &TestKey) {
    test.faults.reset_counts();
    let by = act();
    let mut revocation = Box::pin(test.store.key_revoke(&key.record.client_id, &key.record.id, &by));
    while test.faults.counts().get("TransactWriteItems").is_none_or(|count| *count < 4) {
        let tick = tokio::time::sleep(Duration::from_millis(5));
        tokio::select! {
            done = &mut revocation => panic!("{done:?}"),
            () = tick => {}
        }
    }
}

#[tokio::test]
async fn a_head_that_went_back_overwrites_no_event() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    let before = list(&test.store, &client.id).await;
    let (partition, hash) = (format!("CHAIN#{}", client.id), before[0].hash.clone().unwrap());
    let strings = [("pk", partition.as_str()), ("sk", "HEAD"), ("hash", hash.as_str())];
    test.put_raw("AuditTable", &strings, &[("sequence", 1), ("at", 1_800_000_000)]);
    is_tried_in_vain(&test, &key).await;
    assert_eq!(test.store.key_by_id(&key.record.id).await.unwrap(), Some(key.record));
    assert_eq!(list(&test.store, &client.id).await, before);
}

#[tokio::test]
async fn a_change_whose_event_can_not_be_written_is_not_made() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    // Where the next event is to stand there is something already, which no code of the project has put there.
    let partition = format!("CHAIN#{}", client.id);
    test.put_raw("AuditTable", &[("pk", &partition), ("sk", "00000000000000000003")], &[]);
    is_tried_in_vain(&test, &key).await;
    assert_eq!(test.store.key_by_id(&key.record.id).await.unwrap(), Some(key.record));
}

#[tokio::test]
async fn details_come_back_as_they_were_and_their_hash_is_right() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let key = TestKey::new(&client, "read").stored(&test.store).await;
    let details = json!({
        "text": "ключ \u{0}\u{1}\u{1f}\u{7f}\u{2028}\u{1f511}\u{fffd} \"\\/\r\n\t\u{8}\u{c} e\u{301} \u{e9}",
        "": "", " ": " ", "ключ": null, "\u{ff5e}": 1, "\u{10000}": 2, "\"\\": [],
        "numbers": [0, -1, 9_007_199_254_740_991_i64, -9_007_199_254_740_991_i64],
        "deep": [[[{"a": [{}, [], true, false, null]}]]],
        "large": "x".repeat(100_000),
        // Kept as text: not every reader reads them alike.
        "half": 0.1, "huge": u64::MAX,
    });
    let deed = details
        .as_object()
        .unwrap()
        .iter()
        .fold(Deed::new(Action::KeyUpdated, &key.record.id), |deed, (name, value)| deed.with(name, value));
    let renamed = domain::KeyRecord { name: "renamed".to_owned(), ..key.record.clone() };
    test.store.key_change(&key.record, &renamed, deed, &act(), None).await.unwrap();
    TestKey::new(&client, "read").stored(&test.store).await;

    let events = list(&test.store, &client.id).await;
    assert_eq!(assert_chain(&events), 4);
    let mut expected = details;
    expected["half"] = json!("0.1");
    expected["huge"] = json!("18446744073709551615");
    assert_eq!(json!(events[2].details), expected);
}

#[tokio::test]
async fn a_writer_whose_clock_is_behind_stands_behind_all_the_same() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let user = UserId::random();
    for (place, seconds) in [0, 120, -300, 60, 120, 121].into_iter().enumerate() {
        let mut key = TestKey::new(&client, "read");
        key.record.name = place.to_string();
        test.store.key_create(&key.record, &by(&user, now().plus(seconds)), None).await.unwrap();
    }
    let events = list(&test.store, &client.id).await;
    assert_chain(&events);
    let names: Vec<_> = events[1..].iter().map(|event| event.details["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["0", "1", "2", "3", "4", "5"]);
    let times: Vec<_> = events[1..].iter().map(|event| event.at.unix() - now().unix()).collect();
    assert_eq!(times, [0, 120, 120, 120, 120, 121]);
}

#[tokio::test]
async fn what_is_noted_outside_of_the_chain_costs_one_write_and_no_place_in_it() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let user = UserId::random();
    let by = by(&user, now());
    test.faults.reset_counts();
    test.faults.once("PutItem", Fault::LostAnswer);
    let deed = Deed::new(Action::LoginFailed, &user);
    test.store.audit_note(&client.id, &by, deed.clone(), Outcome::Refused).await.unwrap();
    let counts = test.faults.counts();
    assert_eq!(counts.keys().collect::<Vec<_>>(), ["PutItem"]);
    assert!(counts["PutItem"] > 1, "the SDK has tried again");
    TestKey::new(&client, "read").stored(&test.store).await;

    // A note of the same second stands behind its changes.
    let events = list(&test.store, &client.id).await;
    assert_eq!(assert_chain(&events[..2]), 2);
    assert_eq!(events.len(), 3, "the answer was lost, and the note is one");
    let expected = AuditEvent::unchained(&by, deed, Outcome::Refused);
    assert_eq!(events[2], AuditEvent { id: events[2].id.clone(), ..expected });
}

/// A client with changes and notes, by two actors, in three seconds.
async fn mixed(test: &TestStore) -> (Client, [UserId; 2], Vec<KeyId>) {
    let client = test.client().await;
    let users = [UserId::random(), UserId::random()];
    let mut keys = Vec::new();
    for place in 0..12_i64 {
        let user = &users[usize::try_from(place % 2).unwrap()];
        let by = by(user, now().plus(1 + place / 4));
        let key = TestKey::new(&client, "read");
        test.store.key_create(&key.record, &by, None).await.unwrap();
        let deed = Deed::new(Action::LoginSucceeded, user);
        test.store.audit_note(&client.id, &by, deed, Outcome::Done).await.unwrap();
        keys.push(key.record.id);
    }
    (client, users, keys)
}

#[tokio::test]
async fn pages_of_changes_and_notes_hold_each_event_once_in_order() {
    let test = TestStore::start().await;
    let (client, ..) = mixed(&test).await;
    let (other, ..) = mixed(&test).await;
    let all = list(&test.store, &client.id).await;
    assert_eq!(all.len(), 25);
    assert!(all.is_sorted_by_key(|event| event.at));
    let chained: Vec<AuditEvent> = all.iter().filter(|event| event.hash.is_some()).cloned().collect();
    assert_eq!(assert_chain(&chained), 13);
    for limit in [1, 4, 24, 25] {
        test.faults.reset_counts();
        let walked = walk(&test.store, &client.id, &AuditFilter::default(), limit).await;
        assert_eq!(walked.into_iter().map(|(event, _)| event).collect::<Vec<_>>(), all, "{limit}");
        assert_eq!(test.faults.counts()["Query"], 25_usize.div_ceil(limit), "one query for each page");
    }
    let others = list(&test.store, &other.id).await;
    assert!(others.iter().all(|event| !all.contains(event)), "each sees its own alone");
}

#[test]
fn a_place_is_one_of_its_own_list() {
    let (client, other, any) = (ClientId::random(), ClientId::random(), AuditFilter::default());
    let (number, event, user) = ("00000000000000000001", "ev_0123456789abcdef", "cu_0123456789abcdef");
    let (time, at) = (now().to_string(), |from, to| AuditFilter { from, to, ..AuditFilter::default() });
    let chain = format!("CHAIN#{client} {number} {time}#{number}");
    let stream = format!("STREAM#{client}#{user} {time}#{event} {time}#{event}");
    for place in [&chain, &stream] {
        for filter in [&any, &at(Some(now()), Some(now()))] {
            assert_eq!(AuditPosition::parse(place, &client, filter).unwrap().to_string(), *place);
        }
        for filter in [at(Some(now().plus(1)), None), at(None, Some(now().plus(-1)))] {
            assert_eq!(AuditPosition::parse(place, &client, &filter), None, "out of its time");
        }
        assert_eq!(AuditPosition::parse(place, &other, &any), None, "another client's");
        for wrong in [
            place.replace(&time, "2027-01-15T08:00:00+00:00"),
            place.replace(&time, ""),
            place.replacen(' ', "  ", 1),
            format!("{place} "),
            format!(" {place}"),
            place.replace('1', "x"),
            place.replace("ev_", ""),
            place.replace(user, ""),
            place.replacen(number, "HEAD", 1),
            place.replace(number, "HEAD"),
            place.replace(number, "1"),
            place.replacen(event, "ev_fedcba9876543210", 1),
        ] {
            assert!(wrong == *place || AuditPosition::parse(&wrong, &client, &any).is_none(), "{wrong}");
        }
    }
}

#[tokio::test]
async fn filters_are_met_exactly() {
    let test = TestStore::start().await;
    let (client, users, keys) = mixed(&test).await;
    let all = list(&test.store, &client.id).await;
    let any = AuditFilter::default();
    let is = |text: &str| Some(text.to_owned());
    let at = |seconds| Some(now().plus(seconds));
    let [user, _] = &users;
    for (filter, expected) in [
        (AuditFilter { actor: is(user.as_str()), ..any.clone() }, 12),
        (AuditFilter { actor: is(&user.as_str()[..18]), ..any.clone() }, 0),
        (AuditFilter { action: is("key.created"), ..any.clone() }, 12),
        (AuditFilter { action: is("key"), ..any.clone() }, 0),
        (AuditFilter { object: is(keys[3].as_str()), ..any.clone() }, 1),
        (AuditFilter { actor: is(user.as_str()), object: is(keys[3].as_str()), ..any.clone() }, 0),
        (AuditFilter { actor: is(user.as_str()), action: is("login.succeeded"), ..any.clone() }, 6),
        // Both borders belong to it.
        (AuditFilter { from: at(1), to: at(1), ..any.clone() }, 8),
        (AuditFilter { from: at(2), ..any.clone() }, 16),
        (AuditFilter { to: at(2), ..any.clone() }, 17),
        (AuditFilter { from: at(4), ..any.clone() }, 0),
        (AuditFilter { to: at(-1), ..any.clone() }, 0),
        (AuditFilter { action: is("key.created"), from: at(2), to: at(3), ..any.clone() }, 8),
    ] {
        for limit in [3, 100] {
            let found = walk(&test.store, &client.id, &filter, limit).await;
            let found: Vec<AuditEvent> = found.into_iter().map(|(event, _)| event).collect();
            let wanted = |event: &&AuditEvent| {
                filter.actor.as_ref().is_none_or(|actor| *actor == event.actor.id)
                    && filter.action.as_ref().is_none_or(|action| *action == event.action)
                    && filter.object.as_ref().is_none_or(|object| *object == event.object.id)
                    && filter.from.is_none_or(|from| from <= event.at)
                    && filter.to.is_none_or(|to| event.at <= to)
            };
            assert_eq!(found, all.iter().filter(wanted).cloned().collect::<Vec<_>>(), "{filter:?}");
            assert_eq!(found.len(), expected, "{filter:?}");
        }
    }
}

#[tokio::test]
async fn a_page_of_a_filter_that_nothing_meets_ends() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let user = UserId::random();
    for _ in 0..120 {
        let deed = Deed::new(Action::LoginFailed, &user);
        test.store.audit_note(&client.id, &by(&user, now().plus(1)), deed, Outcome::Refused).await.unwrap();
    }
    let filter = AuditFilter { action: Some("user.joined".to_owned()), ..AuditFilter::default() };
    test.faults.reset_counts();
    let found = walk(&test.store, &client.id, &filter, 10).await;
    assert_eq!(found.len(), 1, "the one that stands before them all");
    assert!(test.faults.counts()["Query"] <= 2);
}

#[tokio::test]
async fn an_event_that_can_not_be_read_is_left_out_of_no_list_in_silence() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let [first, ..] = &list(&test.store, &client.id).await[..] else { panic!("the sign-up is an event") };
    let (partition, at_id) = (format!("CHAIN#{}", client.id), format!("{}#{:020}", first.at, 1));
    let event = serde_json::to_string(first).unwrap();
    let whole = [
        ("pk", partition.as_str()),
        ("sk", "00000000000000000001"),
        ("client_id", client.id.as_str()),
        ("at_id", &at_id),
        ("id", first.id.as_str()),
        ("event", &event),
    ];
    test.put_raw("AuditTable", &whole, &[("sequence", 1)]);
    assert_eq!(list(&test.store, &client.id).await, std::slice::from_ref(first));
    let other = UserId::random().to_string().replace("cu_", "ev_");
    let newer = event.replacen('{', r#"{"one_more":1,"#, 1);
    for (place, wrong) in [(5, "{}"), (5, ""), (5, "[]"), (5, newer.as_str()), (4, other.as_str()), (4, "x")] {
        let mut item = whole;
        item[place].1 = wrong;
        test.put_raw("AuditTable", &item, &[("sequence", 1)]);
        let error = test.store.audit_list(&client.id, &AuditFilter::default(), 10, None).await.unwrap_err();
        assert!(matches!(error, StoreError::Corrupt(_)), "{wrong}: {error:?}");
    }
}
