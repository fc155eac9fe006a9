use domain::Claims;
use serde_json::Value;
use signing::{Algorithm, KeyMaterial, Signer, UnverifiedToken, VerifyingKey, jwks};

use crate::forge::{Forge, Outcome, audience};

#[test]
fn a_signed_token_verifies_under_each_algorithm() {
    for algorithm in Algorithm::ALL {
        let forge = Forge::new(algorithm);
        let claims: Claims = serde_json::from_value(Forge::claims()).unwrap();
        let token = forge.signer.sign(&claims).unwrap();
        assert_eq!(UnverifiedToken::parse(&token).unwrap().kid(), forge.signer.public().kid);
        assert_eq!(forge.judge(&token), Outcome::Accepted(Box::new(claims)), "{algorithm}");
    }
}

#[test]
fn a_kept_key_is_the_same_key() {
    for algorithm in Algorithm::ALL {
        let forge = Forge::new(algorithm);
        let kept = KeyMaterial::from_pkcs8(algorithm, forge.material.pkcs8().to_vec());
        assert_eq!(Signer::new(&kept).unwrap().public(), forge.signer.public());
        for other in Algorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            let wrong = KeyMaterial::from_pkcs8(other, forge.material.pkcs8().to_vec());
            assert!(Signer::new(&wrong).is_err(), "{algorithm} as {other}");
        }
    }
}

#[test]
fn what_is_published_is_public() {
    let signers = Algorithm::ALL.map(|algorithm| Forge::new(algorithm).signer);
    let set: Value =
        serde_json::from_str(&jwks(signers.iter().map(|signer| signer.public().json.as_str())).unwrap()).unwrap();
    let names = |key: &Value| key.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let keys = set["keys"].as_array().unwrap();
    assert_eq!(names(&keys[0]), ["alg", "crv", "kid", "kty", "use", "x", "y"]);
    assert_eq!(names(&keys[1]), ["alg", "crv", "kid", "kty", "use", "x"]);
    assert_eq!(names(&keys[2]), ["alg", "e", "kid", "kty", "n", "use"]);
    assert!(jwks(["[]"]).is_err() && jwks(["{"]).is_err());
}

#[test]
fn a_jwk_verifies_its_own_algorithm_alone() {
    let forge = Forge::new(Algorithm::Es256);
    let json = &forge.signer.public().json;
    for other in [Algorithm::EdDsa, Algorithm::Rs256] {
        assert!(VerifyingKey::from_jwk(other, json).is_err());
    }
    assert!(VerifyingKey::from_jwk(Algorithm::Es256, "{}").is_err());
}

#[test]
fn a_token_for_the_resource_counts_as_well_as_one_for_its_own_client() {
    let forge = Forge::new(Algorithm::Es256);
    let mut claims = Forge::claims();
    claims["aud"] = audience().resource.into();
    assert!(matches!(forge.judge(&forge.with_claims(&claims)), Outcome::Accepted(_)));
}

#[test]
fn claims_that_a_newer_issuer_adds_are_passed_over() {
    let forge = Forge::new(Algorithm::Es256);
    let mut claims = Forge::claims();
    claims["cnf"] = "anything".into();
    assert!(matches!(forge.judge(&forge.with_claims(&claims)), Outcome::Accepted(_)));
}

#[test]
fn secrets_do_not_show_in_debug() {
    let forge = Forge::new(Algorithm::Es256);
    let shown = format!("{:?} {:?}", forge.material, forge.signer);
    assert_eq!(
        shown,
        format!("KeyMaterial {{ algorithm: Es256, .. }} Signer {{ kid: {:?}, .. }}", forge.signer.public().kid)
    );
}
