//! Settings of this function alone.

use thiserror::Error;

/// Sign-ups that one address is allowed in an hour where nothing else is set.
const SIGN_UPS_PER_HOUR: u32 = 60;

/// `KEYGATE_SIGN_UPS_PER_HOUR` is no number.
#[derive(Debug, Error)]
#[error("KEYGATE_SIGN_UPS_PER_HOUR must be a number")]
pub struct InvalidLimit;

/// Reads `KEYGATE_SIGN_UPS_PER_HOUR`; 60 where it is not set.
///
/// # Errors
/// [`InvalidLimit`]: the function must not start.
pub fn sign_ups_per_hour_from_env() -> Result<u32, InvalidLimit> {
    match std::env::var("KEYGATE_SIGN_UPS_PER_HOUR") {
        Ok(text) if !text.is_empty() => text.parse().map_err(|_| InvalidLimit),
        _ => Ok(SIGN_UPS_PER_HOUR),
    }
}
