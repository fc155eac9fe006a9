//! The least that a function costs which verifies one signature per event: always the same one, by a key that it has made at its
//! start, of the algorithm that `FLOOR_ALGORITHM` names. It answers whether the signature is right, and makes nothing of its event.

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair,
};
use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

/// As many bytes as a token of ours has in front of its signature.
const MESSAGE: [u8; 600] = [b'a'; 600];

fn signed(algorithm: &str) -> Result<(ParsedPublicKey, Vec<u8>), Error> {
    let random = SystemRandom::new();
    let failed = |_| "the cryptographic library failed";
    Ok(match algorithm {
        "ES256" => {
            let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
            let signature = pair.sign(&random, &MESSAGE).map_err(failed)?;
            (ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key())?, signature.as_ref().to_vec())
        }
        "EdDSA" => {
            let pair = Ed25519KeyPair::generate().map_err(failed)?;
            (ParsedPublicKey::new(&ED25519, pair.public_key())?, pair.sign(&MESSAGE).as_ref().to_vec())
        }
        "RS256" => {
            let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
            let mut signature = vec![0; pair.public_modulus_len()];
            pair.sign(&RSA_PKCS1_SHA256, &random, &MESSAGE, &mut signature).map_err(failed)?;
            (ParsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key())?, signature)
        }
        other => return Err(format!("{other} is no algorithm").into()),
    })
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let (key, signature) = &signed(&std::env::var("FLOOR_ALGORITHM")?)?;
    let verify = async |_: LambdaEvent<IgnoredAny>| Ok::<_, Error>(key.verify_sig(&MESSAGE, signature).is_ok());
    lambda_runtime::run(service_fn(verify)).await
}
