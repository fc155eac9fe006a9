//! Keys of other systems: found by their hashes where a pattern matches, and from then on as any other.

use domain::{
    Action, AllowedAddresses, Deed, KeyPattern, KeyPrefix, KeyRecord, KeyRefusal, Moment, PlainKey, PresentedKey,
};
use identity::{Credential, CredentialError, FEED_INTERVAL, Identity, Principal, Refusal, RefusalReason};
use testkit::{Fault, ImportedKey, act, audience, moment, now};

use crate::setup::{Setup, call};

/// Within the promised five seconds.
const WITHIN: f64 = FEED_INTERVAL.as_secs_f64();

async fn by_string(setup: &Setup, text: &str, at: Moment) -> Result<Principal, Refusal> {
    let credential = Credential::from_headers([("X-API-Key", text)]).unwrap();
    setup.identity.principal(&call(credential), at).await
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> RefusalReason {
    match outcome.unwrap_err() {
        Refusal::Unauthorized { reason, .. } => reason,
        Refusal::Unavailable(error) => panic!("{error}"),
    }
}

/// Another string that the pattern of all imported keys matches.
fn unknown(setup: &Setup) -> String {
    ImportedKey::new(&setup.client, "read").text
}

async fn change(setup: &Setup, key: &ImportedKey, change: impl FnOnce(KeyRecord) -> KeyRecord) {
    let before = setup.test.store.key_by_id(&key.record.id).await.unwrap().unwrap();
    let deed = Deed::new(Action::KeyUpdated, &key.record.id);
    setup.test.store.key_change(&before, &change(before.clone()), deed, &act(), None).await.unwrap();
}

#[tokio::test]
async fn an_imported_key_is_a_key_as_any_other() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    for (name, value) in [
        ("X-API-Key", key.text.clone()),
        ("Authorization", format!("Bearer {}", key.text)),
        ("authorization", format!("bearer {}", key.text)),
    ] {
        let credential = Credential::from_headers([(name, value.as_str())]).unwrap();
        let principal = setup.identity.principal(&call(credential), moment(0.0)).await.unwrap();
        assert_eq!(principal.key().unwrap().id, key.record.id, "{name}");
        assert_eq!((principal.credential_kind(), principal.client_id()), ("api_key", &setup.client.id));
        assert_eq!(principal.scopes().iter().map(ToString::to_string).collect::<Vec<_>>(), ["read"]);
    }
    setup.calls();
    by_string(&setup, &key.text, moment(1.0)).await.unwrap();
    assert_eq!(setup.calls(), [], "warm and fresh it costs no call");
    // The patterns are everybody's: whoever is shown a string knows nothing of its client.
    let other = setup.test.client().await;
    let theirs = ImportedKey::new(&other, "read");
    setup.test.store.import_keys(&other.id, std::slice::from_ref(&theirs.record), &act()).await.unwrap();
    let principal = by_string(&setup, &theirs.text, moment(1.0)).await.unwrap();
    assert_eq!(principal.client_id(), &other.id);
}

#[tokio::test]
async fn a_revoked_imported_key_is_refused_within_five_seconds() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    by_string(&setup, &key.text, moment(0.0)).await.unwrap();
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &act()).await.unwrap();
    match by_string(&setup, &key.text, moment(WITHIN)).await {
        Err(Refusal::Unauthorized { reason, key: Some(counted) }) => {
            assert_eq!((reason, &counted.id), (KeyRefusal::Revoked.into(), &key.record.id));
        }
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn expiry_and_addresses_bind_an_imported_key() {
    let setup = Setup::new().await;
    let mut key = ImportedKey::new(&setup.client, "read write");
    key.record.expires_at = Some(now().plus(60));
    let key = key.stored(&setup.test.store).await;
    by_string(&setup, &key.text, moment(0.0)).await.unwrap();
    let ranges = serde_json::from_str::<AllowedAddresses>(r#"["192.0.2.0/24"]"#).unwrap();
    change(&setup, &key, |record| KeyRecord { allowed_ips: ranges, ..record }).await;
    assert_eq!(reason(by_string(&setup, &key.text, moment(WITHIN)).await), KeyRefusal::Address.into());
    assert_eq!(reason(by_string(&setup, &key.text, moment(60.0)).await), KeyRefusal::Expired.into());
}

#[tokio::test]
async fn a_rotated_key_is_one_of_our_own_and_the_old_string_ends_with_the_overlap() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    by_string(&setup, &key.text, moment(0.0)).await.unwrap();
    let own = PlainKey::random_for(&key.record.prefix, &key.record.id);
    change(&setup, &key, |record| record.rotated(&own, 60, now())).await;
    assert!(own.expose().starts_with("sk-sim-"));
    for text in [own.expose(), &key.text] {
        let principal = by_string(&setup, text, moment(WITHIN)).await.unwrap();
        assert_eq!(principal.key().unwrap().id, key.record.id);
    }
    assert!(by_string(&setup, &key.text, moment(59.0)).await.is_ok());
    assert_eq!(reason(by_string(&setup, &key.text, moment(60.0)).await), KeyRefusal::SecretReplaced.into());
    assert!(by_string(&setup, own.expose(), moment(60.0)).await.is_ok());

    // One more rotation: nothing of the record is the old string's any more.
    let third = PlainKey::random_for(&key.record.prefix, &key.record.id);
    change(&setup, &key, |record| record.rotated(&third, 60, now())).await;
    assert_eq!(reason(by_string(&setup, &key.text, moment(65.0)).await), KeyRefusal::WrongSecret.into());
    setup.calls();
    assert_eq!(reason(by_string(&setup, &key.text, moment(66.0)).await), KeyRefusal::WrongSecret.into());
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)], "as an unknown one");
}

