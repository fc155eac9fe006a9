//! Lambda's side of one function instance: a Runtime API server for a process that is started here, given events, and
//! whose answers are taken. Any program made to run on Lambda (a `bootstrap`) can be such a process.
//!
//! 1. The process is started with `AWS_LAMBDA_RUNTIME_API` leading to a port of 127.0.0.1 that is its own.
//! 2. It asks for its next event, and waits until there is one: an idle instance is a process that waits here.
//! 3. It posts its answer, or its error, under the event's id.
//!
//! An instance has one event at a time, as on Lambda: what is asked meanwhile waits. Nothing here sets a limit of time; whoever
//! asks does.

use std::collections::HashMap;
use std::net::Ipv4Addr;
use std::process::Stdio;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinSet;

use crate::clocks;
use crate::failure::Failure;

/// What the function is told it has left for an event.
const DEADLINE: Duration = Duration::from_secs(10);

/// How a function has answered an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// By a response.
    Response(Bytes),
    /// By an error: `{"errorType", "errorMessage"}`.
    Error(Bytes),
}

/// A running instance. It is killed when this is dropped.
#[derive(Debug)]
pub struct Instance {
    name: String,
    pid: u32,
    shared: Arc<Shared>,
    /// The server, and who waits for the process's end; both end with this.
    _tasks: JoinSet<()>,
}

#[derive(Debug)]
struct Shared {
    waiting: mpsc::UnboundedSender<Event>,
    next: tokio::sync::Mutex<mpsc::UnboundedReceiver<Event>>,
    asked: Mutex<Asked>,
}

#[derive(Debug)]
struct Event {
    id: u64,
    body: Bytes,
}

/// What was asked and not answered yet.
#[derive(Debug, Default)]
struct Asked {
    last: u64,
    by_id: HashMap<u64, oneshot::Sender<Answer>>,
    /// The process is gone: nothing more is answered.
    ended: bool,
}

impl Instance {
    /// Starts `command`. What it writes goes where the command says, by default where this program's own output goes.
    ///
    /// # Errors
    /// [`Failure::Io`] where there is no such program, or no port to be had.
    pub async fn start(mut command: Command) -> Result<Self, Failure> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let name = command.as_std().get_program().to_string_lossy().into_owned();
        command.env("AWS_LAMBDA_RUNTIME_API", listener.local_addr()?.to_string());
        let mut child = command.stdin(Stdio::null()).kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or_else(|| Failure::Ended(name.clone()))?;
        let (waiting, next) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared { waiting, next: tokio::sync::Mutex::new(next), asked: Mutex::default() });
        let mut tasks = JoinSet::new();
        let router = router(shared.clone());
        tasks.spawn(async move {
            // It serves until it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        let watched = shared.clone();
        tasks.spawn(async move {
            let _ = child.wait().await;
            let mut asked = watched.asked();
            asked.ended = true;
            asked.by_id.clear();
        });
        Ok(Self { name, pid, shared, _tasks: tasks })
    }

    /// The process's id.
    #[must_use]
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Gives the function an event, and waits for its answer.
    ///
    /// # Errors
    /// [`Failure::Ended`] where the process ends before it has answered.
    pub async fn invoke(&self, event: impl Into<Bytes>) -> Result<Answer, Failure> {
        let ended = || Failure::Ended(self.name.clone());
        let (sender, answer) = oneshot::channel();
        let id = {
            let mut asked = self.shared.asked();
            if asked.ended {
                return Err(ended());
            }
            asked.last += 1;
            let id = asked.last;
            asked.by_id.insert(id, sender);
            id
        };
        self.shared.waiting.send(Event { id, body: event.into() }).map_err(|_| ended())?;
        answer.await.map_err(|_| ended())
    }
}

impl Shared {
    fn asked(&self) -> MutexGuard<'_, Asked> {
        // Nothing panics while it is held.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answered(&self, id: &str, answer: Answer) -> StatusCode {
        let asked = id.parse().ok().and_then(|id: u64| self.asked().by_id.remove(&id));
        match asked {
            Some(sender) => {
                // Whoever asked may have given up.
                let _ = sender.send(answer);
                StatusCode::ACCEPTED
            }
            None => StatusCode::BAD_REQUEST,
        }
    }
}

fn router(shared: Arc<Shared>) -> Router {
    const RUNTIME: &str = "/2018-06-01/runtime";
    const EXTENSION: &str = "/2020-01-01/extension";
    Router::new()
        .route(&format!("{RUNTIME}/invocation/next"), get(next))
        .route(&format!("{RUNTIME}/invocation/{{id}}/response"), post(response))
        .route(&format!("{RUNTIME}/invocation/{{id}}/error"), post(error))
        .route(&format!("{RUNTIME}/init/error"), post(async || StatusCode::ACCEPTED))
        // A handler for the function's end registers an extension, and then waits for events that never come.
        .route(&format!("{EXTENSION}/register"), post(register))
        .route(&format!("{EXTENSION}/event/next"), get(std::future::pending::<StatusCode>))
        .layer(DefaultBodyLimit::disable())
        .with_state(shared)
}

async fn next(State(shared): State<Arc<Shared>>) -> Response {
    let Some(Event { id, body }) = shared.next.lock().await.recv().await else {
        return StatusCode::GONE.into_response();
    };
    let deadline = (clocks::since_epoch() + DEADLINE).as_millis();
    let headers = [
        ("lambda-runtime-aws-request-id", id.to_string()),
        ("lambda-runtime-deadline-ms", deadline.to_string()),
        ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:us-east-1:123456789012:function:measured".to_owned()),
        ("content-type", "application/json".to_owned()),
    ];
    (headers, body).into_response()
}

async fn response(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    shared.answered(&id, Answer::Response(body))
}

async fn error(State(shared): State<Arc<Shared>>, Path(id): Path<String>, body: Bytes) -> StatusCode {
    shared.answered(&id, Answer::Error(body))
}

async fn register() -> impl IntoResponse {
    let body = r#"{"functionName":"measured","functionVersion":"$LATEST","handler":"bootstrap"}"#;
    ([("lambda-extension-identifier", "1"), ("content-type", "application/json")], body)
}
