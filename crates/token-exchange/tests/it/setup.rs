use std::sync::Arc;

use domain::{Access, Claims, Client};
use edge::Request;
use identity::Identity;
use serde_json::Value;
use signing::{Algorithm, UnverifiedToken, VerifyingKey, Wrapper};
use store::UsageBuffer;
use testkit::{ISSUER, TestAccount, TestKey, TestStore, audience, moment, now, parts};
use token_exchange::{App, SigningKey, handle};

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) client: Client,
    pub(crate) account: TestAccount,
    pub(crate) app: Arc<App>,
}

pub(crate) fn wrapper() -> Wrapper {
    Wrapper::from_secret(&"a".repeat(32)).unwrap()
}

fn app(test: &TestStore, signing_key: SigningKey) -> Arc<App> {
    Arc::new(App {
        store: test.store.clone(),
        identity: Identity::new(test.store.clone(), audience()),
        signing_key,
        usage: Arc::new(UsageBuffer::new(test.store.clone())),
        access: Access::built_in().unwrap(),
        issuer: ISSUER.to_owned(),
        sign_ups_per_hour: 3,
    })
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let test = TestStore::start().await;
        let account = test.account().await;
        let signing_key = SigningKey::new(test.store.clone(), wrapper(), Algorithm::Es256);
        signing_key.prepare(moment(0.0)).await;
        let app = app(&test, signing_key);
        Self { test, client: account.client.clone(), account, app }
    }

    /// The same on the same store, with another signing key.
    pub(crate) fn app_signing_with(&self, signing_key: SigningKey) -> Arc<App> {
        app(&self.test, signing_key)
    }

    pub(crate) async fn key(&self, scopes: &str) -> TestKey {
        TestKey::new(&self.client, scopes).stored(&self.test.store).await
    }

    /// Status and body of the answer.
    pub(crate) async fn answer(&self, request: Request) -> (u16, Value) {
        match handle(self.app.clone(), request, moment(0.0)).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(ISSUER)),
        }
    }

    /// The answer to a JSON body.
    pub(crate) async fn post(&self, path: &str, body: &str) -> (u16, Value) {
        self.answer(testkit::request("POST", path, &[("content-type", "application/json")], body)).await
    }

    /// The claims of a token, verified against what is published.
    pub(crate) async fn claims(&self, token: &Value) -> Claims {
        let unverified = UnverifiedToken::parse(token.as_str().unwrap()).unwrap();
        let published = self.test.store.signing_key_publics().await.unwrap();
        let item = published.iter().find(|item| item.kid == unverified.kid()).unwrap();
        let key = VerifyingKey::from_jwk(Algorithm::parse(&item.algorithm).unwrap(), &item.jwk).unwrap();
        key.verify(&unverified, &audience(), now()).unwrap()
    }
}
