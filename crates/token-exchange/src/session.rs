//! What whoever has logged in is given: a token, and who that is where.

use domain::{Claims, Client, ClientId, Email, Environment, Moment, ScopeSet, User, UserId, random};
use edge::{ApiError, Reply};
use serde::Serialize;

use crate::App;

/// How long a login's token lives, in seconds.
pub(crate) const LOGIN_LIFETIME: i64 = 900;

#[derive(Serialize)]
struct LoginAnswer<'a> {
    token: String,
    scopes: ScopeSet,
    expires_in: i64,
    user: UserView<'a>,
    client: ClientView<'a>,
}

#[derive(Serialize)]
pub(crate) struct UserView<'a> {
    pub(crate) id: &'a UserId,
    pub(crate) email: &'a Email,
    pub(crate) role: domain::Role,
}

#[derive(Serialize)]
struct ClientView<'a> {
    id: &'a ClientId,
    slug: &'a str,
    name: &'a str,
}

impl<'a> UserView<'a> {
    pub(crate) fn of(user: &'a User) -> Self {
        Self { id: &user.id, email: &user.email, role: user.role }
    }
}

/// 200 with a token for a user who has just proved to be one.
pub(crate) async fn begin(app: &App, user: &User, client: &Client, now: Moment) -> Result<Reply, ApiError> {
    let scopes = app.identity.scopes_of(user, now).await?;
    let token = token(app, user, client, scopes.clone(), now).await?;
    Ok(edge::ok(&LoginAnswer {
        token,
        scopes,
        expires_in: LOGIN_LIFETIME,
        user: UserView::of(user),
        client: ClientView { id: &client.id, slug: &client.slug, name: &client.name },
    }))
}

/// A token for a user, for what the user holds now.
pub(crate) async fn token(
    app: &App,
    user: &User,
    client: &Client,
    scopes: ScopeSet,
    now: Moment,
) -> Result<String, ApiError> {
    let at = now.timestamp().unix();
    let claims = Claims {
        iss: app.issuer.clone(),
        sub: user.id.to_string(),
        aud: client.id.to_string(),
        client_id: client.id.clone(),
        scope: scopes,
        iat: at,
        nbf: at,
        exp: at + LOGIN_LIFETIME,
        jti: random::base62(22),
        key_id: None,
        secret_version: None,
        workspace_id: client.default_workspace_id.clone(),
        env: Environment::Live,
        billed_to: user.id.clone(),
    };
    app.signing_key.sign(&claims, &app.identity, now).await
}
