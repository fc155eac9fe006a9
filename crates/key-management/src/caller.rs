//! Who manages, and how far that reaches.

use domain::{Access, ClientId, Environment, KeyId, KeyRecord, Moment, Scope, ScopeSet, Timestamp, UserId};
use edge::{ApiError, Request};
use identity::{Credential, Principal};

use crate::App;

/// The scope that this takes; `admin` covers it.
const KEYS_MANAGE: &str = "keys:manage";

/// A caller that may manage keys of its own client.
pub(crate) struct Caller {
    principal: Principal,
}

impl Caller {
    /// Reads and judges the caller of a request on the keys of `client`.
    ///
    /// # Errors
    /// 401 before anything else; 404 for another client, as for one that does not exist; 403 without the scope.
    pub(crate) async fn of(app: &App, request: &Request, client: &str, now: Moment) -> Result<Self, ApiError> {
        // A value that is no visible ASCII is no credential, but it is there: it must not hide a second one.
        let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("")));
        let credential = Credential::from_headers(headers).map_err(|error| ApiError::Unauthorized(error.into()))?;
        let principal = app.identity.principal(&credential, now).await?;
        if principal.client_id().as_str() != client {
            return Err(ApiError::NotFound);
        }
        match Scope::parse(KEYS_MANAGE) {
            Some(scope) if !principal.covers(&scope) => Err(ApiError::lacks(&scope)),
            _ => Ok(Self { principal }),
        }
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        self.principal.client_id()
    }

    /// What is written down as the maker of what this caller makes.
    pub(crate) fn actor(&self) -> String {
        self.principal.actor().to_owned()
    }

    /// The user behind the caller, where one is.
    pub(crate) fn user_id(&self) -> Option<&UserId> {
        self.principal.user_id()
    }

    /// The environment that a caller is held to; a live key manages both.
    pub(crate) fn held_to(&self) -> Option<Environment> {
        (self.principal.environment() == Environment::Test).then_some(Environment::Test)
    }

    /// # Errors
    /// 403 where a test key would manage live ones.
    pub(crate) fn may_manage(&self, environment: Environment) -> Result<(), ApiError> {
        match self.held_to() {
            Some(own) if own != environment => {
                Err(ApiError::Forbidden("A test key manages test keys alone".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    /// 400 for scopes that access.toml does not name; 403 where the caller would give such as it does not hold.
    pub(crate) fn may_give(&self, scopes: &ScopeSet, access: &Access) -> Result<(), ApiError> {
        if let Some(place) = access.first_unknown(scopes) {
            return Err(ApiError::unknown_scope(place));
        }
        self.covers_all(scopes)
    }

    /// # Errors
    /// 403 where the caller could not have made this key as it is: then neither its secret, nor more scopes, nor a longer
    /// life are the caller's to give. A personal key is its user's alone.
    pub(crate) fn may_grant(&self, key: &KeyRecord) -> Result<(), ApiError> {
        if key.owner_user_id().is_some_and(|owner| self.user_id() != Some(owner)) {
            return Err(ApiError::Forbidden("A personal key is managed by its user".to_owned()));
        }
        self.covers_all(&key.scopes)?;
        self.may_grant_until(key.expires_at)
    }

    fn covers_all(&self, scopes: &ScopeSet) -> Result<(), ApiError> {
        match scopes.iter().find(|scope| !self.principal.covers(scope)) {
            Some(scope) => Err(ApiError::Forbidden(format!("The caller does not have the scope `{scope}` to give"))),
            None => Ok(()),
        }
    }

    /// # Errors
    /// 403 where something would outlive the caller's own key.
    pub(crate) fn may_grant_until(&self, end: Option<Timestamp>) -> Result<(), ApiError> {
        match (self.principal.key().and_then(|key| key.expires_at), end) {
            (None, _) => Ok(()),
            (Some(own), Some(end)) if end <= own => Ok(()),
            _ => Err(ApiError::Forbidden("A key makes none that outlives it: give an earlier `expires_at`".to_owned())),
        }
    }

    /// # Errors
    /// 403 where a key would change its own record.
    pub(crate) fn may_change(&self, id: &KeyId) -> Result<(), ApiError> {
        if self.principal.key().is_some_and(|own| own.id == *id) {
            return Err(ApiError::Forbidden("A key does not change its own record".to_owned()));
        }
        Ok(())
    }
}
