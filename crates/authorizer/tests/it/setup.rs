use std::sync::Arc;

use authorizer::{App, Event, HttpApiResponse, Policies, handle};
use domain::{Access, Claims, Client, Moment, ScopeSet, Tally};
use identity::Identity;
use serde_json::{Value, json};
use signing::{Algorithm, Signer};
use store::UsageBuffer;
use testkit::{ISSUER, TestAccount, TestKey, TestStore, audience, moment, now, published_signer};

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) client: Client,
    pub(crate) account: TestAccount,
    pub(crate) app: App,
    signer: Signer,
}

/// What a gateway gets: an answer, or an error's text.
#[derive(Debug, PartialEq)]
pub(crate) enum Outcome {
    Answer(Value),
    Error(String),
}

/// What a gateway turns into a 401.
pub(crate) fn unauthorized() -> Outcome {
    Outcome::Error("Unauthorized".to_owned())
}

impl Outcome {
    pub(crate) fn answer(self) -> Value {
        match self {
            Self::Answer(answer) => answer,
            Self::Error(text) => panic!("{text}"),
        }
    }

    /// `Allow` or `Deny`.
    pub(crate) fn effect(self) -> String {
        self.answer()["policyDocument"]["Statement"][0]["Effect"].as_str().unwrap().to_owned()
    }
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let test = TestStore::start().await;
        let account = test.account().await;
        let signer = published_signer(&test.store, Algorithm::Es256).await;
        let app = App {
            identity: Identity::new(test.store.clone(), audience()),
            usage: Arc::new(UsageBuffer::new(test.store.clone())),
            access: Access::built_in().unwrap(),
            policies: Policies::OneRoute,
            http_api_response: HttpApiResponse::Simple,
            base_url: ISSUER.to_owned(),
        };
        Self { test, client: account.client.clone(), account, app, signer }
    }

    pub(crate) async fn key(&self, scopes: &str) -> TestKey {
        TestKey::new(&self.client, scopes).stored(&self.test.store).await
    }

    pub(crate) fn token(&self, key: &TestKey) -> String {
        self.signer.sign(&key.claims_in(&self.account.workspace)).unwrap()
    }

    /// A token of a key, with these scopes alone.
    pub(crate) fn token_of(&self, key: &TestKey, scope: &ScopeSet) -> String {
        let claims = Claims { scope: scope.clone(), ..key.claims_in(&self.account.workspace) };
        self.signer.sign(&claims).unwrap()
    }

    pub(crate) async fn ask_at(&self, event: &str, at: Moment) -> Outcome {
        match handle(&self.app, &Event::read(event.as_bytes()), at).await {
            Ok(answer) => Outcome::Answer(serde_json::to_value(answer).unwrap()),
            Err(diagnostic) => Outcome::Error(diagnostic.error_message),
        }
    }

    pub(crate) async fn ask(&self, event: &str) -> Outcome {
        self.ask_at(event, moment(0.0)).await
    }

    /// What is counted for a key, written or not.
    pub(crate) async fn counted(&self, key: &TestKey) -> Tally {
        self.app.usage.flush(moment(0.0)).await.unwrap();
        let hours = self.test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
        hours.into_values().next().unwrap_or_default()
    }
}

pub(crate) const API: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/live";

/// A REST `REQUEST` event with these headers, the ARN of `call` (`GET/api/v1/users`), and no more.
pub(crate) fn rest(call: &str, headers: &[(&str, &str)]) -> String {
    let mut multi = serde_json::Map::new();
    for (name, value) in headers {
        multi.entry(*name).or_insert_with(|| json!([])).as_array_mut().unwrap().push(json!(value));
    }
    let single: serde_json::Map<_, _> =
        multi.iter().map(|(name, values)| (name.clone(), values.as_array().unwrap().last().unwrap().clone())).collect();
    json!({
        "type": "REQUEST", "methodArn": format!("{API}/{call}"), "headers": single, "multiValueHeaders": multi,
    })
    .to_string()
}
