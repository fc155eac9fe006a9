//! From a credential to the principal that stands behind it, with the caches that make it cheap.
//!
//! 1. [`Credential::from_headers`] reads the one credential of a request; what is malformed ends here, unread.
//! 2. A token's signature and claims are verified; a key's string has its check. What may be another system's key is looked up
//!    by its hash where a registered pattern matches it.
//! 3. The change feed is read where the last read is older than the interval, and what it names is dropped.
//!    An agent's token leads to its own record, which never changes.
//! 4. The record of the key, or of the user who has logged in, from the cache or by one strong read, judges every
//!    credential that hangs on it; so do the user behind a personal key, and the workspace that the call is made in.

mod agents;
mod apps;
mod bounded;
mod caches;
mod call;
mod credential;
mod feed;
mod footing;
mod identity;
mod principal;
mod records;
mod refusal;
mod revoked;
mod verified;
mod verifying_keys;

pub use call::{Call, Named, is_header_of_a_call};
pub use credential::{Credential, CredentialError};
pub use feed::{DEFAULT_BOUND, FEED_INTERVAL};
pub use footing::Footing;
pub use identity::{Identity, Sender};
pub use principal::{Principal, Standing};
pub use refusal::{Refusal, RefusalReason};
