//! The store against the embedded server, and once more against another one: races, conditions, faults.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod account_change;
mod agents;
mod apps;
mod audit;
mod directory;
mod feed;
mod grant_list;
mod grants;
mod import;
mod keys;
mod ministack;
mod revoked;
mod signing_keys;
mod throttle;
mod usage;
mod usage_buffer;
