//! What must have reached every function within five seconds.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::clock::Stopwatch;
use super::http::{Answer, Credential, Http};

/// What is promised.
pub const BOUND: Duration = Duration::from_secs(5);
/// What two busy cores may add to it before the answer is here.
pub const SLACK: Duration = Duration::from_secs(2);

/// A way in: a call and the credential that opens it.
#[derive(Clone, Debug)]
pub struct Way<'a> {
    name: &'a str,
    method: Method,
    path: &'a str,
    credential: Credential<'a>,
    header: Option<(&'a str, &'a str)>,
}

impl<'a> Way<'a> {
    pub fn get(name: &'a str, path: &'a str, credential: Credential<'a>) -> Self {
        Self { name, method: Method::GET, path, credential, header: None }
    }

    /// The same with a body, `{}`.
    pub fn post(name: &'a str, path: &'a str, credential: Credential<'a>) -> Self {
        Self { method: Method::POST, ..Self::get(name, path, credential) }
    }

    /// The same with the workspace named in its header.
    pub fn in_workspace(self, workspace: &'a str) -> Self {
        self.with_header("X-Workspace-ID", workspace)
    }

    /// The same with one header more.
    pub fn with_header(self, name: &'a str, value: &'a str) -> Self {
        Self { header: Some((name, value)), ..self }
    }

    pub async fn answer(&self, http: &Http) -> Answer {
        let mut request = self.credential.show(http.request(self.method.clone(), self.path));
        if self.method == Method::POST {
            request = request.json(&json!({}));
        }
        if let Some((name, value)) = self.header {
            request = request.header(name, value);
        }
        http.send(request).await
    }
}

/// What all ways answer, each of which must answer `status` now.
pub async fn all_answer(http: &Http, ways: &[Way<'_>], status: u16) -> Vec<Value> {
    let mut bodies = Vec::new();
    for way in ways {
        let answer = way.answer(http).await;
        assert_eq!(answer.status, status, "{}: {answer:?}", way.name);
        bodies.push(answer.json());
    }
    bodies
}

/// Waits until all ways, which were open until a moment ago, answer `status`, and makes sure that they go on to. It is the
/// moment that a call is sent at that counts.
pub async fn all_become(http: &Http, ways: &[Way<'_>], status: u16) -> Vec<Value> {
    arrives(async || {
        let mut passed = Vec::new();
        for way in ways {
            let answer = way.answer(http).await;
            // 503 is what a function says that can't know.
            assert!([200, 201, 503, status].contains(&answer.status), "{}: {answer:?}", way.name);
            if answer.status != status {
                passed.push(way.name);
            }
        }
        if passed.is_empty() { Ok(()) } else { Err(format!("these are still as before: {passed:?}")) }
    })
    .await;
    all_answer(http, ways, status).await
}

/// Waits until an exchange by `body` is answered `status`: whoever exchanges has caches of its own.
pub async fn exchange_becomes(http: &Http, body: &Value, status: u16) {
    arrives(async || {
        let answer = http.send(http.request(Method::POST, "/auth/exchange").json(body)).await;
        assert!([200, 503, status].contains(&answer.status), "{answer:?}");
        if answer.status == status { Ok(()) } else { Err(format!("an exchange is answered {}", answer.status)) }
    })
    .await;
}

/// Looks again and again until a change that was just answered has arrived: a look that is begun after the bound must find
/// it.
pub async fn arrives(mut look: impl AsyncFnMut() -> Result<(), String>) {
    let since = Stopwatch::start();
    loop {
        let begun = since.elapsed();
        let Err(missing) = look().await else { return };
        assert!(begun < BOUND + SLACK, "{begun:?} after the change: {missing}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
