//! Public keys as JWKs (RFC 7517), named by their thumbprints (RFC 7638).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Algorithm;
use jsonwebtoken::jwk::{Jwk, ThumbprintHash};
use serde_json::{Value, json};
use thiserror::Error;

/// A public key, ready to be published and stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicJwk {
    /// Its thumbprint, which is its name.
    pub kid: String,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// The JWK as JSON: public members alone.
    pub json: String,
}

/// The JWK is none, or of another kind than is said.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a usable JWK")]
pub struct InvalidJwk;

/// What a public key consists of.
pub(crate) enum Components<'a> {
    /// The uncompressed point: 4, x, y.
    P256(&'a [u8]),
    Ed25519(&'a [u8]),
    Rsa {
        n: &'a [u8],
        e: &'a [u8],
    },
}

impl PublicJwk {
    pub(crate) fn of(algorithm: Algorithm, components: &Components<'_>) -> Result<Self, InvalidJwk> {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let mut jwk = match components {
            Components::P256([4, point @ ..]) if point.len() == 64 => {
                json!({"kty": "EC", "crv": "P-256", "x": text(&point[..32]), "y": text(&point[32..])})
            }
            Components::P256(_) => return Err(InvalidJwk),
            Components::Ed25519(key) => json!({"kty": "OKP", "crv": "Ed25519", "x": text(key)}),
            Components::Rsa { n, e } => json!({"kty": "RSA", "n": text(n), "e": text(e)}),
        };
        let kid = thumbprint(&jwk)?;
        jwk["kid"] = json!(kid);
        jwk["alg"] = json!(algorithm.name());
        jwk["use"] = json!("sig");
        Ok(Self { kid, algorithm, json: jwk.to_string() })
    }
}

fn thumbprint(jwk: &Value) -> Result<String, InvalidJwk> {
    let jwk: Jwk = serde_json::from_value(jwk.clone()).map_err(|_| InvalidJwk)?;
    jwk.thumbprint(ThumbprintHash::SHA256).map_err(|_| InvalidJwk)
}

/// The JWK set (RFC 7517, section 5) of keys that were stored as JSON.
///
/// # Errors
/// [`InvalidJwk`] where one is no JSON object: what is published must be right as a whole.
pub fn jwks<'a>(keys: impl IntoIterator<Item = &'a str>) -> Result<String, InvalidJwk> {
    let keys: Result<Vec<Value>, _> = keys.into_iter().map(serde_json::from_str).collect();
    let keys = keys.map_err(|_| InvalidJwk)?;
    if keys.iter().all(Value::is_object) { Ok(json!({ "keys": keys }).to_string()) } else { Err(InvalidJwk) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7638, section 3.1; the key is RFC 7517's, A.1.
    #[test]
    fn the_thumbprint_of_rfc_7638_is_its_keys_name() {
        const N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).unwrap();
        let (n, e) = (decoded(N), decoded("AQAB"));
        let jwk = PublicJwk::of(Algorithm::Rs256, &Components::Rsa { n: &n, e: &e }).unwrap();
        assert_eq!(jwk.kid, "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
        let json: Value = serde_json::from_str(&jwk.json).unwrap();
        assert_eq!((&json["n"], &json["e"]), (&json!(N), &json!("AQAB")));
    }
}
