//! Apps, and what users grant to them.

use domain::app_grant::GRANT_LIFETIME;
use domain::{
    App, AppGrant, AppId, AuthorizationCode, Client, GrantId, GrantType, HashedKey, RedirectUri, Refresh, RefreshToken,
    ScopeSet, User,
};

use crate::builders::{act, now};

/// Where every app of tests is answered to.
pub const REDIRECT_URI: &str = "https://app.example/callback";
/// The verifier of every code of tests (RFC 7636, appendix B).
pub const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
/// Its challenge.
pub const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// An app that is registered for everything, of a client or of nobody, with a secret or without; not stored yet.
#[must_use]
pub fn app(client: Option<&Client>, scopes: Option<&str>, secret: Option<&str>) -> App {
    App {
        id: AppId::random(),
        client_id: client.map(|client| client.id.clone()),
        name: "Dashboard".to_owned(),
        redirect_uris: vec![RedirectUri::parse(REDIRECT_URI).unwrap()],
        grant_types: GrantType::ALL.to_vec(),
        scopes: scopes.map(|text| ScopeSet::parse(text).unwrap()),
        secret: secret.map(HashedKey::of_text),
        created_at: now(),
        created_by: act().actor.id,
        revision: 0,
    }
}

/// A code that a user has given to an app, not stored yet.
#[must_use]
pub fn authorization_code(code: &str, app: &App, user: &User, client: &Client, scopes: &str) -> AuthorizationCode {
    AuthorizationCode {
        hash: HashedKey::of_text(code),
        app_id: app.id.clone(),
        app_name: app.name.clone(),
        redirect_uri: REDIRECT_URI.to_owned(),
        challenge: CHALLENGE.to_owned(),
        client_id: user.client_id.clone(),
        user_id: user.id.clone(),
        workspace_id: client.default_workspace_id.clone(),
        scopes: ScopeSet::parse(scopes).unwrap(),
        resource: None,
        issued_at: now(),
        redeemed_for: None,
    }
}

/// The grant that such a code leads to, and its first refresh token.
#[must_use]
pub fn grant_of(code: &AuthorizationCode) -> (AppGrant, RefreshToken) {
    let id = GrantId::random();
    let first = RefreshToken::first(&id);
    let grant = AppGrant {
        id,
        client_id: code.client_id.clone(),
        user_id: code.user_id.clone(),
        app_id: code.app_id.clone(),
        scopes: code.scopes.clone(),
        workspace_id: code.workspace_id.clone(),
        resource: code.resource.clone(),
        created_at: now(),
        expires_at: now().plus(GRANT_LIFETIME),
        ended_at: None,
        refresh: Some(Refresh::begin(&first)),
        revision: 0,
    };
    (grant, first)
}
