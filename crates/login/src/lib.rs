//! Proves that somebody is a user, for every function that logs people in (OWASP ASVS 5, chapter 6; NIST SP 800-63B-4).
//!
//! [`prove()`] says whose a password is, and counts, slows down and notes the attempts; [`attempts`] counts what else must not
//! be tried too often; [`hash`] keeps a new password. What a user is given then is for the function to say.

pub mod attempts;
mod passwords;
mod prove;

pub use passwords::hash;
pub use prove::{Account, prove};
