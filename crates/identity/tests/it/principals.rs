use domain::{Claims, KeyRefusal, PlainKey, Scope, ScopeSet, SecretVersion, UserId};
use identity::{Credential, Refusal, RefusalReason};
use signing::{Algorithm, KeyMaterial, Signer, TokenRefusal};
use testkit::{Fault, TestKey, moment, now};

use crate::setup::Setup;

fn refused<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> (RefusalReason, bool) {
    match outcome.unwrap_err() {
        Refusal::Unauthorized { reason, key } => (reason, key.is_some()),
        Refusal::Unavailable(error) => panic!("{error}"),
    }
}

#[tokio::test]
async fn a_key_and_its_token_are_the_same_principal() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let by_key = setup.by_key(&key, moment(0.0)).await.unwrap();
    let by_token = setup.by_token(&setup.token(&key), moment(0.0)).await.unwrap();
    for principal in [&by_key, &by_token] {
        assert_eq!(principal.key().unwrap().id, key.record.id);
        assert_eq!(Some(&principal.workspace().unwrap().id), key.record.workspace_id());
        assert!(principal.covers(&Scope::parse("read").unwrap()));
        assert!(!principal.covers(&Scope::parse("admin").unwrap()));
    }
    assert_eq!((by_key.credential_kind(), by_key.jti()), ("api_key", None));
    assert_eq!(by_token.credential_kind(), "jwt");
    assert!(by_token.jti().is_some());
}

#[tokio::test]
async fn a_token_has_no_more_than_its_key_still_has() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    // As it would be had the key been narrowed after the exchange.
    let mut claims = setup.claims(&key);
    claims.scope = ScopeSet::parse("read write").unwrap();
    let principal = setup.by_token(&setup.signer.sign(&claims).unwrap(), moment(0.0)).await.unwrap();
    let scopes: Vec<_> = principal.scopes().iter().map(ToString::to_string).collect();
    assert_eq!(scopes, ["read"]);
    assert!(!principal.covers(&Scope::parse("write").unwrap()));
}

#[tokio::test]
async fn each_bad_credential_has_its_reason_and_none_its_own_answer() {
    let setup = Setup::new().await;
    let at = moment(0.0);
    let key = setup.key("read").await;

    let unknown = TestKey::new(&setup.client, "read");
    assert_eq!(refused(setup.by_key(&unknown, at).await), (KeyRefusal::Unknown.into(), false));

    let mut guessed = setup.key("read").await;
    let (id_part, rest) = (key.record.id.digits(), &guessed.plain.expose()[24..56]);
    let body = format!("sk_live_{id_part}{rest}");
    guessed.plain = PlainKey::parse(&with_check(&body)).unwrap();
    assert_eq!(refused(setup.by_key(&guessed, at).await), (KeyRefusal::WrongSecret.into(), false));

    let mut expired = TestKey::new(&setup.client, "read");
    expired.record.expires_at = Some(now());
    setup.test.store.key_create(&expired.record, &testkit::act(), None).await.unwrap();
    assert_eq!(refused(setup.by_key(&expired, at).await), (KeyRefusal::Expired.into(), true));

    let mut claims = setup.claims(&key);
    claims.secret_version = Some(SecretVersion(2));
    let replaced = setup.signer.sign(&claims).unwrap();
    assert_eq!(refused(setup.by_token(&replaced, at).await), (KeyRefusal::SecretReplaced.into(), true));

    let foreign = Signer::new(&KeyMaterial::generate(Algorithm::Es256).unwrap()).unwrap();
    let unpublished = foreign.sign(&setup.claims(&key)).unwrap();
    assert_eq!(refused(setup.by_token(&unpublished, at).await), (RefusalReason::UnknownSigningKey, false));

    let token = setup.token(&key);
    let late = moment(900.0);
    assert_eq!(refused(setup.by_token(&token, late).await), (TokenRefusal::Expired.into(), false));

    let mut moved = setup.claims(&key);
    moved.client_id = domain::ClientId::random();
    moved.aud = moved.client_id.to_string();
    let moved = setup.signer.sign(&moved).unwrap();
    assert_eq!(refused(setup.by_token(&moved, at).await), (KeyRefusal::Unknown.into(), false));
}

/// `body` with the check that belongs to it.
pub(crate) fn with_check(body: &str) -> String {
    const DIGITS: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut check = Vec::new();
    for _ in 0..6 {
        check.insert(0, DIGITS[(rest % 62) as usize]);
        rest /= 62;
    }
    format!("{body}{}", String::from_utf8(check).unwrap())
}

