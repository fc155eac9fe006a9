//! The exchange: the seeds' own calls, each bad input, a store that fails.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod accounts;
mod bad_input;
mod exchange;
mod footing;
mod imported;
mod invites;
mod setup;
mod signing_key;
