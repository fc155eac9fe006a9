//! Credentials against a real store: what the caches save, and what they must never hide.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod agents;
mod apps;
mod footing;
mod freshness;
mod imported;
mod losses;
mod principals;
mod setup;
mod signing_keys;
mod verified;
