//! Tokens as other people's libraries see them: npm's `jose` and Python's `PyJWT`, against the served key set.

use serde_json::{Value, json};

use crate::support::clients::{run_node, run_python_file, source};
use crate::support::http::{Credential, Http};
use crate::support::run::Run;
use crate::support::system;

/// A token of each exchange, with the seconds that it lives.
async fn tokens() -> [(String, i64); 2] {
    let http = Http::new(system());
    let key = &system().demo.api_key;
    let simcel = http.simcel_exchange(key).await.expect(200)["accessToken"].as_str().unwrap().to_owned();
    [(simcel, 3600), (http.token(key).await, 900)]
}

/// What a verifier says of a token of `run`, once its claims are what they should be: how it refuses it changed.
fn verified(
    verify: impl Fn(&[(&str, &str)]) -> Value,
    run: &Run,
    algorithm: &str,
    token: &str,
    lifetime: i64,
) -> Value {
    let demo = &run.demo;
    let jwks_url = format!("{}/.well-known/jwks.json", demo.base_url);
    let report = verify(&[
        ("TOKEN", token),
        ("JWKS_URL", &jwks_url),
        ("ISSUER", &demo.base_url),
        ("AUDIENCE", &demo.client_id),
        ("ALGORITHM", algorithm),
    ]);
    let claims = &report["claims"];
    assert_eq!(claims["iss"], demo.base_url.as_str());
    assert_eq!(claims["aud"], demo.client_id.as_str());
    assert_eq!(claims["client_id"], demo.client_id.as_str());
    assert_eq!(claims["workspace_id"], demo.workspace_id.as_str());
    assert_eq!(claims["sub"], claims["key_id"]);
    assert_eq!(claims["exp"].as_i64().unwrap() - claims["iat"].as_i64().unwrap(), lifetime);
    assert!(claims["scope"].as_str().unwrap().split(' ').any(|scope| scope == "insights:read"));
    assert_eq!(report["typ"], "at+jwt");
    report["refusals"].clone()
}

#[tokio::test]
async fn jose_verifies_tokens_of_both_exchanges_and_refuses_them_changed() {
    for (number, (token, lifetime)) in tokens().await.into_iter().enumerate() {
        let run = |environment: &[(&str, &str)]| {
            run_node(&format!("verify-{number}"), &source("node/verify.mjs"), environment).json()
        };
        assert_eq!(verified(run, system(), "ES256", &token, lifetime), as_jose_refuses());
    }
}

fn as_jose_refuses() -> Value {
    json!({
        "payload": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "signature": "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "audience": "ERR_JWT_CLAIM_VALIDATION_FAILED aud",
        "issuer": "ERR_JWT_CLAIM_VALIDATION_FAILED iss",
        "typ": "ERR_JWT_CLAIM_VALIDATION_FAILED typ",
    })
}

#[tokio::test]
async fn pyjwt_verifies_tokens_of_both_exchanges_and_refuses_them_changed() {
    for (token, lifetime) in tokens().await {
        let run = |environment: &[(&str, &str)]| run_python_file("verify.py", environment).json();
        assert_eq!(verified(run, system(), "ES256", &token, lifetime), as_pyjwt_refuses());
    }
}

fn as_pyjwt_refuses() -> Value {
    json!({
        "payload": "InvalidSignatureError",
        "signature": "InvalidSignatureError",
        "audience": "InvalidAudienceError",
        "issuer": "InvalidIssuerError",
    })
}

#[tokio::test]
async fn tokens_of_the_other_algorithms_verify_and_open_routes_as_well() {
    for algorithm in ["EdDSA", "RS256"] {
        let mut run = Run::signing_with(algorithm);
        let http = Http::new(&run);
        let token = http.token(&run.demo.api_key).await;
        http.get("/v1/models", Credential::Bearer(&token)).await.expect(200);
        let jose = |environment: &[(&str, &str)]| {
            run_node(&format!("verify-{algorithm}"), &source("node/verify.mjs"), environment).json()
        };
        assert_eq!(verified(jose, &run, algorithm, &token, 900), as_jose_refuses(), "{algorithm}");
        let pyjwt = |environment: &[(&str, &str)]| run_python_file("verify.py", environment).json();
        assert_eq!(verified(pyjwt, &run, algorithm, &token, 900), as_pyjwt_refuses(), "{algorithm}");
        run.stop();
    }
}
