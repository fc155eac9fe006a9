//! A second verifier: `jsonwebtoken`'s own `decode`, as strict as it can be set, and signatures by code that shares none
//! with aws-lc-rs. Written for the public key alone, and not from ours.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{DecodingKey, Validation};
use num_bigint::BigUint;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use signing::Algorithm;

use crate::curve::is_p256_signature;

/// What stands before the hash in an RSA signature (RFC 8017, section 9.2, note 1).
const SHA256_INFO: [u8; 19] =
    [0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20];

pub(crate) struct Second {
    algorithm: Algorithm,
    jwk: Value,
    decoding: DecodingKey,
    validation: Validation,
}

impl Second {
    pub(crate) fn new(algorithm: Algorithm, jwk: &str, issuer: &str, audiences: &[&str]) -> Self {
        let parsed: Jwk = serde_json::from_str(jwk).unwrap();
        let mut validation = Validation::new(match algorithm {
            Algorithm::Es256 => jsonwebtoken::Algorithm::ES256,
            Algorithm::EdDsa => jsonwebtoken::Algorithm::EdDSA,
            Algorithm::Rs256 => jsonwebtoken::Algorithm::RS256,
        });
        validation.set_required_spec_claims(&["exp", "nbf", "iss", "aud", "sub"]);
        validation.set_issuer(&[issuer]);
        validation.set_audience(audiences);
        validation.validate_nbf = true;
        validation.leeway = 5;
        Self {
            algorithm,
            jwk: serde_json::from_str(jwk).unwrap(),
            decoding: DecodingKey::from_jwk(&parsed).unwrap(),
            validation,
        }
    }

    /// The claims of a token that counts, by this machine's clock.
    pub(crate) fn judge(&self, token: &str) -> Option<Value> {
        let claims = jsonwebtoken::decode::<Value>(token, &self.decoding, &self.validation).ok()?.claims;
        let (message, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.is_signature(message.as_bytes(), &signature).then_some(claims)
    }

    /// Whether it is this key's over this text.
    pub(crate) fn is_signature(&self, message: &[u8], signature: &[u8]) -> bool {
        let member = |name: &str| URL_SAFE_NO_PAD.decode(self.jwk[name].as_str().unwrap()).unwrap();
        match self.algorithm {
            Algorithm::Es256 => is_p256_signature(&member("x"), &member("y"), message, signature),
            Algorithm::EdDsa => {
                let key = ed25519_dalek::VerifyingKey::from_bytes(&member("x").try_into().unwrap()).unwrap();
                let signature = ed25519_dalek::Signature::from_slice(signature);
                signature.is_ok_and(|signature| key.verify_strict(message, &signature).is_ok())
            }
            Algorithm::Rs256 => {
                let (n, e) = (BigUint::from_bytes_be(&member("n")), BigUint::from_bytes_be(&member("e")));
                let length = member("n").len();
                let hash = Sha256::digest(message);
                let padding = vec![0xff; length - 3 - SHA256_INFO.len() - hash.len()];
                let expected = [&[0, 1][..], &padding, &[0], &SHA256_INFO, hash.as_slice()].concat();
                let given = BigUint::from_bytes_be(signature);
                signature.len() == length && given < n && given.modpow(&e, &n) == BigUint::from_bytes_be(&expected)
            }
        }
    }
}
