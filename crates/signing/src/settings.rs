//! What the environment says of signing.

use domain::Algorithm;
use thiserror::Error;

/// `KEYGATE_SIGNING_ALGORITHM` names none that there is.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("KEYGATE_SIGNING_ALGORITHM must be ES256, EdDSA or RS256")]
pub struct UnknownAlgorithm;

/// The algorithm that `KEYGATE_SIGNING_ALGORITHM` names; ES256 where it is not set.
///
/// # Errors
/// [`UnknownAlgorithm`] for another name: the function must not start.
pub fn algorithm_from_env() -> Result<Algorithm, UnknownAlgorithm> {
    match std::env::var("KEYGATE_SIGNING_ALGORITHM") {
        Ok(name) if !name.is_empty() => Algorithm::parse(&name).ok_or(UnknownAlgorithm),
        _ => Ok(Algorithm::Es256),
    }
}
