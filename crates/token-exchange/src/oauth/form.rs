//! The parameters that several grants take.

use domain::{Resource, ScopeSet};
use edge::{OauthError, Parameters, Request};

use super::error;
use crate::App;

/// A form in which each parameter stands once (RFC 6749, section 3.2).
pub(super) struct Form(Parameters);

impl Form {
    /// Reads the body of a request.
    pub(super) fn read(request: &Request) -> Result<Self, OauthError> {
        let parameters = Parameters::of_form(request)?;
        match parameters.repeated() {
            Some(repeated) => Err(repeated.into()),
            None => Ok(Self(parameters)),
        }
    }

    /// A parameter; `None` where it is left out or empty.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        // None stands there twice.
        self.0.one(name).ok().flatten()
    }

    /// A parameter that must be there.
    pub(super) fn required(&self, name: &str) -> Result<&str, OauthError> {
        self.get(name).ok_or_else(|| OauthError::invalid_request(format!("`{name}` is missing")))
    }

    /// `scope`: scopes that exist.
    pub(super) fn scopes(&self, app: &App) -> Result<Option<ScopeSet>, OauthError> {
        let Some(text) = self.get("scope") else { return Ok(None) };
        let scopes = ScopeSet::parse(text).filter(|scopes| app.access.first_unknown(scopes).is_none());
        scopes.map(Some).ok_or_else(|| error::invalid_scope("`scope` holds one that does not exist"))
    }

    /// `resource`: for whom the token is to be (RFC 8707, section 2). One: a token has one audience.
    pub(super) fn resource(&self) -> Result<Option<Resource>, OauthError> {
        let Some(text) = self.get("resource") else { return Ok(None) };
        let malformed = || error::invalid_target("`resource` must be an absolute https URL without a fragment");
        Resource::parse(text).map(Some).ok_or_else(malformed)
    }
}
