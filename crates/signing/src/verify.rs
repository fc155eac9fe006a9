//! Verification of access tokens (RFC 8725; RFC 9068, section 4).
//!
//! 1. The key is the one that the header names; what it verifies with is the key's own algorithm, and the header must
//!    say the same.
//! 2. The signature, by aws-lc-rs, with the key parsed once.
//! 3. Only then the claims: each required, of its type, standing there once; issuer and audience letter by letter;
//!    times by the clock that the caller passes.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::claims::MAX_TOKEN_LIFETIME;
use domain::{Algorithm, Claims, Timestamp, strict_json};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk};
use thiserror::Error;

use crate::jwk::InvalidJwk;
use crate::token::UnverifiedToken;

/// How far the issuer's clock may be ahead of ours, in seconds. An end is an end: it has no leeway.
const CLOCK_LEEWAY: i64 = 5;

/// For whom a verifier verifies.
#[derive(Clone, Debug)]
pub struct Audience {
    /// The issuer whose tokens count: the public base URL.
    pub issuer: String,
    /// The verifier's own resource identifier; a token for its own client counts as well.
    pub resource: String,
}

/// Why a token does not count. The caller is told none of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum TokenRefusal {
    /// The header names another algorithm than the key's.
    #[error("algorithm is not the key's")]
    Algorithm,
    /// The signature is not this key's over this text.
    #[error("bad signature")]
    Signature,
    /// A claim is missing, twice there, or of another type.
    #[error("malformed claims")]
    Claims,
    /// Another issuer.
    #[error("foreign issuer")]
    Issuer,
    /// For somebody else.
    #[error("foreign audience")]
    Audience,
    /// Not valid yet, or issued in the future.
    #[error("not yet valid")]
    NotYetValid,
    /// Past its end.
    #[error("expired")]
    Expired,
    /// Valid for longer than any token of ours.
    #[error("lifetime too long")]
    Lifetime,
}

/// A published key, parsed once.
pub struct VerifyingKey {
    algorithm: Algorithm,
    key: ParsedPublicKey,
}

impl VerifyingKey {
    /// Reads a public JWK that verifies `algorithm`.
    ///
    /// # Errors
    /// [`InvalidJwk`] where it is none, or a key of another algorithm.
    pub fn from_jwk(algorithm: Algorithm, json: &str) -> Result<Self, InvalidJwk> {
        let jwk: Jwk = serde_json::from_str(json).map_err(|_| InvalidJwk)?;
        let bytes = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| InvalidJwk);
        let key = match (algorithm, &jwk.algorithm) {
            (Algorithm::Es256, AlgorithmParameters::EllipticCurve(point)) if point.curve == EllipticCurve::P256 => {
                let (x, y) = (bytes(&point.x)?, bytes(&point.y)?);
                if x.len() != 32 {
                    return Err(InvalidJwk);
                }
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, [&[4][..], &x, &y].concat())
            }
            (Algorithm::EdDsa, AlgorithmParameters::OctetKeyPair(pair)) if pair.curve == EllipticCurve::Ed25519 => {
                ParsedPublicKey::new(&ED25519, bytes(&pair.x)?)
            }
            (Algorithm::Rs256, AlgorithmParameters::RSA(key)) => {
                let components = RsaPublicKeyComponents { n: bytes(&key.n)?, e: bytes(&key.e)? };
                components.to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            }
            _ => return Err(InvalidJwk),
        };
        Ok(Self { algorithm, key: key.map_err(|_| InvalidJwk)? })
    }

    /// Whether `signature`, in base64url, is this key's over `message` (RFC 7515, section 5.2). It says nothing of what is signed.
    #[must_use]
    pub fn is_signature(&self, message: &str, signature: &str) -> bool {
        let signature = URL_SAFE_NO_PAD.decode(signature);
        signature.is_ok_and(|signature| self.key.verify_sig(message.as_bytes(), &signature).is_ok())
    }

    /// What a token says that this key has signed: its form is right, and none of it is judged yet.
    ///
    /// # Errors
    /// [`TokenRefusal::Algorithm`], [`TokenRefusal::Signature`], [`TokenRefusal::Claims`], the first that applies.
    pub fn claims(&self, token: &UnverifiedToken<'_>) -> Result<Claims, TokenRefusal> {
        if token.algorithm != self.algorithm.name() {
            return Err(TokenRefusal::Algorithm);
        }
        if !self.is_signature(token.message, token.signature) {
            return Err(TokenRefusal::Signature);
        }
        let payload = URL_SAFE_NO_PAD.decode(token.payload).map_err(|_| TokenRefusal::Claims)?;
        strict_json::from_slice(&payload).map_err(|_| TokenRefusal::Claims)
    }

    /// Verifies a token that is for this verifier.
    ///
    /// # Errors
    /// [`TokenRefusal`], the first that applies.
    pub fn verify(
        &self,
        token: &UnverifiedToken<'_>,
        audience: &Audience,
        now: Timestamp,
    ) -> Result<Claims, TokenRefusal> {
        let claims = self.claims(token)?;
        audience.check(&claims, now)?;
        Ok(claims)
    }
}

impl Audience {
    /// Whether claims that were signed are for this verifier, and count now.
    ///
    /// # Errors
    /// [`TokenRefusal`], the first that applies of those that are about claims.
    pub fn check(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenRefusal> {
        self.check_issued(claims, now)?;
        if claims.aud != self.resource && claims.aud != claims.client_id.as_str() {
            return Err(TokenRefusal::Audience);
        }
        Ok(())
    }

    /// Whether claims that were signed count now, whomever they are for: to say something of a token, never to let its
    /// bearer in.
    ///
    /// # Errors
    /// As [`Audience::check`], but for [`TokenRefusal::Audience`].
    pub fn check_issued(&self, claims: &Claims, now: Timestamp) -> Result<(), TokenRefusal> {
        check(claims, &self.issuer, now)
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("VerifyingKey").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

fn check(claims: &Claims, issuer: &str, now: Timestamp) -> Result<(), TokenRefusal> {
    let now = now.unix();
    if claims.iss != issuer {
        return Err(TokenRefusal::Issuer);
    }
    if claims.sub.is_empty() || claims.jti.is_empty() || claims.iat.min(claims.nbf) < 0 || claims.subject().is_none() {
        return Err(TokenRefusal::Claims);
    }
    if claims.iat > now + CLOCK_LEEWAY || claims.nbf > now + CLOCK_LEEWAY {
        return Err(TokenRefusal::NotYetValid);
    }
    if claims.exp <= now {
        return Err(TokenRefusal::Expired);
    }
    if claims.exp.saturating_sub(claims.iat) > MAX_TOKEN_LIFETIME {
        return Err(TokenRefusal::Lifetime);
    }
    Ok(())
}
