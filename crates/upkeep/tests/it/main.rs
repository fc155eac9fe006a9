//! Signing keys through their lives: by the schedule, by commands, by several at once, and while things fail.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod commands;
mod faults;
mod schedule;
mod setup;
