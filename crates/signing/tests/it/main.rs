//! Tokens: those that count, and all the ways not to.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod curve;
mod differential;
mod forge;
mod kms;
mod mutation;
mod refusals;
mod round_trip;
mod second;
mod vectors;
