//! What holds across crates: that the files which describe the system agree with each other, and whole life cycles
//! through the real processes, with real clients.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod drift;
mod event_shapes;
mod oauth_clients;
mod project;

mod support;

mod agents;
mod authorizers;
mod bad_input;
mod feed_kinds;
mod functions;
mod gateway;
mod isolation;
mod isolation_inside;
mod kill;
mod kill_between;
mod no_scan;
mod oauth_consents;
mod readme;
mod revocation;
mod rotation;
mod secrets;
mod side_by_side;
mod signing_commands;
mod signing_life;
mod sim;
mod sim_key_types;
mod simbee;
mod simbee_accounts;
mod simcel;
mod simosphere;
mod verifiers;
