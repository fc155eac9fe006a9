//! What tests share: a fresh store for each, with calls counted and faults injected; keys, clients, a signer.
//!
//! Everything here panics where it fails: a test that can't be set up has failed.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::missing_panics_doc,
    reason = "a test that can't be set up has failed"
)]

mod agents;
mod builders;
mod events;
mod faults;
mod http;
mod kms;
mod oauth;
mod python;
mod server;
mod signing_key;
mod test_store;
mod tls;

pub use agents::TestAgent;
pub use builders::{
    ImportedKey, NOW, PASSWORD, TestAccount, TestKey, account, act, change_client, change_user, change_workspace,
    login_claims, moment, now,
};
pub use events::event;
pub use faults::{Fault, Faults};
pub use http::{parts, request, request_of};
pub use kms::TestKms;
pub use oauth::{CHALLENGE, REDIRECT_URI, VERIFIER, app, authorization_code, grant_of};
pub use python::python;
pub use server::{STORE_VARIABLE, call_store};
pub use signing_key::{ISSUER, audience, publish, published_signer, withdraw_signer};
pub use test_store::TestStore;
pub use tls::TlsServer;
