//! Attempts at sign-up and login: how many, and in whose name they are counted.

use std::net::IpAddr;

use domain::{HashedKey, Timestamp, User, UserId};
use edge::{ApiError, Limited};
use store::StoreError;
use store::throttle::{Allowance, Attempt};

use crate::App;
use crate::login::Account;

/// Failures that an account is allowed before it waits.
pub(crate) const PER_ACCOUNT: Allowance = Allowance { free: 10, window: 600 };
/// Failures that an address is allowed before it waits.
pub(crate) const PER_ADDRESS: Allowance = Allowance { free: 100, window: 600 };

/// Counts an attempt before it is made.
///
/// # Errors
/// 429 with the seconds to wait; 503 where it can't be counted.
pub(crate) async fn attempt(app: &App, subject: &str, allowance: Allowance, now: Timestamp) -> Result<(), ApiError> {
    match app.store.throttle_attempt(subject, allowance, now).await {
        Ok(Attempt::Go) => Ok(()),
        Ok(Attempt::Wait(seconds)) => {
            Err(ApiError::TooManyRequests(Limited { limit: allowance.free, retry_after: seconds }))
        }
        // So many at once is too many.
        Err(StoreError::Contended) => Err(ApiError::TooManyRequests(Limited { limit: allowance.free, retry_after: 1 })),
        Err(error) => Err(error.into()),
    }
}

/// In whose name attempts at an account are counted: from an address that the owner has come from before, the owner's
/// own; otherwise everybody's together. An account that is none counts like one that is.
pub(crate) async fn subject(
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
    HashedKey::of_text(text).fingerprint()
}

/// What a success leaves behind.
pub(crate) async fn settle(
    app: &App,
    user: &User,
    subject: &str,
    address: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    app.store.throttle_clear(subject).await?;
    match address {
        Some(address) => welcome(app, user, address, now).await,
        None => Ok(()),
    }
}

/// Lets a user's address be known, and gives it its attempt back.
pub(crate) async fn welcome(app: &App, user: &User, address: &str, now: Timestamp) -> Result<(), StoreError> {
    app.store.known_address_add(&user.id, address, now).await?;
    app.store.throttle_give_back(&throttled(address)).await
}

/// What attempts from an address are counted under.
pub(crate) fn throttled(address: &str) -> String {
    format!("address {address}")
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
