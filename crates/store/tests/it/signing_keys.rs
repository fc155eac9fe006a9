use store::StoreError;
use store::signing_keys::{PrivateKeyItem, PublicKeyItem};
use testkit::{TestStore, now};

fn key(kid: &str) -> (PublicKeyItem, PrivateKeyItem) {
    let algorithm = "ES256".to_owned();
    let public =
        PublicKeyItem { kid: kid.to_owned(), algorithm: algorithm.clone(), jwk: "{}".to_owned(), created_at: now() };
    (public, PrivateKeyItem { kid: kid.to_owned(), algorithm, wrapped: vec![1, 2, 3] })
}

#[tokio::test]
async fn the_first_key_is_made_once() {
    let test = TestStore::start().await;
    assert_eq!(test.store.signing_key_active("ES256").await.unwrap(), None);
    let (public, private) = key("one");
    test.store.signing_key_create_first(&public, &private).await.unwrap();
    let (late_public, late_private) = key("two");
    let late = test.store.signing_key_create_first(&late_public, &late_private).await;
    assert!(matches!(late, Err(StoreError::Exists)));
    assert_eq!(test.store.signing_key_active("ES256").await.unwrap(), Some(private));
    assert_eq!(test.store.signing_key_publics().await.unwrap(), [public]);
    assert_eq!(test.store.signing_key_active("EdDSA").await.unwrap(), None);
}

#[test]
fn debug_does_not_show_the_wrapped_key() {
    let (_, private) = key("one");
    assert_eq!(format!("{private:?}"), r#"PrivateKeyItem { kid: "one", algorithm: "ES256", .. }"#);
}
