//! The exchange: the seeds' own calls, each bad input, a store that fails.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

mod accounts;
mod agents;
mod bad_input;
mod exchange;
mod footing;
mod imported;
mod invites;
mod oauth_authorization_code;
mod oauth_client;
mod oauth_client_credentials;
mod oauth_grant_list;
mod oauth_introspect;
mod oauth_refresh_token;
mod oauth_revoke;
mod oauth_setup;
mod oauth_this_moment;
mod oauth_token_exchange;
mod setup;
mod signing_key;
