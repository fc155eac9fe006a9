//! Logging in with a password (OWASP ASVS 5, chapter 6; NIST SP 800-63B-4).
//!
//! 1. The attempt is counted before it is made, for the address it comes from and for the account: a hundred guesses at
//!    once are no more than a hundred in a row.
//! 2. The account is looked up; where there is none, or the password is too long to be one, a hash that nobody has is
//!    verified instead, so that the answer and its time are the same.
//! 3. A success clears the account's count (not the address's: it may be an attacker's own account), and lets its
//!    address be known: from there the owner is counted apart from
//!    whoever else guesses, and can't be locked out by them.

use std::net::IpAddr;
use std::sync::LazyLock;

use domain::{
    Claims, Client, ClientId, Email, Environment, Moment, Password, PasswordHash, Timestamp, User, UserId, random,
};
use edge::{ApiError, Limited, Reply};
use identity::RefusalReason;
use serde::Serialize;
use store::throttle::{Allowance, Attempt};
use tokio::sync::Semaphore;

use crate::App;

/// How long a login's token lives, in seconds.
pub(crate) const LOGIN_LIFETIME: i64 = 900;
/// Failures that an account is allowed before it waits.
const PER_ACCOUNT: Allowance = Allowance { free: 10, window: 600 };
/// Failures that an address is allowed before it waits.
const PER_ADDRESS: Allowance = Allowance { free: 100, window: 600 };
/// Hashing takes 19 MB and a core each: no more of them at once, whatever comes in.
static HASHING: Semaphore = Semaphore::const_new(2);
/// What a password is compared with where there is no account: a hash of something that nobody knows.
static NOBODY: LazyLock<Option<PasswordHash>> =
    LazyLock::new(|| Password::presented(&random::base62(32)).map(|password| PasswordHash::of(&password)));

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
    scopes: domain::ScopeSet,
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
    let address = address.map(throttled_address);
    if let Some(address) = &address {
        attempt(app, &format!("address {address}"), PER_ADDRESS, time).await?;
    }
    let user = find(app, account).await?;
    let subject = subject(app, account, user.as_ref(), address.as_deref(), time).await?;
    attempt(app, &subject, PER_ACCOUNT, time).await?;
    let presented = Password::presented(password);
    let hash = user.as_ref().map(|user| user.password_hash.clone());
    let right = verify(hash, presented).await?;
    let Some(user) = user.filter(|_| right) else {
        return Err(ApiError::Unauthorized(RefusalReason::WrongPassword));
    };
    app.store.throttle_clear(&subject).await?;
    if let Some(address) = &address {
        app.store.known_address_add(&user.id, address, time).await?;
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
) -> Result<(String, domain::ScopeSet), ApiError> {
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

/// Hashes a new password, in its turn.
pub(crate) async fn hash(password: Password) -> Result<PasswordHash, ApiError> {
    in_turn(move || PasswordHash::of(&password)).await
}

async fn verify(hash: Option<PasswordHash>, password: Option<Password>) -> Result<bool, ApiError> {
    in_turn(move || {
        let (known, hash) = (hash.is_some(), hash.or_else(|| NOBODY.clone()));
        let usable = password.is_some();
        let password = password.or_else(|| Password::presented(""));
        let same = hash.zip(password).is_some_and(|(hash, password)| hash.matches(&password));
        same && known && usable
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| ApiError::Unavailable(error);
    let _turn = HASHING.acquire().await.map_err(|error| unavailable(error.into()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| unavailable(error.into()))
}

async fn find(app: &App, account: &Account<'_>) -> Result<Option<User>, ApiError> {
    let user = match account {
        Account::Email(text) => match Email::parse(text) {
            Some(email) => match app.store.user_by_email(&email).await? {
                Some(user) => Some(user),
                // As many reads as for an address that is known.
                None => app.store.user_by_id(&ClientId::random(), &UserId::random()).await?,
            },
            None => None,
        },
        Account::User { client_id, user_id } => {
            let Some(client) = ClientId::parse(client_id) else { return Ok(None) };
            let id = match *user_id {
                "owner" => app.store.client_by_id(&client).await?.map(|client| client.owner_user_id),
                other => UserId::parse(other),
            };
            match id {
                Some(id) => app.store.user_by_id(&client, &id).await?,
                None => None,
            }
        }
    };
    Ok(user)
}

/// In whose name attempts at an account are counted: from an address that the owner has come from before, the owner's
/// own; otherwise everybody's together. An account that is none counts like one that is.
async fn subject(
    app: &App,
    account: &Account<'_>,
    user: Option<&User>,
    address: Option<&str>,
    now: Timestamp,
) -> Result<String, ApiError> {
    let Some(user) = user else {
        if let Some(address) = address {
            app.store.known_address(&UserId::random(), address, now).await?;
        }
        return Ok(match account {
            Account::Email(text) => format!("nobody {}", fingerprint(&text.to_lowercase())),
            Account::User { client_id, user_id } => {
                format!("nobody {}", fingerprint(&format!("{client_id} {user_id}")))
            }
        });
    };
    match address {
        Some(address) if app.store.known_address(&user.id, address, now).await? => {
            Ok(format!("user {} at {address}", user.id))
        }
        _ => Ok(format!("user {}", user.id)),
    }
}

/// What somebody typed is no name of an item: it may be long, or a password in the wrong field.
fn fingerprint(text: &str) -> String {
    domain::HashedKey::of_text(text).fingerprint()
}

async fn attempt(app: &App, subject: &str, allowance: Allowance, now: Timestamp) -> Result<(), ApiError> {
    match app.store.throttle_attempt(subject, allowance, now).await {
        Ok(Attempt::Go) => Ok(()),
        Ok(Attempt::Wait(seconds)) => {
            Err(ApiError::TooManyRequests(Limited { limit: allowance.free, retry_after: seconds }))
        }
        // So many at once is too many.
        Err(store::StoreError::Contended) => {
            Err(ApiError::TooManyRequests(Limited { limit: allowance.free, retry_after: 1 }))
        }
        Err(error) => Err(error.into()),
    }
}

/// Counted together: one IPv4 address, or the /64 that one IPv6 host is given.
pub(crate) fn throttled_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