#[tokio::test]
async fn each_unknown_string_that_a_pattern_matches_costs_one_read() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    by_string(&setup, &key.text, moment(0.0)).await.unwrap();
    let again = unknown(&setup);
    setup.calls();
    for text in (0..50).map(|_| unknown(&setup)).chain([again.clone(), again]) {
        assert_eq!(reason(by_string(&setup, &text, moment(1.0)).await), KeyRefusal::Unknown.into());
    }
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 52)]);
}

#[tokio::test]
async fn what_no_pattern_matches_costs_no_read_but_that_of_the_patterns() {
    let setup = Setup::new().await;
    let strings =
        ["sk-sim-0123456789abcdef".to_owned(), unknown(&setup), format!("{}x", unknown(&setup)), "_".repeat(200)];
    setup.calls();
    for text in &strings {
        assert_eq!(reason(by_string(&setup, text, moment(0.0)).await), CredentialError::Malformed.into(), "{text}");
    }
    assert_eq!(
        setup.calls(),
        [("GetItem".to_owned(), 1), ("Query".to_owned(), 1)],
        "the feed's head, and that there is no pattern"
    );
    ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    assert!(by_string(&setup, &strings[1], moment(WITHIN)).await.is_err());
    setup.calls();
    for text in [&strings[0], &strings[2], &strings[3]] {
        assert_eq!(reason(by_string(&setup, text, moment(WITHIN)).await), CredentialError::Malformed.into(), "{text}");
    }
    assert_eq!(setup.calls(), []);
    // Nor does one of our own that is mistyped.
    let own = setup.key("read").await;
    assert!(Credential::from_headers([("X-API-Key", &own.plain.expose()[1..])]).is_err());
}

#[tokio::test]
async fn a_new_pattern_is_seen_within_five_seconds() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read");
    for second in [0.0, 4.0] {
        assert_eq!(reason(by_string(&setup, &key.text, moment(second)).await), CredentialError::Malformed.into());
    }
    let key = key.stored(&setup.test.store).await;
    assert_eq!(reason(by_string(&setup, &key.text, moment(7.9)).await), CredentialError::Malformed.into());
    let other = setup.key("read").await;
    setup.by_key(&other, moment(7.9)).await.unwrap();
    by_string(&setup, &key.text, moment(4.0 + WITHIN)).await.unwrap();
    // And nothing else was forgotten for it.
    setup.calls();
    setup.by_key(&other, moment(4.0 + WITHIN)).await.unwrap();
    assert_eq!(setup.calls(), []);
}

#[tokio::test]
async fn a_pattern_whose_entry_is_seen_before_it_is_found_at_the_next_look() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read");
    for second in [0.0, 4.0] {
        by_string(&setup, &key.text, moment(second)).await.unwrap_err();
    }
    let key = key.stored(&setup.test.store).await;
    // The feed as it is, the patterns as they were.
    setup.test.faults.once("Query", Fault::Slow(std::time::Duration::ZERO));
    setup.test.faults.once("Query", Fault::Stale);
    assert_eq!(reason(by_string(&setup, &key.text, moment(8.0)).await), CredentialError::Malformed.into());
    by_string(&setup, &key.text, moment(12.0)).await.unwrap();
}

#[tokio::test]
async fn an_id_is_found_for_whoever_reads_the_record_elsewhere() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    let id = async |text: &str| setup.identity.key_id(&PresentedKey::parse(text).unwrap(), moment(0.0)).await;
    assert_eq!(id(&key.text).await.unwrap(), Some(key.record.id));
    assert_eq!(id(&unknown(&setup)).await.unwrap(), None);
    assert_eq!(reason(id("sk-sim-0123456789abcdef").await), CredentialError::Malformed.into());
    setup.calls();
    let own = setup.key("read").await;
    setup.calls();
    assert_eq!(id(own.plain.expose()).await.unwrap(), Some(own.record.id));
    assert_eq!(setup.calls(), [], "it names its record itself");
}

#[tokio::test]
async fn a_store_that_is_away_is_neither_yes_nor_no_for_imported_keys() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    by_string(&setup, &key.text, moment(0.0)).await.unwrap();
    setup.test.faults.always("*", Fault::InternalError);
    by_string(&setup, &key.text, moment(1.0)).await.unwrap();
    let outcome = by_string(&setup, &unknown(&setup), moment(1.0)).await;
    assert!(matches!(outcome, Err(Refusal::Unavailable(_))), "{outcome:?}");
    let cold = Identity::new(setup.test.store.clone(), audience());
    let credential = Credential::from_headers([("X-API-Key", key.text.as_str())]).unwrap();
    let outcome = cold.principal(&call(credential), moment(1.0)).await;
    assert!(matches!(outcome, Err(Refusal::Unavailable(_))), "{outcome:?}");
}

#[tokio::test]
async fn a_key_whose_pattern_was_wrong_is_found_once_the_right_one_is_there() {
    let setup = Setup::new().await;
    let mut key = ImportedKey::new(&setup.client, "read");
    key.record.prefix = KeyPrefix::parse("sim_").unwrap();
    setup.test.store.import_keys(&setup.client.id, std::slice::from_ref(&key.record), &act()).await.unwrap();
    let wrong = KeyPattern::new(key.record.prefix.clone(), 39).unwrap();
    setup.test.store.pattern_register(&setup.client.id, &wrong, &act()).await.unwrap();
    assert_eq!(reason(by_string(&setup, &key.text, moment(0.0)).await), CredentialError::Malformed.into());
    setup.test.store.pattern_register(&setup.client.id, &ImportedKey::pattern(), &act()).await.unwrap();
    by_string(&setup, &key.text, moment(WITHIN)).await.unwrap();
}
