//! A token that comes again: its signature is not asked for, and all else is.

use identity::{Refusal, RefusalReason, Sender};
use signing::{Algorithm, KeyMaterial, Signer, TokenRefusal};
use testkit::moment;

use crate::setup::Setup;

fn refused_as<T: std::fmt::Debug>(outcome: &Result<T, Refusal>, expected: TokenRefusal) -> bool {
    matches!(outcome, Err(Refusal::Unauthorized { reason: RefusalReason::Token(reason), .. }) if *reason == expected)
}

#[tokio::test]
async fn the_time_of_each_call_counts() {
    let setup = Setup::new().await;
    let mut claims = setup.claims(&setup.key("read").await);
    (claims.nbf, claims.exp) = (claims.iat + 20, claims.iat + 60);
    let token = setup.signer.sign(&claims).unwrap();
    for second in [15.0, 16.0, 59.0] {
        setup.by_token(&token, moment(second)).await.unwrap();
    }
    for second in [60.0, 61.0, 3600.0] {
        assert!(refused_as(&setup.by_token(&token, moment(second)).await, TokenRefusal::Expired), "{second}");
    }
    assert!(
        refused_as(&setup.by_token(&token, moment(14.0)).await, TokenRefusal::NotYetValid),
        "a clock that goes back"
    );
}

#[tokio::test]
async fn a_token_that_was_known_to_be_ours_is_still_for_somebody_else() {
    let setup = Setup::new().await;
    let mut claims = setup.claims(&setup.key("read").await);
    claims.aud = "https://other.example".to_owned();
    let token = setup.signer.sign(&claims).unwrap();
    for _ in 0..2 {
        setup.identity.issued(&token, moment(0.0)).await.unwrap();
        setup.identity.bearer(&token, Sender::Other, moment(0.0)).await.unwrap();
        assert!(refused_as(&setup.by_token(&token, moment(0.0)).await, TokenRefusal::Audience));
    }
}

#[tokio::test]
async fn other_bytes_are_another_token() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let (token, other) = (setup.token(&key), setup.token(&setup.key("read").await));
    setup.by_token(&token, moment(0.0)).await.unwrap();
    setup.by_token(&other, moment(0.0)).await.unwrap();
    let parts = |token: &str| token.split('.').map(str::to_owned).collect::<Vec<_>>();
    let ([header, payload, signature], [_, other_payload, other_signature]) = (&parts(&token)[..], &parts(&other)[..])
    else {
        panic!("three segments")
    };
    for (payload, signature) in [(payload, other_signature), (other_payload, signature)] {
        let forged = format!("{header}.{payload}.{signature}");
        for _ in 0..2 {
            assert!(refused_as(&setup.by_token(&forged, moment(0.0)).await, TokenRefusal::Signature));
        }
    }
    setup.by_token(&token, moment(0.0)).await.unwrap();
}

#[tokio::test]
async fn a_token_whose_signing_key_is_no_more_is_not_known_for_that() {
    let setup = Setup::new().await;
    let token = setup.token(&setup.key("read").await);
    setup.by_token(&token, moment(0.0)).await.unwrap();
    testkit::withdraw_signer(&setup.test.store, &setup.signer).await;
    setup.identity.catch_up(moment(1.0)).await.unwrap();
    let refused = setup.by_token(&token, moment(1.0)).await;
    let unknown =
        |refusal: &Refusal| matches!(refusal, Refusal::Unauthorized { reason: RefusalReason::UnknownSigningKey, .. });
    assert!(refused.as_ref().is_err_and(unknown), "{refused:?}");
    let stranger = Signer::new(&KeyMaterial::generate(Algorithm::Es256).unwrap()).unwrap();
    let foreign = stranger.sign(&setup.claims(&setup.key("read").await)).unwrap();
    assert!(setup.by_token(&foreign, moment(1.0)).await.is_err());
}
