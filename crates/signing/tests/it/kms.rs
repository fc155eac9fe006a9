//! Wrapping by KMS, against a server that checks what KMS checks.

use std::path::Path;

use signing::{Algorithm, Kms, Signer, WrapContext, WrapError, WrappedKey, Wrapper};
use testkit::TestKms;

const CONTEXT: WrapContext<'_> = WrapContext { kid: "one", algorithm: Algorithm::Es256 };

async fn kms() -> TestKms {
    TestKms::start(Path::new(env!("CARGO_TARGET_TMPDIR"))).await
}

#[tokio::test]
async fn keys_of_every_algorithm_come_back_from_kms() {
    let kms = kms().await;
    let key = kms.key().await;
    let wrapper = kms.wrapper(&key);
    for algorithm in Algorithm::ALL {
        let WrappedKey { public, wrapped } = WrappedKey::make(&wrapper, algorithm).await.unwrap();
        let context = WrapContext { kid: &public.kid, algorithm };
        // As another process would.
        let signer = Signer::unwrap(&kms.wrapper(&key), &wrapped, context).await.unwrap();
        assert_eq!(*signer.public(), public);
    }
}

#[tokio::test]
async fn what_kms_has_wrapped_opens_in_its_own_context_with_its_own_key_and_unchanged_alone() {
    let kms = kms().await;
    let key = kms.key().await;
    let wrapper = kms.wrapper(&key);
    let sealed = wrapper.wrap(b"private", CONTEXT).await.unwrap();
    assert!(!sealed.windows(7).any(|window| window == b"private"));
    assert_eq!(wrapper.unwrap(&sealed, CONTEXT).await.unwrap(), b"private");

    let other_kid = WrapContext { kid: "two", ..CONTEXT };
    let other_algorithm = WrapContext { algorithm: Algorithm::EdDsa, ..CONTEXT };
    for context in [other_kid, other_algorithm] {
        assert_eq!(wrapper.unwrap(&sealed, context).await, Err(WrapError::Refused), "{context:?}");
    }
    for place in 0..sealed.len() {
        let mut tampered = sealed.clone();
        tampered[place] ^= 1;
        let refused = wrapper.unwrap(&tampered, CONTEXT).await;
        // Behind our own byte stands the id of KMS's key, in moto's form of it: with that changed it is another key's.
        let names_the_key = (1..37).contains(&place);
        assert!(refused == Err(WrapError::Refused) || names_the_key && refused.is_err(), "byte {place}: {refused:?}");
    }
    for length in [0, 1, 20, sealed.len() - 1] {
        assert!(wrapper.unwrap(&sealed[..length], CONTEXT).await.is_err(), "cut at {length}");
    }
    let other_key = kms.wrapper(&kms.key().await);
    let refused = other_key.unwrap(&sealed, CONTEXT).await;
    // KMS says IncorrectKeyException, moto AccessDeniedException.
    assert!(matches!(refused, Err(WrapError::Refused | WrapError::Unavailable(_))), "{refused:?}");
}

#[tokio::test]
async fn each_wrapper_refuses_what_the_other_has_wrapped() {
    let kms = kms().await;
    let by_kms = kms.wrapper(&kms.key().await);
    let by_master_key = Wrapper::from_secret(&"a".repeat(32)).unwrap();
    for (from, to) in [(&by_kms, &by_master_key), (&by_master_key, &by_kms)] {
        let wrapped = from.wrap(b"private", CONTEXT).await.unwrap();
        assert_eq!(to.unwrap(&wrapped, CONTEXT).await, Err(WrapError::Refused), "{to:?}");
    }
}

#[tokio::test]
async fn a_kms_that_is_away_or_has_no_such_key_is_an_error() {
    let kms = kms().await;
    let wrapped = kms.wrapper(&kms.key().await).wrap(b"private", CONTEXT).await.unwrap();
    let unknown = kms.wrapper("arn:aws:kms:us-east-1:123456789012:key/00000000-0000-0000-0000-000000000000");
    // The port was free a moment ago, and nobody listens there now.
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let away = Wrapper::Kms(Kms::connect_emulated(&format!("http://{free}"), "key".to_owned()));
    for wrapper in [unknown, away] {
        let error = wrapper.wrap(b"private", CONTEXT).await.unwrap_err();
        assert!(matches!(error, WrapError::Unavailable(_)), "{error:?}");
        assert!(!error.to_string().contains("private"));
        assert!(wrapper.unwrap(&wrapped, CONTEXT).await.is_err());
    }
}
