//! Running a handler under Lambda.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;

use domain::Moment;
use lambda_http::request::LambdaRequest;
use lambda_http::{Adapter, Error, LambdaEvent, Request, RequestExt as _, Service as _, service_fn};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use crate::clock::Clock;
use crate::error::ApiError;
use crate::reply::Reply;

/// An HTTP event, or one that is none: that too gets an answer, since no input may end in a 5xx.
enum Incoming {
    Request(Box<LambdaRequest>),
    Unreadable,
}

impl<'de> Deserialize<'de> for Incoming {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = Box::<RawValue>::deserialize(deserializer)?;
        let read = serde_json::from_str(raw.get());
        Ok(read.map_or(Self::Unreadable, |request| Self::Request(Box::new(request))))
    }
}

#[derive(Serialize)]
#[serde(untagged)]
enum Outgoing<R> {
    Reply(R),
    Unreadable {
        #[serde(rename = "statusCode")]
        status_code: u16,
        headers: BTreeMap<&'static str, &'static str>,
        body: String,
    },
}

impl<R> Outgoing<R> {
    fn unreadable(body: String) -> Self {
        tracing::warn!("not an HTTP event");
        Self::Unreadable { status_code: 400, headers: [("content-type", "application/json")].into(), body }
    }
}

/// Answers HTTP events of a REST API, an HTTP API or a function URL with `handler`, one after the other, until Lambda
/// ends the process.
///
/// # Errors
/// Where the runtime API is gone.
pub async fn run<A, F>(
    app: Arc<A>,
    base_url: &str,
    clock: Clock,
    handler: impl Fn(Arc<A>, Request, Moment) -> F + Clone + Send + 'static,
) -> Result<(), Error>
where
    A: Send + Sync + 'static,
    F: Future<Output = Result<Reply, ApiError>> + Send + 'static,
{
    let base_url: Arc<str> = base_url.into();
    let unreadable = unreadable(&base_url);
    let answer = service_fn(move |request: Request| {
        let (app, base_url, handler) = (app.clone(), base_url.clone(), handler.clone());
        async move {
            let outcome = handler(app, request, clock.now()).await;
            Ok::<_, Infallible>(outcome.unwrap_or_else(|error| error.into_reply(&base_url)))
        }
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Incoming>| {
        let mut adapter = Adapter::from(answer.clone());
        let unreadable = unreadable.clone();
        async move {
            match event.payload {
                Incoming::Request(request) => {
                    adapter.call(LambdaEvent::new(*request, event.context)).await.map(Outgoing::Reply)
                }
                Incoming::Unreadable => Ok(Outgoing::unreadable(unreadable)),
            }
        }
    }))
    .await
}

/// The body that answers what is no HTTP event.
fn unreadable(base_url: &str) -> String {
    match ApiError::BadRequest("Not an HTTP event".to_owned()).reply(base_url).into_body() {
        lambda_http::Body::Text(text) => text,
        _ => String::new(),
    }
}

/// The segments of a request's path, without the stage: `["auth", "token"]`. A trailing slash is a last segment that
/// is empty.
#[must_use]
pub fn segments(request: &Request) -> Vec<&str> {
    let path = request.raw_http_path();
    path.strip_prefix('/').unwrap_or(path).split('/').collect()
}

/// Starts the log: JSON lines on standard error, `info` unless `RUST_LOG` says otherwise.
pub fn start_logging() {
    // The runtime reports each handler's error once more; an authorizer's 401 is such an error, and no fault. (What a
    // panic says stands on standard error by itself.)
    let filter = tracing_subscriber::EnvFilter::try_from_default_env()
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info,lambda_runtime::layers::panic=off"));
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Lambda adds the time; a target is where it happened.
        .without_time()
        .init();
}
