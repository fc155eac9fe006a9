use std::sync::Arc;

use domain::{Access, Client, Moment};
use edge::Request;
use identity::Identity;
use key_management::{App, handle};
use serde_json::Value;
use testkit::{ISSUER, TestKey, TestStore, audience, moment, parts, request};

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) client: Client,
    pub(crate) app: Arc<App>,
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let test = TestStore::start().await;
        let client = test.client().await;
        let app = App {
            store: test.store.clone(),
            identity: Identity::new(test.store.clone(), audience()),
            access: Access::built_in().unwrap(),
        };
        Self { test, client, app: Arc::new(app) }
    }

    pub(crate) async fn key(&self, scopes: &str) -> TestKey {
        TestKey::new(&self.client, scopes).stored(&self.test.store).await
    }

    /// The path of the client's keys, and what comes behind it.
    pub(crate) fn path(&self, rest: &str) -> String {
        format!("/api/v1/clients/{}/api_keys{rest}", self.client.id)
    }

    pub(crate) async fn answer(&self, request: Request, at: Moment) -> (u16, Value) {
        match handle(self.app.clone(), request, at).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(ISSUER)),
        }
    }

    /// The answer to a call with a key, with a JSON body where one is given.
    pub(crate) async fn call(&self, key: &TestKey, method: &str, path: &str, body: Option<Value>) -> (u16, Value) {
        let bearer = format!("Bearer {}", key.plain.expose());
        let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
        let body = body.map(|body| body.to_string()).unwrap_or_default();
        self.answer(request(method, path, &headers, body), moment(0.0)).await
    }

    pub(crate) async fn create(&self, key: &TestKey, body: Value) -> (u16, Value) {
        self.call(key, "POST", &self.path(""), Some(body)).await
    }
}
