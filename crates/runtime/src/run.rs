//! From one invocation to the next.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use bytes::Bytes;
use futures_util::FutureExt as _;

use crate::connection::{Connection, Request, api_from_env};
use crate::error::RuntimeError;
use crate::invocation::{Invocation, InvocationError};

const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const REQUEST_ID: &str = "lambda-runtime-aws-request-id";
/// <https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html>: 6 MB, and what is around them.
const MAX_ANSWER: usize = 6_291_556;
const ERROR_TYPE: &str = "lambda-runtime-function-error-type";

tokio::task_local! {
    /// The id of the invocation under way: cheaper than a span, which is put down in full whether anything is logged or not.
    static CURRENT: Arc<str>;
}

/// The id of the invocation that this is part of: what is logged may name it. There is none between two invocations, and in
/// whatever was spawned.
#[must_use]
pub fn request_id() -> Option<Arc<str>> {
    CURRENT.try_with(Arc::clone).ok()
}

/// Answers invocations with `handler`, one after the other, until Lambda ends the process. [`request_id`] says meanwhile which
/// one it is.
///
/// A handler that panics has failed this one invocation; what it said stays here.
///
/// # Errors
/// Where Lambda can't be spoken with. Lambda starts another process then.
pub async fn run(handler: impl AsyncFnMut(Invocation) -> Result<Bytes, InvocationError>) -> Result<(), RuntimeError> {
    run_at(&api_from_env()?, handler).await
}

/// As [`run`], where Lambda's API is at `api`: `host:port`, and a path perhaps.
///
/// # Errors
/// As [`run`].
pub async fn run_at(
    api: &str,
    mut handler: impl AsyncFnMut(Invocation) -> Result<Bytes, InvocationError>,
) -> Result<(), RuntimeError> {
    let mut lambda = Connection::to(api);
    loop {
        let Some(invocation) = next(&mut lambda).await? else { continue };
        let id: Arc<str> = invocation.request_id.as_str().into();
        let answered = async {
            // Boxed: a handler's future is large, and too deep for the compiler within this one.
            let answer = AssertUnwindSafe(Box::pin(handler(invocation))).catch_unwind().await;
            post(&mut lambda, &id, answer.unwrap_or_else(|_| Err(panicked()))).await
        };
        CURRENT.scope(id.clone(), answered).await?;
    }
}

fn panicked() -> InvocationError {
    InvocationError { error_type: "Panic".to_owned(), error_message: "The function panicked".to_owned() }
}

/// The answer, where Lambda takes one so long: it ends the connection amid a longer one.
fn fitting(answer: Bytes) -> Result<Bytes, InvocationError> {
    if answer.len() <= MAX_ANSWER {
        return Ok(answer);
    }
    tracing::error!(bytes = answer.len(), "the answer is longer than Lambda takes");
    let error_message = format!("The answer has more than {MAX_ANSWER} bytes");
    Err(InvocationError { error_type: "ResponseSizeTooLarge".to_owned(), error_message })
}

/// The next invocation; `None` where there was none, and the question is to be asked again.
async fn next(lambda: &mut Connection) -> Result<Option<Invocation>, RuntimeError> {
    const CALL: &str = "invocation/next";
    let request = Request { method: "GET", path: NEXT, header: None, body: &[] };
    let answer = lambda.call(request, REQUEST_ID).await?;
    match answer.status {
        200 => {}
        // cargo-lambda's word for a function that is to be kept running.
        204 => return Ok(None),
        status => return Err(RuntimeError::Status { call: CALL, status }),
    }
    let request_id = answer.header.ok_or(RuntimeError::Header { call: CALL, header: REQUEST_ID })?;
    Ok(Some(Invocation { request_id, event: answer.body }))
}

async fn post(lambda: &mut Connection, id: &str, answer: Result<Bytes, InvocationError>) -> Result<(), RuntimeError> {
    let (what, body, error_type) = match answer.and_then(fitting) {
        Ok(body) => ("response", body, None),
        Err(error) => ("error", serde_json::to_vec(&error).unwrap_or_default().into(), Some(error.error_type)),
    };
    let path = format!("/2018-06-01/runtime/invocation/{id}/{what}");
    let header = error_type.as_deref().map(|error_type| (ERROR_TYPE, error_type));
    let answer = lambda.call(Request { method: "POST", path: &path, header, body: &body }, REQUEST_ID).await?;
    if !answer.is_success() {
        // Too long an answer, too late a one, or nobody waits for it any more (cargo-lambda's 500). Whoever asked knows. Were
        // Lambda itself broken, the next call would fail.
        tracing::error!(status = answer.status, "Lambda does not take the answer");
    }
    Ok(())
}
