//! Keys managed by program and by people: who may, how far, and what comes back.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod addresses;
mod agents;
mod audit;
mod audit_events;
mod bad_input;
mod change;
mod cost;
mod faults;
mod idempotency;
mod import;
mod last_used;
mod life;
mod personal;
mod prefix;
mod privilege;
mod races;
mod setup;
mod users;
