//! What tests share: a fresh store for each, with calls counted and faults injected; keys, clients, a signer.
//!
//! Everything here panics where it fails: a test that can't be set up has failed.
#![expect(clippy::unwrap_used, clippy::missing_panics_doc, reason = "a test that can't be set up has failed")]

mod builders;
mod faults;
mod test_store;

pub use builders::{NOW, TestKey, moment, now};
pub use faults::{Fault, Faults};
pub use test_store::TestStore;
