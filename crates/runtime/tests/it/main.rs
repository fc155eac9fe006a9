//! Invocations from end to end, against a server that speaks the Runtime API byte by byte.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod faults;
mod http;
mod invocations;
mod lambda;
mod log;
mod shutdown;
