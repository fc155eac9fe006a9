//! Requests to addresses that strangers have chosen (CWE-918).
//!
//! Whoever may name a URL that is fetched from inside of a network may otherwise have read what only that network reaches: the
//! metadata of the machine, a service on loopback, a database's console. So:
//!
//! 1. The URL is https.
//! 2. Its host is resolved once. Where one of its addresses is not a public one, none is asked.
//! 3. The connection goes to an address that was looked at; a second resolution, which could answer otherwise, does not happen.
//! 4. Redirects are not followed, and proxies of the environment are not used: both would lead past 2.
//! 5. Time and bytes are bounded, whatever comes.

mod addresses;
mod get;
mod guard;

pub use addresses::Reach;
pub use get::{Failure, Fetched, Outbound};
