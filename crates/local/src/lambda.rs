//! Calls functions as API Gateway does: through Lambda's `Invoke`, which cargo-lambda plays.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::StatusCode;
use serde::Deserialize;
use tokio::sync::Semaphore;

use crate::failure::{Context, Result};
use crate::warden::{Order, Orders};

/// What an event may measure, and what an answer may: Lambda's 6 MB.
pub const PAYLOAD_LIMIT: usize = 6 * 1024 * 1024 + 100;

/// How an invocation ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// The function's answer, not yet looked at.
    Answered(Vec<u8>),
    /// The function failed, died or took too long; this is the error's text.
    Failed(String),
    /// No function was reached; this says why, for the log alone.
    Unreachable(String),
}

/// Lambda, as far as API Gateway needs it.
#[derive(Debug)]
pub struct Lambda {
    client: reqwest::Client,
    address: SocketAddr,
    functions: BTreeMap<String, Instances>,
    orders: Orders,
}

/// The processes that run a function.
#[derive(Debug)]
struct Instances {
    /// As many requests at a time as there are processes; the others wait here.
    free: Semaphore,
    /// What the processes are called.
    names: Vec<String>,
    timeout: Duration,
}

/// What an instance is called in logs and orders: the first one by its function's name. cargo-lambda knows them by that alone, and
/// gives an event to whichever asks next.
#[must_use]
pub fn instance_name(function: &str, place: usize) -> String {
    if place == 0 { function.to_owned() } else { format!("{function}-{}", place + 1) }
}

/// What the runtime sends for an error.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct FunctionError {
    error_message: String,
}

impl Lambda {
    /// Calls go to cargo-lambda at `address`; `timeouts` has the functions and how long each may take, and each has this number
    /// of `instances`.
    ///
    /// # Errors
    /// The HTTP client can't be made.
    pub fn new(
        address: SocketAddr,
        timeouts: BTreeMap<String, Duration>,
        instances: usize,
        orders: Orders,
    ) -> Result<Self> {
        let client = reqwest::Client::builder().no_proxy().build().doing(|| "making an HTTP client".to_owned())?;
        let functions = timeouts.into_iter().map(|(name, timeout)| {
            let names = (0..instances).map(|place| instance_name(&name, place)).collect();
            (name, Instances { free: Semaphore::new(instances), names, timeout })
        });
        Ok(Self { client, address, functions: functions.collect(), orders })
    }

    /// Calls `function` with `event`.
    ///
    /// A function that takes longer than the template lets it is killed, and one that dies takes its request with it. Where it has
    /// several instances, nobody knows whose request one had: all of them are killed, and a request that has lost its own waits for the
    /// timeout.
    pub async fn invoke(&self, function: &str, event: Vec<u8>) -> Invocation {
        let Some(Instances { free, names, timeout }) = self.functions.get(function) else {
            return Invocation::Unreachable(format!("there is no function `{function}`"));
        };
        let Ok(_turn) = free.acquire().await else {
            return Invocation::Unreachable("shutting down".to_owned());
        };
        let mut reports = self.orders.reports();
        let died = async {
            match &names[..] {
                [name] => Orders::ended(&mut reports, name).await,
                _ => std::future::pending().await,
            }
        };
        tokio::select! {
            invocation = self.send(function, event) => invocation,
            how = died => Invocation::Failed(format!("Runtime exited without providing a reason ({how})")),
            () = tokio::time::sleep(*timeout) => {
                for name in names {
                    self.orders.give(Order::Restart(name.clone()));
                }
                Invocation::Failed(format!("Task timed out after {:.2} seconds", timeout.as_secs_f64()))
            }
        }
    }

