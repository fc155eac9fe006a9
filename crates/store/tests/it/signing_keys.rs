use domain::published_keys::{MAX_PUBLISHED, PENDING_FOR, RETIRING_FOR};
use domain::{Act, Algorithm, ClientId, FeedEntry, FeedKind, Party, PublishedKeys, Sequence, Timestamp, Turn};
use store::audit::AuditFilter;
use store::signing_keys::NewSigningKey;
use store::{Store, StoreError};
use testkit::{Fault, TestStore, now};

use Algorithm::{EdDsa, Es256};

fn act(at: Timestamp) -> Act {
    Act { actor: Party { kind: "function".to_owned(), id: "upkeep".to_owned() }, address: None, at }
}

fn new_key(algorithm: Algorithm) -> NewSigningKey {
    NewSigningKey::new(domain::random::base62(12), algorithm, "{}".to_owned(), vec![1, 2, 3], now())
}

/// Makes a turn with the key that it wants, and answers that key's id.
async fn make(store: &Store, turn: &Turn, at: Timestamp) -> Result<Option<String>, StoreError> {
    let new = turn.wants.map(|wanted| new_key(wanted.algorithm));
    let made = store.signing_keys_turn(turn, new.as_ref(), &act(at)).await?;
    Ok(made.then(|| new.map(|new| new.public.kid)).flatten())
}

async fn states(store: &Store) -> Vec<(String, &'static str)> {
    let keys = store.signing_keys().await.unwrap();
    keys.iter().map(|(kid, key)| (kid.to_owned(), key.state.name())).collect()
}

/// The public and the private halves that there are, by their keys' ids; those that have a state are all.
async fn halves(store: &Store) -> (Vec<String>, Vec<String>) {
    let public: Vec<String> = store.signing_key_publics().await.unwrap().into_iter().map(|item| item.kid).collect();
    let mut private = Vec::new();
    for kid in &public {
        private.extend(store.signing_key_private(kid).await.unwrap().map(|item| item.kid));
    }
    (public, private)
}

#[tokio::test]
async fn a_key_lives_and_leaves_nothing_behind() {
    let test = TestStore::start().await;
    let store = &test.store;
    assert_eq!(store.signing_keys().await.unwrap(), PublishedKeys::default());
    let first = make(store, &PublishedKeys::default().due(Es256, now()), now()).await.unwrap().unwrap();
    let keys = store.signing_keys().await.unwrap();
    assert_eq!(keys.signing(Es256), Some((first.as_str(), Es256)));

    let second = make(store, &keys.rotated(Es256, now()), now()).await.unwrap().unwrap();
    let (public, private) = halves(store).await;
    assert_eq!((public.len(), private.len()), (2, 2));

    let at = now().plus(PENDING_FOR);
    assert_eq!(make(store, &store.signing_keys().await.unwrap().due(Es256, at), at).await.unwrap(), None);
    let (public, private) = halves(store).await;
    assert_eq!((public.len(), private), (2, vec![second.clone()]), "what signs no more has no private half");

    let at = at.plus(RETIRING_FOR);
    make(store, &store.signing_keys().await.unwrap().due(Es256, at), at).await.unwrap();
    assert_eq!(halves(store).await, (vec![second.clone()], vec![second.clone()]));
    assert_eq!(states(store).await, [(second, "active")]);
    let entry = FeedEntry { sequence: Sequence(1), kind: FeedKind::SigningKey, id: first };
    assert_eq!(store.feed_after(Sequence(0)).await.unwrap().entries, [entry], "who has it in memory drops it");
}

