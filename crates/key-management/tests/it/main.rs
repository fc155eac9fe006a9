//! Keys managed by program: who may, how far, and what comes back.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod bad_input;
mod change;
mod life;
mod privilege;
mod setup;
