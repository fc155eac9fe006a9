//! What whoever has logged in is given: a token, and who that is where.

use domain::{Claims, Client, ClientId, Email, Issue, Moment, ScopeSet, User, UserId};
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
    let at = now.timestamp();
    let issue = Issue {
        issuer: &app.issuer,
        client_id: &client.id,
        workspace_id: user.home(client),
        at,
        ends: at.plus(LOGIN_LIFETIME),
    };
    let claims = Claims::of_login(issue, user, scopes);
    app.signing_key.sign(&claims, &app.identity, now).await
}
