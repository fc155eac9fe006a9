//! A proxy in front of the embedded store: it counts calls, and does to them what the embedded server never does
//! itself but Amazon's may.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

/// What happens to a call.
#[derive(Clone, Copy, Debug)]
pub enum Fault {
    /// Refused for too many calls, not executed.
    Throttle,
    /// Fails inside the store, not executed.
    InternalError,
    /// Executed, but the answer says that the store failed.
    LostAnswer,
    /// No answer within any time-out, not executed.
    Hang,
    /// A read of several items of which none is done, as the answer says.
    Unprocessed,
    /// A transaction that met another one, not executed.
    TransactionConflict,
    /// Executed, and answered only after this time.
    Slow(Duration),
    /// Answered as the same call was answered before, as by a store that shows one item of a transaction before another.
    Stale,
}

/// The proxy's counts and plans; clones share them.
#[derive(Clone, Debug)]
pub struct Faults {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    upstream: String,
    http: reqwest::Client,
    counts: Mutex<BTreeMap<String, usize>>,
    /// By operation, `*` for any.
    planned: Mutex<BTreeMap<String, VecDeque<Fault>>>,
    lasting: Mutex<BTreeMap<String, Fault>>,
    /// The last answer to each call.
    answers: Mutex<BTreeMap<String, Answer>>,
}

type Answer = (StatusCode, HeaderMap, Bytes);

impl Faults {
    pub(crate) async fn start(upstream: String) -> (Self, String) {
        let shared = Arc::new(Shared {
            upstream,
            http: reqwest::Client::new(),
            counts: Mutex::default(),
            planned: Mutex::default(),
            lasting: Mutex::default(),
            answers: Mutex::default(),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let router = Router::new().fallback(handle).with_state(shared.clone());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (Self { shared }, endpoint)
    }

    /// How often each operation has arrived since the last [`Faults::reset_counts`], the SDK's retries included.
    #[must_use]
    pub fn counts(&self) -> BTreeMap<String, usize> {
        self.shared.counts.lock().unwrap().clone()
    }

    /// Begins counting anew.
    pub fn reset_counts(&self) {
        self.shared.counts.lock().unwrap().clear();
    }

    /// Does `fault` to one coming call of `operation` (`GetItem`, …, `*` for any); several are done in order.
    pub fn once(&self, operation: &str, fault: Fault) {
        self.shared.planned.lock().unwrap().entry(operation.to_owned()).or_default().push_back(fault);
    }

    /// Does `fault` to every call of `operation` (`*` for any) until [`Faults::heal`].
    pub fn always(&self, operation: &str, fault: Fault) {
        self.shared.lasting.lock().unwrap().insert(operation.to_owned(), fault);
    }

    /// Lets every call through again.
    pub fn heal(&self) {
        self.shared.lasting.lock().unwrap().clear();
        self.shared.planned.lock().unwrap().clear();
    }
}

impl Shared {
    fn fault_for(&self, operation: &str) -> Option<Fault> {
        let names = [operation, "*"];
        let mut planned = self.planned.lock().unwrap();
        let once = names.iter().find_map(|name| planned.get_mut(*name)?.pop_front());
        let lasting = self.lasting.lock().unwrap();
        once.or_else(|| names.iter().find_map(|name| lasting.get(*name).copied()))
    }

    async fn forward(&self, headers: HeaderMap, body: Bytes) -> Response {
        let sent = self.http.post(&self.upstream).headers(headers).body(body.clone()).send().await.unwrap();
        let (status, headers) = (sent.status(), sent.headers().clone());
        let answer = (status, headers, sent.bytes().await.unwrap());
        self.answers.lock().unwrap().insert(canonical(&body), answer.clone());
        answer.into_response()
    }
}

async fn handle(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    *shared.counts.lock().unwrap().entry(operation.clone()).or_default() += 1;
    match shared.fault_for(&operation) {
        None => shared.forward(headers, body).await,
        Some(Fault::Throttle) => {
            error(StatusCode::BAD_REQUEST, "ProvisionedThroughputExceededException", "slow down", "")
        }
        Some(Fault::InternalError) => error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "failed", ""),
        Some(Fault::LostAnswer) => {
            shared.forward(headers, body).await;
            error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError", "failed", "")
        }
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::TransactionConflict) => error(
            StatusCode::BAD_REQUEST,
            "TransactionCanceledException",
            "Transaction cancelled [TransactionConflict]",
            r#","CancellationReasons":[{"Code":"TransactionConflict"},{"Code":"None"},{"Code":"None"}]"#,
        ),
        Some(Fault::Unprocessed) => {
            let asked: serde_json::Value = serde_json::from_slice(&body).unwrap();
            let answer = serde_json::json!({"Responses": {}, "UnprocessedKeys": asked["RequestItems"]});
            (StatusCode::OK, [("content-type", "application/x-amz-json-1.0")], answer.to_string()).into_response()
        }
        Some(Fault::Stale) => {
            let answer = shared.answers.lock().unwrap().get(&canonical(&body)).cloned();
            answer.expect("the same call was made before").into_response()
        }
        Some(Fault::Slow(time)) => {
            let answer = shared.forward(headers, body).await;
            tokio::time::sleep(time).await;
            answer
        }
    }
}

/// The body of a call with its members in one order: the SDK's maps have none.
fn canonical(body: &Bytes) -> String {
    serde_json::from_slice::<serde_json::Value>(body).unwrap().to_string()
}

fn error(status: StatusCode, name: &str, message: &str, more: &str) -> Response {
    let body = format!(r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{name}","message":"{message}"{more}}}"#);
    (status, [("content-type", "application/x-amz-json-1.0")], body).into_response()
}
