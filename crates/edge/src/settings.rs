//! Settings that several functions read.

use std::time::Duration;

use identity::DEFAULT_BOUND;
use thiserror::Error;

/// A setting is missing or wrong: the function must not start.
#[derive(Debug, Error)]
#[error("{variable} {problem}")]
pub struct SettingsError {
    /// The environment variable.
    pub variable: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

/// The public base URL, which is the issuer, from `KEYGATE_BASE_URL`. It is never taken from a request.
///
/// # Errors
/// [`SettingsError`] where it is missing, no http(s) URL, or ends in a slash: the issuer is compared letter by letter.
pub fn base_url() -> Result<String, SettingsError> {
    check(std::env::var("KEYGATE_BASE_URL").unwrap_or_default())
}

fn check(url: String) -> Result<String, SettingsError> {
    let wrong = |problem| Err(SettingsError { variable: "KEYGATE_BASE_URL", problem });
    let host = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    match host {
        None | Some("") => wrong("must be an http(s) URL"),
        Some(_) if url.ends_with('/') => wrong("must not end in a slash"),
        Some(_) if !url.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"') => wrong("has odd characters"),
        Some(host) if host.contains(['?', '#', '@']) => wrong("must be a bare URL"),
        Some(_) => Ok(url),
    }
}

/// How long a change that takes something away may stay unseen, from `KEYGATE_REVOCATION_BOUND_SECONDS`: 2 to 60,
/// [`DEFAULT_BOUND`] where it is not set.
///
/// # Errors
/// [`SettingsError`] where it is something else.
pub fn revocation_bound() -> Result<Duration, SettingsError> {
    check_bound(&std::env::var(BOUND).unwrap_or_default())
}

const BOUND: &str = "KEYGATE_REVOCATION_BOUND_SECONDS";

fn check_bound(seconds: &str) -> Result<Duration, SettingsError> {
    match seconds.parse() {
        _ if seconds.is_empty() => Ok(DEFAULT_BOUND),
        // One second is the call's own.
        Ok(seconds @ 2..=60) => Ok(Duration::from_secs(seconds)),
        _ => Err(SettingsError { variable: BOUND, problem: "must be a whole number of seconds, 2 to 60" }),
    }
}

/// What one address is allowed in an hour where nothing else is set.
const PER_HOUR: u32 = 60;

/// How many attempts of a kind one address is allowed in an hour, from a variable of the kind's own; 60 where it is not set. 0
/// closes what it is about.
///
/// # Errors
/// [`SettingsError`] where it is no number.
pub fn per_hour(variable: &'static str) -> Result<u32, SettingsError> {
    check_per_hour(variable, &std::env::var(variable).unwrap_or_default())
}

fn check_per_hour(variable: &'static str, number: &str) -> Result<u32, SettingsError> {
    if number.is_empty() {
        return Ok(PER_HOUR);
    }
    number.parse().map_err(|_| SettingsError { variable, problem: "must be a number" })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_two_seconds_to_a_minute() {
        for (text, seconds) in [("", 5), ("2", 2), ("60", 60)] {
            assert_eq!(check_bound(text).unwrap(), Duration::from_secs(seconds));
        }
        for bad in ["0", "1", "61", "5s", "4.5", "-5", " 5"] {
            assert!(check_bound(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_limit_per_hour_is_a_number() {
        for (text, number) in [("", 60), ("0", 0), ("10000", 10_000)] {
            assert_eq!(check_per_hour("VARIABLE", text).unwrap(), number);
        }
        for bad in ["-1", "many", "1.5", " 1", "4294967296"] {
            assert!(check_per_hour("VARIABLE", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_base_url_is_bare() {
        for good in ["https://auth.example", "http://127.0.0.1:8788", "https://auth.example/keys"] {
            assert!(check(good.to_owned()).is_ok(), "{good}");
        }
        for bad in
            ["", "auth.example", "https://", "https://auth.example/", "https://a b", "https://a\"", "https://a?b"]
        {
            assert!(check(bad.to_owned()).is_err(), "{bad}");
        }
    }
}
