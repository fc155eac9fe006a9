//! The store against the embedded server, and once more against another one: races, conditions, faults.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod account_change;
mod audit;
mod directory;
mod feed;
mod import;
mod keys;
mod ministack;
mod signing_keys;
mod throttle;
mod usage;
mod usage_buffer;
