//! Keys of other systems are exchanged as any other.

use domain::{Action, Deed, KeyRecord, PlainKey};
use serde_json::{Value, json};
use testkit::{Fault, ImportedKey, act, now};

use crate::setup::Setup;

async fn imported(setup: &Setup, scopes: &str) -> ImportedKey {
    ImportedKey::new(&setup.client, scopes).stored(&setup.test.store).await
}

/// Status and body of each form's answer.
async fn both(setup: &Setup, text: &str) -> [(u16, Value); 2] {
    let forms = [("/auth/token", json!({"apiKey": text})), ("/auth/exchange", json!({"api_key": text}))];
    let mut answers = Vec::new();
    for (path, body) in forms {
        answers.push(setup.post(path, &body.to_string()).await);
    }
    answers.try_into().unwrap()
}

#[tokio::test]
async fn an_imported_key_is_exchanged_for_a_token_that_says_so() {
    let setup = Setup::new().await;
    let key = imported(&setup, "read write").await;
    let [(of_simcel, simcel), (of_simbee, simbee)] = both(&setup, &key.text).await;
    assert_eq!((of_simcel, of_simbee), (200, 200), "{simcel} {simbee}");
    for token in [&simcel["accessToken"], &simbee["data"]["token"]] {
        let claims = setup.claims(token).await;
        assert_eq!(claims.key_id.as_ref(), Some(&key.record.id));
        assert_eq!((claims.scope.to_string().as_str(), &claims.client_id), ("read write", &setup.client.id));
    }
    let narrowed = json!({"api_key": key.text, "scopes": ["admin"]}).to_string();
    assert_eq!(setup.post("/auth/exchange", &narrowed).await.0, 403);
}

#[tokio::test]
async fn a_revoked_imported_key_is_exchanged_for_nothing_at_once() {
    let setup = Setup::new().await;
    let key = imported(&setup, "read").await;
    assert_eq!(both(&setup, &key.text).await.map(|(status, _)| status), [200, 200]);
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &act()).await.unwrap();
    let refused =
        json!({"statusCode": 401, "error": "Unauthorized", "message": "Bearer token is missing or has expired"});
    assert_eq!(both(&setup, &key.text).await, [(401, refused.clone()), (401, refused.clone())]);
    let unknown = ImportedKey::new(&setup.client, "read").text;
    assert_eq!(both(&setup, &unknown).await, [(401, refused.clone()), (401, refused.clone())]);
    assert_eq!(both(&setup, &unknown[1..]).await, [(401, refused.clone()), (401, refused)]);
}

#[tokio::test]
async fn a_token_of_the_old_string_ends_with_the_overlap() {
    let setup = Setup::new().await;
    let key = imported(&setup, "read").await;
    let own = PlainKey::random_for(&key.record.prefix, &key.record.id);
    let rotated = |overlap| key.record.clone().rotated(&own, overlap, now());
    let deed = || Deed::new(Action::KeyRotated, &key.record.id);
    setup.test.store.key_change(&key.record, &rotated(60), deed(), &act(), None).await.unwrap();
    let [(_, old), _] = both(&setup, &key.text).await;
    assert_eq!(setup.claims(&old["accessToken"]).await.exp, now().unix() + 60);
    let [(_, new), _] = both(&setup, own.expose()).await;
    assert_eq!(setup.claims(&new["accessToken"]).await.exp, now().unix() + 3600);

    let before = setup.test.store.key_by_id(&key.record.id).await.unwrap().unwrap();
    let ended = KeyRecord { previous_secret: None, ..before.clone() };
    setup.test.store.key_change(&before, &ended, deed(), &act(), None).await.unwrap();
    assert_eq!(both(&setup, &key.text).await.map(|(status, _)| status), [401, 401]);
    assert_eq!(both(&setup, own.expose()).await.map(|(status, _)| status), [200, 200]);
}

#[tokio::test]
async fn a_guess_costs_one_read_at_most() {
    let setup = Setup::new().await;
    let key = imported(&setup, "read").await;
    both(&setup, &key.text).await;
    let calls = || {
        let counts = setup.test.faults.counts().into_iter().collect::<Vec<_>>();
        setup.test.faults.reset_counts();
        counts
    };
    calls();
    both(&setup, &key.text).await;
    assert_eq!(calls(), [("GetItem".to_owned(), 2)], "a warm exchange is one strong read, as for one of our own");
    for _ in 0..10 {
        both(&setup, &ImportedKey::new(&setup.client, "read").text).await;
    }
    assert_eq!(calls(), [("GetItem".to_owned(), 20)]);
    for _ in 0..10 {
        both(&setup, &ImportedKey::new(&setup.client, "read").text[1..]).await;
    }
    assert_eq!(calls(), []);
    setup.test.faults.always("GetItem", Fault::InternalError);
    assert_eq!(both(&setup, &key.text).await.map(|(status, _)| status), [503, 503]);
    let unknown = ImportedKey::new(&setup.client, "read").text;
    assert_eq!(both(&setup, &unknown).await.map(|(status, _)| status), [503, 503]);
}
