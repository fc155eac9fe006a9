//! What apps may be.

use domain::{App as OauthApp, GrantType, RedirectUri, ScopeSet};
use edge::ApiError;

use crate::App;
use crate::caller::Caller;
use crate::form::bad;

/// The members of a form that make an app what it is, checked one by one and together.
///
/// # Errors
/// 400 for what can't be; 403 for scopes that the caller can't give.
pub(super) fn check(app: &App, caller: &Caller, new: &OauthApp) -> Result<(), ApiError> {
    let needs_redirect = new.may(GrantType::AuthorizationCode);
    if needs_redirect == new.redirect_uris.is_empty() {
        return Err(bad("`redirect_uris` belong to apps with the grant type `authorization_code`, which need one"));
    }
    if new.redirect_uris.len() > OauthApp::MAX_REDIRECT_URIS {
        return Err(bad("`redirect_uris`: 20 at most"));
    }
    if new.may(GrantType::RefreshToken) && !new.may(GrantType::AuthorizationCode) {
        return Err(bad("`grant_types`: a `refresh_token` follows an `authorization_code` alone"));
    }
    if new.may(GrantType::ClientCredentials) && !new.is_confidential() {
        return Err(bad("`grant_types`: `client_credentials` is for confidential apps"));
    }
    if let Some(scopes) = &new.scopes {
        caller.gives("scopes", scopes, &app.access)?;
    }
    Ok(())
}

/// # Errors
/// 400 for one that no app may have.
pub(super) fn redirect_uris(texts: &[String]) -> Result<Vec<RedirectUri>, ApiError> {
    let uris = texts.iter().map(|text| RedirectUri::parse(text)).collect::<Option<Vec<_>>>();
    uris.ok_or_else(|| bad("`redirect_uris` must be https, http to a loopback address, or of an app's own scheme"))
}

/// # Errors
/// 400 for none, or one twice.
pub(super) fn grant_types(types: &[GrantType]) -> Result<Vec<GrantType>, ApiError> {
    let twice = types.iter().enumerate().any(|(place, one)| types[..place].contains(one));
    if types.is_empty() || twice {
        return Err(bad("`grant_types` must be at least one, and each once"));
    }
    Ok(types.to_vec())
}

/// # Errors
/// 400 for none: an app without scopes could do nothing.
pub(super) fn scopes(scopes: Vec<domain::Scope>) -> Result<ScopeSet, ApiError> {
    ScopeSet::new(scopes).ok_or_else(|| bad("`scopes` must be 1 to 50 scopes"))
}
