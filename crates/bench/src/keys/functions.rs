//! The two functions, called by their own `handle`.

use std::sync::Arc;

use domain::{Access, random};
use edge::{ApiError, Reply, Request};
use identity::Identity;
use signing::{Algorithm, Wrapper};
use store::{Store, UsageBuffer};
use testkit::{ISSUER, audience, moment};
use token_exchange::SigningKey;

use crate::failure::Failure;
use crate::store_process::connect;

/// A function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    KeyManagement,
    TokenExchange,
}

/// Both of them, on one store.
pub(crate) struct Functions {
    pub(crate) store: Store,
    key_management: Arc<key_management::App>,
    token_exchange: Arc<token_exchange::App>,
}

impl Functions {
    /// Makes what their `main` makes.
    pub(crate) fn start(endpoint: &str) -> Result<Self, Failure> {
        let store = connect(endpoint);
        let access = || Access::built_in().map_err(|error| Failure::Start(error.to_string()));
        let wrapper = Wrapper::from_secret(&random::base62(32)).map_err(|error| Failure::Start(error.to_string()))?;
        let signing_key = SigningKey::new(store.clone(), wrapper, Algorithm::Es256);
        let key_management = key_management::App {
            store: store.clone(),
            identity: Identity::new(store.clone(), audience()),
            access: access()?,
        };
        let token_exchange = token_exchange::App {
            store: store.clone(),
            identity: Identity::new(store.clone(), audience()),
            signing_key,
            usage: Arc::new(UsageBuffer::new(store.clone())),
            access: access()?,
            issuer: ISSUER.to_owned(),
            sign_ups_per_hour: 0,
        };
        Ok(Self { store, key_management: Arc::new(key_management), token_exchange: Arc::new(token_exchange) })
    }

    /// What a function answers, always at the same moment.
    pub(crate) async fn answer(&self, function: Function, request: Request) -> Result<Reply, ApiError> {
        let now = moment(0.0);
        // Boxed, as their runtime has them: in one piece with what is around them they are too much for the compiler.
        match function {
            Function::KeyManagement => {
                Box::pin(key_management::handle(self.key_management.clone(), request, now)).await
            }
            Function::TokenExchange => {
                Box::pin(token_exchange::handle(self.token_exchange.clone(), request, now)).await
            }
        }
    }
}
