//! The store against the embedded server: races, conditions, faults.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod directory;
mod feed;
mod keys;
mod signing_keys;
mod throttle;
mod usage;
mod usage_buffer;
