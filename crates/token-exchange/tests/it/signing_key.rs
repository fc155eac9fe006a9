use serde_json::json;
use signing::{Algorithm, Wrapper};
use testkit::{Fault, TestStore, moment};
use token_exchange::SigningKey;

use crate::setup::{Setup, wrapper};

#[tokio::test(flavor = "multi_thread")]
async fn functions_that_start_at_once_make_one_key() {
    let test = TestStore::start().await;
    let mut starts = Vec::new();
    for _ in 0..6 {
        let store = test.another_connection().await;
        starts.push(tokio::spawn(async move {
            let key = SigningKey::new(store, wrapper(), Algorithm::Es256);
            key.signer(moment(0.0)).await.unwrap().public().kid.clone()
        }));
    }
    let mut kids = Vec::new();
    for start in starts {
        kids.push(start.await.unwrap());
    }
    kids.dedup();
    assert_eq!(kids.len(), 1, "{kids:?}");
    assert_eq!(test.store.signing_key_publics().await.unwrap().len(), 1);
}

#[tokio::test]
async fn each_algorithm_has_its_own_key_and_all_are_published() {
    let test = TestStore::start().await;
    for algorithm in Algorithm::ALL {
        for _ in 0..2 {
            SigningKey::new(test.store.clone(), wrapper(), algorithm).signer(moment(0.0)).await.unwrap();
        }
    }
    let published = test.store.signing_key_publics().await.unwrap();
    let mut names: Vec<_> = published.iter().map(|item| item.algorithm.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["ES256", "EdDSA", "RS256"]);
}

#[tokio::test]
async fn the_stored_key_opens_with_its_own_wrapper_alone() {
    let test = TestStore::start().await;
    SigningKey::new(test.store.clone(), wrapper(), Algorithm::Es256).signer(moment(0.0)).await.unwrap();
    let other = Wrapper::from_secret(&"b".repeat(32)).unwrap();
    let refused = SigningKey::new(test.store.clone(), other, Algorithm::Es256).signer(moment(0.0)).await.map(|_| ());
    assert_eq!(refused.unwrap_err().to_string(), "a wrapped signing key does not open with the configured wrapper");
    assert_eq!(test.store.signing_key_publics().await.unwrap().len(), 1, "no second key is made in its place");
}

#[tokio::test]
async fn a_key_that_could_not_be_read_at_the_start_is_read_at_the_first_request() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let body = json!({"apiKey": key.plain.expose()}).to_string();
    let late = SigningKey::new(setup.test.store.clone(), wrapper(), Algorithm::Es256);
    setup.test.faults.always("GetItem", Fault::InternalError);
    late.prepare(moment(0.0)).await;
    setup.test.faults.heal();
    assert!(late.signer(moment(0.0)).await.is_ok());
    assert_eq!(setup.post("/auth/token", &body).await.0, 200);
}
