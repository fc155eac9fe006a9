//! Logging in with a password (OWASP ASVS 5, chapter 6; NIST SP 800-63B-4).
//!
//! 1. The attempt is counted before it is made, for the address it comes from and for the account: a hundred guesses at
//!    once are no more than a hundred in a row.
//! 2. The account is looked up; where there is none, or the password is too long to be one, a hash that nobody has is
//!    verified instead, so that the answer and its time are the same.
//! 3. A success clears the account's count, gives the address's attempt back (and no more: it may be an attacker's own
//!    account), and lets the address be known: from there the owner is counted apart from whoever else guesses, and can't
//!    be locked out by them.

use std::net::IpAddr;

use domain::{Claims, Client, ClientId, Email, Environment, Moment, Password, ScopeSet, User, UserId, random};
use edge::{ApiError, Reply};
use identity::RefusalReason;
use serde::Serialize;

use crate::attempts::{self, PER_ACCOUNT, PER_ADDRESS};
use crate::{App, passwords};

/// How long a login's token lives, in seconds.
pub(crate) const LOGIN_LIFETIME: i64 = 900;

/// Whose password it should be.
pub(crate) enum Account<'a> {
    /// That of an address.
    Email(&'a str),
    /// That of a client's user; the word `owner` stands for the one who signed up.
    User { client_id: &'a str, user_id: &'a str },
}

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

/// Logs in.
pub(crate) async fn login(
    app: &App,
    account: &Account<'_>,
    password: &str,
    address: Option<IpAddr>,
    now: Moment,
) -> Result<Reply, ApiError> {
    let time = now.timestamp();
    let address = address.map(attempts::throttled_address);
    if let Some(address) = &address {
        attempts::attempt(app, &attempts::throttled(address), PER_ADDRESS, time).await?;
    }
    let user = find(app, account).await?;
    let subject = attempts::subject(app, account, user.as_ref(), address.as_deref(), time).await?;
    attempts::attempt(app, &subject, PER_ACCOUNT, time).await?;
    let presented = Password::presented(password);
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = passwords::verify(hash, presented).await?;
    let Some(user) = user.filter(|_| right) else {
        return Err(ApiError::Unauthorized(RefusalReason::WrongPassword));
    };
    if let Err(error) = attempts::settle(app, &user, &subject, address.as_deref(), time).await {
        // The password was right: what could not be noted is no reason to refuse.
        tracing::warn!(%error, "a login could not be noted");
    }
    let client =
        app.store.client_by_id(&user.client_id).await?.ok_or(ApiError::Unauthorized(RefusalReason::UnknownUser))?;
    let (token, scopes) = token(app, &user, &client, now).await?;
    Ok(edge::ok(&LoginAnswer {
        token,
        scopes,
        expires_in: LOGIN_LIFETIME,
        user: UserView::of(&user),
        client: ClientView { id: &client.id, slug: &client.slug, name: &client.name },
    }))
}

/// A token for a user who has just proved to be one.
pub(crate) async fn token(
    app: &App,
    user: &User,
    client: &Client,
    now: Moment,
) -> Result<(String, ScopeSet), ApiError> {
    let at = now.timestamp().unix();
    let claims = Claims {
        iss: app.issuer.clone(),
        sub: user.id.to_string(),
        aud: client.id.to_string(),
        client_id: client.id.clone(),
        scope: user.role.scopes(),
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
    Ok((app.signing_key.sign(&claims, now).await?, claims.scope))
}

async fn find(app: &App, account: &Account<'_>) -> Result<Option<User>, ApiError> {
    // What is none is looked for all the same, under an id that nobody has: as many reads, as much time.
    let nobody = || async { app.store.user_by_id(&ClientId::random(), &UserId::random()).await };
    let user = match account {
        Account::Email(text) => {
            let known = match Email::parse(text) {
                Some(email) => app.store.user_by_email(&email).await?,
                None => nobody().await?,
            };
            if known.is_some() { known } else { nobody().await? }
        }
        Account::User { client_id, user_id } => {
            let client = ClientId::parse(client_id).unwrap_or_else(ClientId::random);
            let id = match *user_id {
                "owner" => app.store.client_by_id(&client).await?.map(|client| client.owner_user_id),
                other => UserId::parse(other),
            };
            app.store.user_by_id(&client, &id.unwrap_or_else(UserId::random)).await?
        }
    };
    Ok(user)
}
