//! Signing keys, the JWKS, and access tokens signed and verified.
//!
//! Signing goes straight to aws-lc-rs, with keys parsed once; signatures are verified by `jsonwebtoken`. Which claims
//! must hold is decided here, since that library reads the clock itself and lets much through.

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
