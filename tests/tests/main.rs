//! What holds across crates: that the files which describe the system agree with each other, and whole life cycles
//! through the real processes, with real clients.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod drift;
mod event_shapes;
mod project;

mod support;

mod accounts;
mod bad_input;
mod functions;
mod gateway;
mod kill;
mod readme;
mod revocation;
mod secrets;
mod side_by_side;
mod sim;
mod simbee;
mod simcel;
mod simosphere;
mod verifiers;
