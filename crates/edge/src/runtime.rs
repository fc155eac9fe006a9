//! Running a handler under Lambda.

use std::future::Future;
use std::sync::Arc;
use std::time::Duration;

use domain::Moment;
use runtime::{Invocation, InvocationError, RuntimeError};

use crate::answer::answer;
use crate::clock::Clock;
use crate::error::ApiError;
use crate::incoming::Incoming;
use crate::reply::Reply;
use crate::request::Request;

/// How long a handler may take. Lambda's own limit, 10 s, would end the process with all that it has counted, and answer
/// in its own words.
pub const PATIENCE: Duration = Duration::from_secs(9);

/// Answers HTTP events of a REST API, an HTTP API or a function URL with `handler`, one after the other, until Lambda
/// ends the process.
///
/// # Errors
/// Where the runtime API is gone.
pub async fn run<A, F>(
    app: Arc<A>,
    base_url: &str,
    clock: Clock,
    handler: impl Fn(Arc<A>, Request, Moment) -> F,
) -> Result<(), RuntimeError>
where
    F: Future<Output = Result<Reply, ApiError>>,
{
    let (app, handler) = (&app, &handler);
    runtime::run(async |Invocation { event, .. }| {
        let handler = async |request| {
            // Boxed at once: the future of all that a function can do is large, and would be moved with each future around it.
            let answer = tokio::time::timeout(PATIENCE, Box::pin(handler(app.clone(), request, clock.now()))).await;
            answer.unwrap_or_else(|late| Err(ApiError::Unavailable(Box::new(late))))
        };
        written(&answer(Incoming::read(&event), base_url, handler).await)
    })
    .await
}

/// An answer as JSON.
///
/// # Errors
/// Where it can't be written, which no answer of ours is: they have string keys and no maps of other things.
pub fn written(answer: &impl serde::Serialize) -> Result<runtime::Bytes, InvocationError> {
    serde_json::to_vec(answer)
        .map(Into::into)
        .map_err(|error| InvocationError { error_type: "Unwritable".to_owned(), error_message: error.to_string() })
}
