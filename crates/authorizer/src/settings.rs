//! What the environment says of answers.

use domain::Access;
use thiserror::Error;

use crate::whole::{Unsayable, WholePolicies};

/// A setting that can't be followed: the function must not start.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum SettingsError {
    /// `KEYGATE_POLICY` is another word.
    #[error("KEYGATE_POLICY must be `route` or `whole`")]
    Policy,
    /// Policies that name every route can't be made.
    #[error("KEYGATE_POLICY can't be `whole`: {0}")]
    Whole(#[from] Unsayable),
    /// `KEYGATE_HTTP_API_RESPONSE` is another word.
    #[error("KEYGATE_HTTP_API_RESPONSE must be `simple` or `policy`")]
    Response,
    /// A kept yes is one to every route.
    #[error("KEYGATE_HTTP_API_RESPONSE can't be `simple` where KEYGATE_POLICY is `whole`")]
    KeptYes,
}

/// What a policy names.
#[derive(Debug)]
pub enum Policies {
    /// The one route that was asked: no gateway may keep the answer.
    OneRoute,
    /// Every route: a gateway may keep the answer. What is revoked, counted, limited or bound to an address is then as late
    /// as the gateway asks again.
    Whole(WholePolicies),
}

impl Policies {
    /// Reads `KEYGATE_POLICY`; one route where it is not set.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn from_env(access: &Access) -> Result<Self, SettingsError> {
        match std::env::var("KEYGATE_POLICY").as_deref() {
            Err(_) | Ok("" | "route") => Ok(Self::OneRoute),
            Ok("whole") => Ok(Self::Whole(WholePolicies::new(access)?)),
            Ok(_) => Err(SettingsError::Policy),
        }
    }
}

/// How an HTTP API with payload format 2.0 wants to be answered; its event does not say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpApiResponse {
    /// `{isAuthorized, context}`: the API has `EnableSimpleResponses`.
    Simple,
    /// An IAM policy.
    Policy,
}

impl HttpApiResponse {
    /// Reads `KEYGATE_HTTP_API_RESPONSE`. Where it is not set: simple, but a policy where it names every route.
    ///
    /// # Errors
    /// [`SettingsError`].
    pub fn from_env(policies: &Policies) -> Result<Self, SettingsError> {
        let whole = matches!(policies, Policies::Whole(_));
        match (std::env::var("KEYGATE_HTTP_API_RESPONSE").as_deref(), whole) {
            (Ok("policy"), _) | (Err(_) | Ok(""), true) => Ok(Self::Policy),
            (Err(_) | Ok("" | "simple"), false) => Ok(Self::Simple),
            (Ok("simple"), true) => Err(SettingsError::KeptYes),
            (Ok(_), _) => Err(SettingsError::Response),
        }
    }
}
