//! Requests through a real HTTP client.

use reqwest::header::HeaderMap;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use super::run::{Demo, Run};

/// SIMCEL's 401, which is everyone's.
pub fn unauthorized() -> Value {
    json!({"statusCode": 401, "error": "Unauthorized", "message": "Bearer token is missing or has expired"})
}

/// What the gateway answers a credential that lacks the route's scope.
pub fn lacks_scope() -> Value {
    json!({"statusCode": 403, "error": "Forbidden", "message": "Token is valid but lacks required scope"})
}

/// A client of one run.
#[derive(Clone)]
pub struct Http {
    client: reqwest::Client,
    demo: Demo,
}

/// A whole answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

/// How a credential is shown.
#[derive(Clone, Debug)]
pub enum Credential<'a> {
    Bearer(&'a str),
    ApiKey(&'a str),
    /// An agent's token, and the agent's name.
    Agent(&'a str, &'a str),
}

impl Answer {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The body of an answer that must have this status.
    #[track_caller]
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{self:?}");
        if self.body.is_empty() { Value::Null } else { self.json() }
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Http {
    pub fn new(run: &Run) -> Self {
        Self { client: reqwest::Client::builder().no_proxy().build().unwrap(), demo: run.demo.clone() }
    }

    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.demo.base_url))
    }

    /// A request to another address than the gateway's.
    pub fn request_to(&self, method: Method, url: &str) -> RequestBuilder {
        self.client.request(method, url)
    }

    pub async fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).await.unwrap()
    }

    pub async fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = request.send().await?;
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        Ok(Answer { status, headers, body: response.text().await? })
    }

    pub async fn get(&self, path: &str, credential: Credential<'_>) -> Answer {
        self.send(credential.show(self.request(Method::GET, path))).await
    }

    /// The same, and once more where a busy machine's store was too slow.
    pub async fn get_again(&self, path: &str, credential: Credential<'_>) -> Answer {
        let answer = self.get(path, credential.clone()).await;
        if answer.status == 503 { self.get(path, credential).await } else { answer }
    }

    pub async fn post(&self, path: &str, credential: Credential<'_>, body: &Value) -> Answer {
        self.call(Method::POST, path, credential, body).await
    }

    /// A call with a body; `null` is none.
    pub async fn call(&self, method: Method, path: &str, credential: Credential<'_>, body: &Value) -> Answer {
        let request = credential.show(self.request(method, path));
        self.send(if body.is_null() { request } else { request.json(body) }).await
    }

    /// SIMCEL's exchange.
    pub async fn simcel_exchange(&self, key: &str) -> Answer {
        self.send(self.request(Method::POST, "/auth/token").json(&json!({"apiKey": key}))).await
    }

    /// Simbee's.
    pub async fn simbee_exchange(&self, key: &str) -> Answer {
        self.send(self.request(Method::POST, "/auth/exchange").json(&json!({"api_key": key}))).await
    }

    /// Simbee's token.
    pub async fn token(&self, key: &str) -> String {
        self.simbee_exchange(key).await.expect(200)["data"]["token"].as_str().unwrap().to_owned()
    }

    /// An agent's token, made with `by`.
    pub async fn agent_token(&self, by: Credential<'_>, id: &str, scopes: &[&str]) -> String {
        let body = json!({"agent_id": id, "scopes": scopes});
        let made = self.post("/auth/agent-token", by, &body).await.expect(201);
        made["agent_token"].as_str().unwrap().to_owned()
    }

    /// Where the demo client's keys are managed.
    pub fn keys_path(&self) -> String {
        format!("/api/v1/clients/{}/api_keys", self.demo.client_id)
    }

    pub fn admin(&self) -> Credential<'_> {
        Credential::Bearer(&self.demo.admin_key)
    }

    /// Makes a key with the admin key.
    pub async fn create_key(&self, name: &str, scopes: &[&str]) -> NewKey {
        let body = json!({"name": name, "scopes": scopes});
        NewKey::of(&self.post(&self.keys_path(), self.admin(), &body).await.expect(201))
    }

    /// Revokes a key with the admin key.
    pub async fn revoke_key(&self, id: &str) -> Answer {
        let path = format!("{}/{id}", self.keys_path());
        self.send(self.admin().show(self.request(Method::DELETE, &path))).await
    }
}

impl Credential<'_> {
    pub fn show(&self, request: RequestBuilder) -> RequestBuilder {
        match self {
            Self::Bearer(text) => request.header("Authorization", format!("Bearer {text}")),
            Self::ApiKey(text) => request.header("X-API-Key", *text),
            Self::Agent(token, id) => Self::Bearer(token).show(request).header("X-Agent-ID", *id),
        }
    }
}

/// A key that has just been made.
#[derive(Clone, Debug)]
pub struct NewKey {
    pub id: String,
    pub raw: String,
}

impl NewKey {
    /// The key of an answer that makes or rotates one.
    #[track_caller]
    pub fn of(answer: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{answer}")).to_owned();
        Self { id: text(&answer["record"]["id"]), raw: text(&answer["raw_key"]) }
    }
}