#[tokio::test]
async fn a_flood_of_unknown_signing_keys_causes_one_read_per_cooldown() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let good = setup.token(&key);
    setup.by_token(&good, moment(0.0)).await.unwrap();
    setup.calls();
    for step in 0..50 {
        let foreign = Signer::new(&KeyMaterial::generate(Algorithm::Es256).unwrap()).unwrap();
        let token = foreign.sign(&setup.claims(&key)).unwrap();
        refused(setup.by_token(&token, moment(f64::from(step) * 0.01)).await);
    }
    assert_eq!(setup.calls(), [], "the keys were read a moment ago");
    let foreign = Signer::new(&KeyMaterial::generate(Algorithm::Es256).unwrap()).unwrap();
    let token = foreign.sign(&setup.claims(&key)).unwrap();
    for _ in 0..50 {
        refused(setup.by_token(&token, moment(10.0)).await);
    }
    assert_eq!(setup.calls(), [("Query".to_owned(), 1)], "one read after the cooldown");
}

#[tokio::test]
async fn malformed_and_unsigned_credentials_cost_no_read() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.by_token(&setup.token(&key), moment(0.0)).await.unwrap();
    setup.calls();
    let token = setup.token(&key);
    let tampered = format!("{}AAAA", &token[..token.len() - 4]);
    assert_eq!(refused(setup.by_token(&tampered, moment(1.0)).await).0, TokenRefusal::Signature.into());
    for malformed in ["", "x", "a.b.c", "sk_live_x", &token[1..], &key.plain.expose()[1..]] {
        let header = format!("Bearer {malformed}");
        assert!(Credential::from_authorization(&header).is_err(), "{malformed}");
    }
    assert_eq!(setup.calls(), []);
}

#[tokio::test]
async fn a_wrong_secret_costs_a_read_whether_its_key_is_known_or_not() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.by_key(&key, moment(0.0)).await.unwrap();
    let mut guessed = TestKey::new(&setup.client, "read");
    let body = format!("sk_live_{}{}", key.record.id.digits(), &guessed.plain.expose()[24..56]);
    guessed.plain = PlainKey::parse(&with_check(&body)).unwrap();
    setup.calls();
    refused(setup.by_key(&guessed, moment(1.0)).await);
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)]);
    refused(setup.by_key(&TestKey::new(&setup.client, "read"), moment(1.0)).await);
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)]);
}

#[tokio::test]
async fn a_store_that_is_away_is_neither_yes_nor_no() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.test.faults.always("*", Fault::InternalError);
    for outcome in [
        setup.by_key(&key, moment(0.0)).await,
        setup.by_token(&setup.token(&key), moment(0.0)).await,
        setup.by_key(&TestKey::new(&setup.client, "read"), moment(0.0)).await,
    ] {
        assert!(matches!(outcome, Err(Refusal::Unavailable(_))), "{outcome:?}");
    }
}

#[tokio::test]
async fn a_logged_in_user_has_what_the_role_still_gives() {
    let setup = Setup::new().await;
    let account = setup.test.account().await;
    let key = setup.key("read").await;
    let mut claims = Claims {
        sub: account.owner.id.to_string(),
        aud: account.client.id.to_string(),
        client_id: account.client.id.clone(),
        scope: ScopeSet::parse("admin read write logs:read").unwrap(),
        key_id: None,
        secret_version: None,
        workspace_id: account.client.default_workspace_id.clone(),
        billed_to: account.owner.id.clone(),
        ..setup.claims(&key)
    };
    let principal = setup.by_token(&setup.signer.sign(&claims).unwrap(), moment(0.0)).await.unwrap();
    assert_eq!((principal.user_id(), principal.actor()), (Some(&account.owner.id), account.owner.id.as_str()));
    assert!(principal.key().is_none());
    assert!(principal.covers(&Scope::parse("keys:manage").unwrap()), "an owner has admin");

    claims.sub = UserId::random().to_string();
    let gone = setup.signer.sign(&claims).unwrap();
    assert_eq!(refused(setup.by_token(&gone, moment(0.0)).await), (RefusalReason::UnknownUser, false));
    claims.sub = account.owner.id.to_string();
    claims.client_id = setup.client.id.clone();
    claims.aud = setup.client.id.to_string();
    let moved = setup.signer.sign(&claims).unwrap();
    assert_eq!(refused(setup.by_token(&moved, moment(0.0)).await), (RefusalReason::UnknownUser, false));
    claims.key_id = Some(key.record.id.clone());
    let mixed = setup.signer.sign(&claims).unwrap();
    assert_eq!(refused(setup.by_token(&mixed, moment(0.0)).await), (TokenRefusal::Claims.into(), false));
}
