//! Whose a password is.
//!
//! 1. The attempt is counted before it is made, for the address it comes from and for the account: a hundred guesses at
//!    once are no more than a hundred in a row.
//! 2. The account is looked up; where there is none, or the password is too long to be one, a hash that nobody has is
//!    verified instead, so that the answer and its time are the same.
//! 3. A success clears the account's count, gives the address's attempt back (and no more: it may be an attacker's own
//!    account), and lets the address be known: from there the owner is counted apart from whoever else guesses, and can't
//!    be locked out by them.

use std::net::IpAddr;

use domain::{Act, Action, ClientId, Deed, Email, Outcome, Password, Timestamp, User, UserId, UserStatus};
use edge::ApiError;
use identity::RefusalReason;
use store::Store;

use crate::attempts::{self, PER_ACCOUNT, PER_ADDRESS};
use crate::passwords;

/// Whose password it should be.
#[derive(Clone, Copy, Debug)]
pub enum Account<'a> {
    /// That of an address.
    Email(&'a str),
    /// That of a client's user.
    User {
        /// The client's id, as it was typed.
        client_id: &'a str,
        /// The user's; the word `owner` stands for the one who signed up.
        user_id: &'a str,
    },
}

/// Whoever the account is, where `password` is the account's.
///
/// # Errors
/// 401 for a wrong password and for an account that is none, alike and after the same time; 429 with the seconds to wait;
/// 503.
pub async fn prove(
    store: &Store,
    account: &Account<'_>,
    password: &str,
    source: Option<IpAddr>,
    time: Timestamp,
) -> Result<User, ApiError> {
    let address = source.map(attempts::throttled_address);
    if let Some(address) = &address {
        attempts::attempt(store, &attempts::throttled(address), PER_ADDRESS, time).await?;
    }
    let user = find(store, account).await?;
    let subject = attempts::subject(store, account, user.as_ref(), address.as_deref(), time).await?;
    attempts::attempt(store, &subject, PER_ACCOUNT, time).await?;
    let presented = Password::presented(password);
    let hash = store.password_of(&user.as_ref().map_or_else(UserId::random, |user| user.id.clone())).await?;
    // Whoever was invited and has not come has no password yet.
    let hash = hash.filter(|_| user.as_ref().is_some_and(|user| user.status == UserStatus::Active));
    let right = passwords::verify(hash, presented).await?;
    note(store, user.as_ref(), &subject, source, right, time).await;
    let Some(user) = user.filter(|_| right) else {
        return Err(ApiError::Unauthorized(RefusalReason::WrongPassword));
    };
    if let Err(error) = attempts::settle(store, &user, &subject, address.as_deref(), time).await {
        // The password was right: what could not be noted is no reason to refuse.
        tracing::warn!(%error, "a login could not be noted");
    }
    Ok(user)
}

/// Notes the login in the audit log, outside of every chain. A guess at an account that is none costs the same write, so
/// that the time does not tell which it was. What can't be noted is logged and refuses nobody.
async fn note(store: &Store, user: Option<&User>, subject: &str, source: Option<IpAddr>, right: bool, at: Timestamp) {
    let address = source.map(|address| address.to_string());
    let noted = match user {
        Some(user) => {
            let act = Act { actor: (&user.id).into(), address, at };
            let (action, outcome) =
                if right { (Action::LoginSucceeded, Outcome::Done) } else { (Action::LoginFailed, Outcome::Refused) };
            store.audit_note(&user.client_id, &act, Deed::new(action, &user.id), outcome).await
        }
        None => store.audit_note_nobody(subject, address.as_deref(), at).await,
    };
    if let Err(error) = noted {
        tracing::warn!(%error, "a login could not be written to the audit log");
    }
}

async fn find(store: &Store, account: &Account<'_>) -> Result<Option<User>, ApiError> {
    // What is none is looked for all the same, under an id that nobody has: as many reads, as much time.
    let nobody = || async { store.user_by_id(&ClientId::random(), &UserId::random()).await };
    let user = match account {
        Account::Email(text) => {
            let known = match Email::parse(text) {
                Some(email) => store.user_by_email(&email).await?,
                None => nobody().await?,
            };
            if known.is_some() { known } else { nobody().await? }
        }
        Account::User { client_id, user_id } => {
            let client = ClientId::parse(client_id).unwrap_or_else(ClientId::random);
            let id = match *user_id {
                "owner" => store.client_by_id(&client).await?.map(|client| client.owner_user_id),
                other => UserId::parse(other),
            };
            store.user_by_id(&client, &id.unwrap_or_else(UserId::random)).await?
        }
    };
    Ok(user)
}
