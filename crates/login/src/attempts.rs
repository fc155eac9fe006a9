//! Attempts at what must not be tried too often: how many, and in whose name they are counted.

use std::net::IpAddr;

use domain::{HashedKey, Timestamp, User, UserId};
use edge::{ApiError, Limited};
use store::throttle::{Allowance, Attempt};
use store::{Store, StoreError};

use crate::prove::Account;

/// Failures that an account is allowed before it waits.
pub(crate) const PER_ACCOUNT: Allowance = Allowance { free: 10, window: 600 };
/// Failures that an address is allowed before it waits.
pub const PER_ADDRESS: Allowance = Allowance { free: 100, window: 600 };
const HOUR: i64 = 3600;

/// Counts an attempt of a `kind` that an address is allowed `free` times in an hour. Where no address is known nothing is
/// counted: no caller comes without one.
///
/// # Errors
/// As [`attempt`].
pub async fn hourly(
    store: &Store,
    kind: &str,
    free: u32,
    source: Option<IpAddr>,
    now: Timestamp,
) -> Result<(), ApiError> {
    let Some(address) = source.map(throttled_address) else { return Ok(()) };
    attempt(store, &format!("{kind} {address}"), Allowance { free, window: HOUR }, now).await
}

/// Counts an attempt before it is made.
///
/// # Errors
/// 429 with the seconds to wait; 503 where it can't be counted.
pub async fn attempt(store: &Store, subject: &str, allowance: Allowance, now: Timestamp) -> Result<(), ApiError> {
    match store.throttle_attempt(subject, allowance, now).await {
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
    store: &Store,
    account: &Account<'_>,
    user: Option<&User>,
    address: Option<&str>,
    now: Timestamp,
) -> Result<String, ApiError> {
    let Some(user) = user else {
        if let Some(address) = address {
            store.known_address(&UserId::random(), address, now).await?;
        }
        return Ok(match account {
            Account::Email(text) => format!("nobody {}", fingerprint(&text.to_lowercase())),
            Account::User { client_id, user_id } => {
                format!("nobody {}", fingerprint(&format!("{client_id} {user_id}")))
            }
        });
    };
    match address {
        Some(address) if store.known_address(&user.id, address, now).await? => {
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
    store: &Store,
    user: &User,
    subject: &str,
    address: Option<&str>,
    now: Timestamp,
) -> Result<(), StoreError> {
    store.throttle_clear(subject).await?;
    match address {
        Some(address) => welcome(store, user, address, now).await,
        None => Ok(()),
    }
}

/// Lets a user's address be known, and gives it its attempt back.
///
/// # Errors
/// [`StoreError`].
pub async fn welcome(store: &Store, user: &User, address: &str, now: Timestamp) -> Result<(), StoreError> {
    store.known_address_add(&user.id, address, now).await?;
    store.throttle_give_back(&throttled(address)).await
}

/// What attempts from an address are counted under.
#[must_use]
pub fn throttled(address: &str) -> String {
    format!("address {address}")
}

/// Counted together: one IPv4 address, or the /64 that one IPv6 host is given.
#[must_use]
pub fn throttled_address(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}
