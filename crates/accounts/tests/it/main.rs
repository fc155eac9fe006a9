//! A client's settings, users and workspaces, managed by program: who may, how far, and what comes back.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod apps;
mod audit;
mod bad_input;
mod faults;
mod freshness;
mod grants;
mod life;
mod owners;
mod privilege;
mod races;
mod repeated;
mod setup;
mod workspaces;
