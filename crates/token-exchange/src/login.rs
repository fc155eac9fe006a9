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

use domain::{Act, Action, ClientId, Deed, Email, Moment, Outcome, Password, Timestamp, User, UserId, UserStatus};
use edge::{ApiError, Reply};
use identity::RefusalReason;

use crate::attempts::{self, PER_ACCOUNT, PER_ADDRESS};
use crate::{App, passwords, session};

/// Whose password it should be.
pub(crate) enum Account<'a> {
    /// That of an address.
    Email(&'a str),
    /// That of a client's user; the word `owner` stands for the one who signed up.
    User { client_id: &'a str, user_id: &'a str },
}

/// Logs in.
pub(crate) async fn login(
    app: &App,
    account: &Account<'_>,
    password: &str,
    source: Option<IpAddr>,
    now: Moment,
) -> Result<Reply, ApiError> {
    let time = now.timestamp();
    let address = source.map(attempts::throttled_address);
    if let Some(address) = &address {
        attempts::attempt(app, &attempts::throttled(address), PER_ADDRESS, time).await?;
    }
    let user = find(app, account).await?;
    let subject = attempts::subject(app, account, user.as_ref(), address.as_deref(), time).await?;
    attempts::attempt(app, &subject, PER_ACCOUNT, time).await?;
    let presented = Password::presented(password);
    let hash = app.store.password_of(&user.as_ref().map_or_else(UserId::random, |user| user.id.clone())).await?;
    // Whoever was invited and has not come has no password yet.
    let hash = hash.filter(|_| user.as_ref().is_some_and(|user| user.status == UserStatus::Active));
    let right = passwords::verify(hash, presented).await?;
    note(app, user.as_ref(), &subject, source, right, time).await;
    let Some(user) = user.filter(|_| right) else {
        return Err(ApiError::Unauthorized(RefusalReason::WrongPassword));
    };
    if let Err(error) = attempts::settle(app, &user, &subject, address.as_deref(), time).await {
        // The password was right: what could not be noted is no reason to refuse.
        tracing::warn!(%error, "a login could not be noted");
    }
    let client =
        app.store.client_by_id(&user.client_id).await?.ok_or(ApiError::Unauthorized(RefusalReason::UnknownUser))?;
    session::begin(app, &user, &client, now).await
}

/// Notes the login in the audit log, outside of every chain. A guess at an account that is none costs the same write, so
/// that the time does not tell which it was. What can't be noted is logged and refuses nobody.
async fn note(app: &App, user: Option<&User>, subject: &str, source: Option<IpAddr>, right: bool, at: Timestamp) {
    let address = source.map(|address| address.to_string());
    let noted = match user {
        Some(user) => {
            let act = Act { actor: (&user.id).into(), address, at };
            let (action, outcome) =
                if right { (Action::LoginSucceeded, Outcome::Done) } else { (Action::LoginFailed, Outcome::Refused) };
            app.store.audit_note(&user.client_id, &act, Deed::new(action, &user.id), outcome).await
        }
        None => app.store.audit_note_nobody(subject, address.as_deref(), at).await,
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "a login could not be written to the audit log");
    }
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