#[tokio::test]
async fn a_withdrawn_key_is_gone_told_of_and_followed_in_one_step() {
    let test = TestStore::start().await;
    let store = &test.store;
    let first = make(store, &PublishedKeys::default().due(Es256, now()), now()).await.unwrap().unwrap();
    let turn = store.signing_keys().await.unwrap().withdrawn(&first, Es256, now()).unwrap();
    let second = make(store, &turn, now()).await.unwrap().unwrap();
    assert_eq!(states(store).await, [(second.clone(), "active")]);
    assert_eq!(halves(store).await, (vec![second.clone()], vec![second.clone()]));
    let told = store.feed_after(Sequence(0)).await.unwrap();
    assert_eq!(told.entries.iter().map(|entry| entry.id.as_str()).collect::<Vec<_>>(), [first.as_str()]);

    let events = store.audit_list(&ClientId::of_nobody(), &AuditFilter::default(), 10, None).await.unwrap().events;
    let told: Vec<(&str, &str)> =
        events.iter().map(|event| (event.action.as_str(), event.object.id.as_str())).collect();
    let expected =
        [("signing_key.rotated", first.as_str()), ("signing_key.withdrawn", &first), ("signing_key.rotated", &second)];
    assert_eq!(told, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_rotations_at_once_one_is_made() {
    let test = TestStore::start().await;
    make(&test.store, &PublishedKeys::default().due(Es256, now()), now()).await.unwrap();
    let keys = test.store.signing_keys().await.unwrap();
    let mut writers = Vec::new();
    for _ in 0..8 {
        let (store, turn) = (test.another_connection(), keys.rotated(Es256, now()));
        writers.push(tokio::spawn(async move { make(&store, &turn, now()).await.unwrap() }));
    }
    let mut made = Vec::new();
    for writer in writers {
        made.extend(writer.await.unwrap());
    }
    assert_eq!(made.len(), 1, "{made:?}");
    let (public, private) = halves(&test.store).await;
    assert_eq!((public.len(), private.len()), (2, 2), "the others left nothing");
}

#[tokio::test(flavor = "multi_thread")]
async fn turns_of_several_algorithms_at_once_never_publish_more_than_ten() {
    let test = TestStore::start().await;
    make(&test.store, &PublishedKeys::default().due(Es256, now()), now()).await.unwrap();
    let mut writers = Vec::new();
    for writer in 0..4 {
        let store = test.another_connection();
        writers.push(tokio::spawn(async move {
            let algorithm = if writer % 2 == 0 { Es256 } else { EdDsa };
            // Until there is no room for another: who loses a turn to another writer tries again.
            for _ in 0..200 {
                let turn = store.signing_keys().await.unwrap().replaced(algorithm, now());
                if turn.is_refused {
                    break;
                }
                make(&store, &turn, now()).await.unwrap();
            }
        }));
    }
    for writer in writers {
        writer.await.unwrap();
    }
    let (public, private) = halves(&test.store).await;
    assert_eq!(public.len(), MAX_PUBLISHED);
    assert_eq!(states(&test.store).await.len(), MAX_PUBLISHED);
    assert_eq!(private.len(), 1, "one signs");
}

#[tokio::test]
async fn whatever_happens_to_the_call_the_keys_agree() {
    for fault in [Fault::Throttle, Fault::InternalError, Fault::LostAnswer, Fault::TransactionConflict] {
        let test = TestStore::start().await;
        let first = make(&test.store, &PublishedKeys::default().due(Es256, now()), now()).await.unwrap().unwrap();
        for times in [1, 3] {
            let before = test.store.signing_keys().await.unwrap();
            for _ in 0..times {
                test.faults.once("TransactWriteItems", fault);
            }
            // Made, not made, or unknown: what is there is one of the two, whole.
            let _ = make(&test.store, &before.rotated(Es256, now()), now()).await;
            test.faults.heal();
            let keys = test.store.signing_keys().await.unwrap();
            let (public, private) = halves(&test.store).await;
            let with_state: Vec<String> = keys.iter().map(|(kid, _)| kid.to_owned()).collect();
            assert_eq!((&public, &private), (&with_state, &with_state), "{fault:?}");
            assert_eq!(keys.signing(Es256), Some((first.as_str(), Es256)));
            assert!(keys.iter().count() <= 2, "{fault:?}: asked for again, it makes no second key");
        }
        let keys = test.store.signing_keys().await.unwrap();
        make(&test.store, &keys.rotated(Es256, now()), now()).await.unwrap();
        assert_eq!(states(&test.store).await.len(), 2, "{fault:?}: the next one makes it");
    }
}

#[tokio::test]
async fn keys_of_another_form_are_an_error() {
    let test = TestStore::start().await;
    test.put_raw("SigningTable", &[("pk", "STATE"), ("sk", "KEYS"), ("keys", "none")], &[("revision", 1)]);
    assert!(matches!(test.store.signing_keys().await, Err(StoreError::Corrupt("keys"))));
}

#[test]
fn debug_does_not_show_the_wrapped_key() {
    let private = new_key(Es256).private;
    assert_eq!(
        format!("{private:?}"),
        format!(r#"PrivateKeyItem {{ kid: "{}", algorithm: "ES256", .. }}"#, private.kid)
    );
}
