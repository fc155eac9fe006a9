//! Signing keys, the JWKS, and access tokens signed and verified.
//!
//! Signing and verifying go straight to aws-lc-rs, with keys parsed once. Which claims must hold is decided here:
//! `jsonwebtoken`, which reads the JWKs, would read the clock itself and let much through.

mod jwk;
pub mod sealed;
mod settings;
mod signer;
mod token;
mod verify;
mod wrap;
mod wrapped_key;

pub use domain::Algorithm;
pub use jwk::{InvalidJwk, PublicJwk, jwks};
pub use settings::{UnknownAlgorithm, algorithm_from_env};
pub use signer::{KeyMaterial, Signer, SigningError};
pub use token::{MAX_TOKEN_BYTES, MalformedToken, UnverifiedToken};
pub use verify::{Audience, TokenRefusal, VerifyingKey};
pub use wrap::{Kms, MasterKey, WrapContext, WrapError, Wrapper};
pub use wrapped_key::{KeyError, WrappedKey};
