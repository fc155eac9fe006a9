//! Private keys, and tokens signed with them.

use std::fmt;

use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Algorithm, Claims};
use serde_json::json;
use thiserror::Error;

use crate::jwk::{Components, PublicJwk};
use crate::token::TOKEN_TYPE;

/// What can go wrong with a private key.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SigningError {
    /// It is not a private key of its algorithm.
    #[error("not a private key of this algorithm")]
    Key,
    /// The library refused to sign or to make a key.
    #[error("the cryptographic library failed")]
    Library,
}

impl From<aws_lc_rs::error::Unspecified> for SigningError {
    fn from(_: aws_lc_rs::error::Unspecified) -> Self {
        Self::Library
    }
}

impl From<aws_lc_rs::error::KeyRejected> for SigningError {
    fn from(_: aws_lc_rs::error::KeyRejected) -> Self {
        Self::Key
    }
}

/// A private key in the clear, as PKCS #8 (RFC 5208): to be wrapped at once, or parsed into a [`Signer`].
pub struct KeyMaterial {
    algorithm: Algorithm,
    pkcs8: Vec<u8>,
}

impl KeyMaterial {
    /// Makes a new key.
    ///
    /// # Errors
    /// [`SigningError::Library`].
    pub fn generate(algorithm: Algorithm) -> Result<Self, SigningError> {
        let random = SystemRandom::new();
        let pkcs8 = match algorithm {
            Algorithm::Es256 => {
                EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random)?.as_ref().to_vec()
            }
            Algorithm::EdDsa => Ed25519KeyPair::generate_pkcs8(&random)?.as_ref().to_vec(),
            Algorithm::Rs256 => {
                AsDer::<Pkcs8V1Der<'_>>::as_der(&RsaKeyPair::generate(KeySize::Rsa2048)?)?.as_ref().to_vec()
            }
        };
        Ok(Self { algorithm, pkcs8 })
    }

    /// Takes bytes that were kept.
    #[must_use]
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: Vec<u8>) -> Self {
        Self { algorithm, pkcs8 }
    }

    /// The bytes to wrap.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }
}

impl fmt::Debug for KeyMaterial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyMaterial").field("algorithm", &self.algorithm).finish_non_exhaustive()
    }
}

enum Private {
    Es256(EcdsaKeyPair),
    EdDsa(Ed25519KeyPair),
    Rs256(RsaKeyPair),
}

/// Signs access tokens; the key is parsed once.
pub struct Signer {
    private: Private,
    public: PublicJwk,
    /// The header that all its tokens share, encoded.
    header: String,
}

impl Signer {
    /// Parses a key.
    ///
    /// # Errors
    /// [`SigningError::Key`] where the material is not a key of its algorithm.
    pub fn new(material: &KeyMaterial) -> Result<Self, SigningError> {
        let jwk = |components| PublicJwk::of(material.algorithm, &components).map_err(|_| SigningError::Key);
        let (private, public) = match material.algorithm {
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &material.pkcs8)?;
                let public = jwk(Components::P256(pair.public_key().as_ref()))?;
                (Private::Es256(pair), public)
            }
            Algorithm::EdDsa => {
                let pair = Ed25519KeyPair::from_pkcs8(&material.pkcs8)?;
                let public = jwk(Components::Ed25519(pair.public_key().as_ref()))?;
                (Private::EdDsa(pair), public)
            }
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(&material.pkcs8)?;
                let parts = RsaPublicKeyComponents::<Vec<u8>>::from(pair.public_key());
                let public = jwk(Components::Rsa { n: &parts.n, e: &parts.e })?;
                (Private::Rs256(pair), public)
            }
        };
        let header = json!({"typ": TOKEN_TYPE, "alg": material.algorithm.name(), "kid": public.kid});
        Ok(Self { private, public, header: URL_SAFE_NO_PAD.encode(header.to_string()) })
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> &PublicJwk {
        &self.public
    }

    /// Signs claims into a token (RFC 7515, section 7.1).
    ///
    /// # Errors
    /// [`SigningError::Library`].
    pub fn sign(&self, claims: &Claims) -> Result<String, SigningError> {
        let payload = serde_json::to_vec(claims).map_err(|_| SigningError::Library)?;
        let mut token = String::with_capacity(self.header.len() + payload.len() * 4 / 3 + 360);
        token.push_str(&self.header);
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(payload, &mut token);
        let signature = self.signature(token.as_bytes())?;
        token.push('.');
        URL_SAFE_NO_PAD.encode_string(signature, &mut token);
        Ok(token)
    }

    fn signature(&self, message: &[u8]) -> Result<Vec<u8>, SigningError> {
        let random = SystemRandom::new();
        Ok(match &self.private {
            Private::Es256(pair) => pair.sign(&random, message)?.as_ref().to_vec(),
            Private::EdDsa(pair) => pair.sign(message).as_ref().to_vec(),
            Private::Rs256(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)?;
                signature
            }
        })
    }
}

impl fmt::Debug for Signer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signer").field("kid", &self.public.kid).finish_non_exhaustive()
    }
}
