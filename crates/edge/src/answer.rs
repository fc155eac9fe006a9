//! One event, one answer.

use std::convert::Infallible;
use std::future::Future;

use lambda_http::{IntoResponse as _, Request, TransformResponse};
use serde::Serialize;

use crate::error::ApiError;
use crate::incoming::Incoming;
use crate::reply::Reply;

/// The answer to an event, in the form that the event's gateway takes: what [`run`](crate::run) does with each. What is
/// no request gets an answer too, since no input may end in a 5xx.
pub async fn answer<H, F>(event: Incoming, base_url: &str, handler: H) -> impl Serialize + use<H, F>
where
    H: FnOnce(Request) -> F,
    F: Future<Output = Result<Reply, ApiError>>,
{
    let origin = event.origin.clone();
    let outcome = if let Some(request) = event.into_request() {
        // Boxed: a handler's future is large, and too deep for the compiler within the runtime's own.
        Box::pin(handler(request)).await
    } else {
        tracing::warn!("not an HTTP event");
        Err(ApiError::BadRequest("Not an HTTP event".to_owned()))
    };
    let reply = outcome.unwrap_or_else(|error| error.into_reply(base_url));
    let Ok(answer) = TransformResponse::<Reply, Infallible>::Response(origin, reply.into_response()).await;
    answer
}
