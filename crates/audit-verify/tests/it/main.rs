//! Chains that are whole, and every way to break one.

#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod chain;
mod program;
mod setup;
mod stored;
mod unreadable;
