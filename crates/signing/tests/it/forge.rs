//! Tokens put together by hand, with right signatures where a test wants them.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::Claims;
use jsonwebtoken::EncodingKey;
use serde_json::{Value, json};
use signing::{Algorithm, Audience, KeyMaterial, Signer, TokenRefusal, UnverifiedToken, VerifyingKey};
use testkit::now;

pub(crate) const ISSUER: &str = "https://auth.example";

pub(crate) struct Forge {
    pub(crate) material: KeyMaterial,
    pub(crate) signer: Signer,
    pub(crate) algorithm: Algorithm,
}

/// What became of a token.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted(Box<Claims>),
    Malformed,
    RefusalReason(TokenRefusal),
}

pub(crate) fn encode(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(crate) fn audience() -> Audience {
    Audience { issuer: ISSUER.to_owned(), resource: ISSUER.to_owned() }
}

impl Forge {
    pub(crate) fn new(algorithm: Algorithm) -> Self {
        let material = KeyMaterial::generate(algorithm).unwrap();
        let signer = Signer::new(&material).unwrap();
        Self { material, signer, algorithm }
    }

    pub(crate) fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": self.algorithm.name(), "kid": self.signer.public().kid})
    }

    pub(crate) fn claims() -> Value {
        let at = now().unix();
        json!({
            "iss": ISSUER, "sub": "ak_0123456789abcdef", "aud": "cl_0123456789abcdef",
            "client_id": "cl_0123456789abcdef", "scope": "read write", "iat": at, "nbf": at, "exp": at + 900,
            "jti": "abc", "key_id": "ak_0123456789abcdef", "secret_version": 1,
            "workspace_id": "ws_0123456789abcdef", "env": "live", "billed_to": "cu_0123456789abcdef",
        })
    }

    /// A token of this header and payload, as text, with a right signature.
    pub(crate) fn token(&self, header: &str, payload: &str) -> String {
        let message = format!("{}.{}", encode(header), encode(payload));
        format!("{message}.{}", self.signature(&message))
    }

    pub(crate) fn signature(&self, message: &str) -> String {
        let pkcs8 = self.material.pkcs8();
        let (key, algorithm) = match self.algorithm {
            Algorithm::Es256 => (EncodingKey::from_ec_der(pkcs8), jsonwebtoken::Algorithm::ES256),
            Algorithm::EdDsa => (EncodingKey::from_ed_der(pkcs8), jsonwebtoken::Algorithm::EdDSA),
            // jsonwebtoken wants PKCS #1, which stands behind the 26 bytes of the PKCS #8 head of a 2048-bit key.
            Algorithm::Rs256 => (EncodingKey::from_rsa_der(&pkcs8[26..]), jsonwebtoken::Algorithm::RS256),
        };
        jsonwebtoken::crypto::sign(message.as_bytes(), &key, algorithm).unwrap()
    }

    /// A token with the usual header and these claims.
    pub(crate) fn with_claims(&self, claims: &Value) -> String {
        self.token(&self.header().to_string(), &claims.to_string())
    }

    pub(crate) fn judge(&self, token: &str) -> Outcome {
        let Ok(unverified) = UnverifiedToken::parse(token) else { return Outcome::Malformed };
        let key = VerifyingKey::from_jwk(self.algorithm, &self.signer.public().json).unwrap();
        match key.verify(&unverified, &audience(), now()) {
            Ok(claims) => Outcome::Accepted(Box::new(claims)),
            Err(refusal) => Outcome::RefusalReason(refusal),
        }
    }
}
