//! From a credential to the principal that stands behind it, with the caches that make it cheap.
//!
//! 1. [`Credential::from_headers`] reads the one credential of a request; what is malformed ends here, unread.
//! 2. A token's signature and claims are verified; a key's string has its check.
//! 3. The change feed is read where the last read is older than the interval, and what it names is dropped.
//! 4. The record of the key, or of the user who has logged in, from the cache or by one strong read, judges every
//!    credential that hangs on it.

mod caches;
mod credential;
mod feed;
mod principal;
mod records;
mod verifying_keys;

pub use credential::{Credential, CredentialError};
pub use feed::FEED_INTERVAL;
pub use principal::{Identity, Principal, Refusal, RefusalReason, Standing};