    async fn send(&self, function: &str, event: Vec<u8>) -> Invocation {
        let url = format!("http://{}/2015-03-31/functions/{function}/invocations", self.address);
        let answer = async {
            let response = self.client.post(url).body(event).send().await?;
            let status = response.status();
            Ok::<_, reqwest::Error>((status, response.bytes().await?))
        };
        match answer.await {
            Ok((StatusCode::OK, body)) if body.len() > PAYLOAD_LIMIT => {
                Invocation::Failed("Response payload size exceeded maximum allowed payload size".to_owned())
            }
            Ok((StatusCode::OK, body)) => Invocation::Answered(body.into()),
            Ok((status, body)) => match serde_json::from_slice::<FunctionError>(&body) {
                Ok(error) => Invocation::Failed(error.error_message),
                Err(_) => Invocation::Unreachable(format!("{status}: {}", String::from_utf8_lossy(&body))),
            },
            Err(error) => Invocation::Unreachable(error.to_string()),
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::net::Ipv4Addr;

    use axum::Router;
    use axum::extract::Path;
    use axum::routing::post;
    use tokio::net::TcpListener;

    use super::*;
    use crate::warden::Report;

    /// What [`answering`] plays for a function.
    #[derive(Clone)]
    pub(crate) enum Canned {
        /// This status and body.
        Reply(u16, String),
        /// No answer at all.
        Silence,
    }

    /// What an answer that does come may take on a busy machine.
    const GENEROUS: Duration = Duration::from_mins(1);

    /// Lambda with canned answers, by function. Only for silence the wait is short.
    pub(crate) async fn answering(canned: impl IntoIterator<Item = (&'static str, Canned)>) -> Lambda {
        answering_within(Duration::from_millis(300), canned).await
    }

    /// The same, with the time after which silence is one.
    async fn answering_within(silence: Duration, canned: impl IntoIterator<Item = (&'static str, Canned)>) -> Lambda {
        let canned: BTreeMap<&str, Canned> = canned.into_iter().collect();
        let limit = |canned: &Canned| if matches!(canned, Canned::Silence) { silence } else { GENEROUS };
        let timeouts = canned.iter().map(|(name, canned)| ((*name).to_owned(), limit(canned))).collect();
        let invoke = move |Path(function): Path<String>| async move {
            match canned[function.as_str()].clone() {
                Canned::Reply(status, body) => (StatusCode::from_u16(status).unwrap(), body),
                Canned::Silence => std::future::pending().await,
            }
        };
        let app = Router::new().route("/2015-03-31/functions/{function}/invocations", post(invoke));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        Lambda::new(address, timeouts, 1, Orders::unheard()).unwrap()
    }

    fn error(text: &str) -> String {
        format!(r#"{{"errorType":"T","errorMessage":"{text}"}}"#)
    }

    #[tokio::test]
    async fn answers_and_errors_are_told_apart() {
        let lambda = answering([
            ("answers", Canned::Reply(200, "{}".to_owned())),
            ("fails", Canned::Reply(500, error("Unauthorized"))),
            ("broken", Canned::Reply(500, r#"{"title":"Internal Server Error"}"#.to_owned())),
            ("huge", Canned::Reply(200, "x".repeat(PAYLOAD_LIMIT + 1))),
        ])
        .await;
        assert_eq!(lambda.invoke("answers", Vec::new()).await, Invocation::Answered(b"{}".to_vec()));
        assert_eq!(lambda.invoke("fails", Vec::new()).await, Invocation::Failed("Unauthorized".to_owned()));
        assert!(matches!(lambda.invoke("broken", Vec::new()).await, Invocation::Unreachable(_)));
        assert!(matches!(lambda.invoke("huge", Vec::new()).await, Invocation::Failed(_)));
        assert!(matches!(lambda.invoke("unknown", Vec::new()).await, Invocation::Unreachable(_)));
    }

    #[tokio::test]
    async fn as_many_requests_are_under_way_as_there_are_instances() {
        let (begun, mut all) = tokio::sync::mpsc::unbounded_channel();
        let app = Router::new().fallback(async move || {
            let _ = begun.send(());
            std::future::pending::<StatusCode>().await
        });
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        let timeouts = [("function".to_owned(), GENEROUS)].into();
        let lambda = std::sync::Arc::new(Lambda::new(address, timeouts, 3, Orders::unheard()).unwrap());
        for _ in 0..5 {
            let lambda = lambda.clone();
            tokio::spawn(async move { lambda.invoke("function", Vec::new()).await });
        }
        for _ in 0..3 {
            tokio::time::timeout(GENEROUS, all.recv()).await.unwrap();
        }
        assert!(tokio::time::timeout(Duration::from_millis(200), all.recv()).await.is_err(), "the others wait");
    }

    #[tokio::test]
    async fn nothing_is_waited_for_longer_than_the_template_says() {
        let lambda = answering([("hangs", Canned::Silence)]).await;
        let invocation = lambda.invoke("hangs", Vec::new()).await;
        assert_eq!(invocation, Invocation::Failed("Task timed out after 0.30 seconds".to_owned()));
    }

    #[tokio::test]
    async fn a_function_that_dies_takes_its_request_with_it_at_once() {
        let lambda = answering_within(GENEROUS, [("dies", Canned::Silence)]).await;
        let orders = lambda.orders.clone();
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(500)).await;
            orders.report(Report::Ended { name: "another".to_owned(), how: "exit status: 0".to_owned() });
            orders.report(Report::Ended { name: "dies".to_owned(), how: "exit status: 3".to_owned() });
        });
        let Invocation::Failed(reason) = lambda.invoke("dies", Vec::new()).await else { panic!() };
        assert!(reason.contains("exit status: 3"), "{reason}");
    }
}
