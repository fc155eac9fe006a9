//! Events as AWS sends them, and as it doesn't, through all that stands between Lambda and a handler.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod answers;
mod catalogue;
mod requests;
mod setup;
mod ugly;
