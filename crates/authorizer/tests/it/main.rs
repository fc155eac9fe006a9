//! The authorizer: each kind of event, each credential, each refusal.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod agents;
mod answers;
mod bad_events;
mod catalogue;
mod evaluator;
mod imported;
mod policies;
mod routes;
mod setup;
mod start;
