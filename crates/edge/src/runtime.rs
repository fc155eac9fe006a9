//! Running a handler under Lambda.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::Moment;
use lambda_http::{Error, LambdaEvent, Request, RequestExt as _, service_fn};

use crate::answer::answer;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::incoming::Incoming;
use crate::reply::Reply;

/// How long a handler may take. Lambda's own limit, 10 s, would end the process with all that it has counted, and answer
/// in its own words.
const PATIENCE: Duration = Duration::from_secs(9);

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
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Incoming>| {
        let (app, base_url, handler) = (app.clone(), base_url.clone(), handler.clone());
        async move {
            let handler = move |request| async move {
                let answer = tokio::time::timeout(PATIENCE, handler(app, request, clock.now())).await;
                answer.unwrap_or_else(|late| Err(ApiError::Unavailable(Box::new(late))))
            };
            Ok::<_, Infallible>(answer(event.payload, &base_url, handler).await)
        }
    }))
    .await
}

/// The segments of a request's path, without the stage: `["auth", "token"]`. A trailing slash is a last segment that
/// is empty.
#[must_use]
pub fn segments(request: &Request) -> Vec<&str> {
    let path = request.raw_http_path();
    path.strip_prefix('/').unwrap_or(path).split('/').collect()
}
