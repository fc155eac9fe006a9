//! What is done before the process ends.

use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::connection::{Connection, Request, api_from_env};
use crate::error::RuntimeError;

const REGISTER: &str = "/2020-01-01/extension/register";
const NEXT: &str = "/2020-01-01/extension/event/next";
const NAME: &str = "lambda-extension-name";
const IDENTIFIER: &str = "lambda-extension-identifier";

/// Does `hook` when Lambda ends the process, which has half a second then. To be called before [`run`](crate::run).
///
/// Lambda announces the end (SIGTERM) to processes with an extension alone, so this registers one, which wants no events:
/// <https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html#runtimes-lifecycle-shutdown>.
///
/// # Errors
/// Where Lambda does not take the extension, or a signal can't be listened to.
pub async fn on_shutdown<F>(hook: impl FnOnce() -> F + Send + 'static) -> Result<(), RuntimeError>
where
    F: Future<Output = ()> + Send + 'static,
{
    const CALL: &str = "extension/register";
    let listen = |kind| signal(kind).map_err(RuntimeError::Signal);
    let (terminate, interrupt) = (listen(SignalKind::terminate())?, listen(SignalKind::interrupt())?);
    let mut lambda = Connection::to(&api_from_env()?);
    let header = Some((NAME, "keygate-shutdown"));
    let request = Request { method: "POST", path: REGISTER, header, body: br#"{"events":[]}"# };
    let answer = lambda.call(request, IDENTIFIER).await?;
    if !answer.is_success() {
        return Err(RuntimeError::Status { call: CALL, status: answer.status });
    }
    let id = answer.header.ok_or(RuntimeError::Header { call: CALL, header: IDENTIFIER })?;
    tokio::spawn(async move {
        // The extension is not ready, and the function not started, before it has asked for an event. None ever comes.
        let asked = async {
            let request = Request { method: "GET", path: NEXT, header: Some((IDENTIFIER, &id)), body: &[] };
            let _ = lambda.call(request, IDENTIFIER).await;
            std::future::pending::<()>().await;
        };
        tokio::select! {
            () = asked => {}
            () = either(terminate, interrupt) => {}
        }
        hook().await;
        std::process::exit(0);
    });
    Ok(())
}

async fn either(mut one: Signal, mut other: Signal) {
    tokio::select! {
        _ = one.recv() => {}
        _ = other.recv() => {}
    }
}
