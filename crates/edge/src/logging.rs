//! The log.

use std::{fmt, panic};

use tracing::{Event, Subscriber};
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::fmt::format::{Format, Json, JsonFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt as _;

use crate::metrics::Metrics;

/// The crates whose level `RUST_LOG` sets. Libraries that are asked for more than `info` log what goes over the wire:
/// events with their credentials, items with their hashes. Nothing asks them.
const OWN: [&str; 15] = [
    "accounts",
    "authorize",
    "authorizer",
    "demo_api",
    "domain",
    "edge",
    "identity",
    "jwks",
    "key_management",
    "login",
    "runtime",
    "signing",
    "store",
    "token_exchange",
    "upkeep",
];

/// Starts the log: JSON lines on standard error, at the level that `RUST_LOG` names (`error` to `trace`, `off`), `info`
/// where it names none. A panic is one line of it. Errors with a field `metric` are counted, at every level.
pub fn start_logging() {
    let level = std::env::var("RUST_LOG").ok().and_then(|name| name.parse().ok()).unwrap_or(LevelFilter::INFO);
    let lines = tracing_subscriber::fmt::layer()
        .fmt_fields(JsonFields::new())
        .event_format(Line::new())
        .with_writer(std::io::stderr)
        .with_filter(targets(level));
    // What is counted is counted whatever the level.
    let metrics = Metrics::of_this_function().with_filter(LevelFilter::ERROR);
    tracing_subscriber::registry().with(lines).with(metrics).init();
    // A panic's text may hold what a caller sent, a secret even: where it happened is enough to find the fault.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
}

/// A line of JSON: level, message, fields, target; before them `requestId`, as Lambda's own lines have it, where an invocation
/// is under way.
struct Line(Format<Json, ()>);

impl Line {
    fn new() -> Self {
        // Lambda adds the time.
        let format = tracing_subscriber::fmt::format().json().flatten_event(true).without_time();
        Self(format.with_current_span(false).with_span_list(false))
    }
}

impl<S, N> FormatEvent<S, N> for Line
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, context: &FmtContext<'_, S, N>, mut out: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let Some(id) = runtime::request_id() else { return self.0.format_event(context, out, event) };
        let mut line = String::new();
        self.0.format_event(context, Writer::new(&mut line), event)?;
        let id = serde_json::to_string(&*id).map_err(|_| fmt::Error)?;
        write!(out, "{{\"requestId\":{id},{}", line.trim_start_matches('{'))
    }
}

fn targets(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::INFO)).with_targets(OWN.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use std::io::{self, Write};
    use std::sync::{Arc, Mutex};

    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;
    use tracing::Level;

    use super::*;

    #[derive(Clone, Default)]
    struct Written(Arc<Mutex<Vec<u8>>>);

    impl Write for Written {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    /// Lambda's API for one invocation.
    async fn invoke_once(listener: TcpListener, id: &str) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let event = format!("HTTP/1.1 200 OK\r\nlambda-runtime-aws-request-id: {id}\r\ncontent-length: 2\r\n\r\n{{}}");
        for answer in [event.as_str(), "HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n"] {
            assert!(stream.read(&mut [0; 4096]).await.unwrap() > 0);
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    }

    #[tokio::test]
    async fn a_line_is_an_object_that_names_its_invocation() {
        let written = Written::default();
        let out = written.clone();
        let layer = tracing_subscriber::fmt::layer().fmt_fields(JsonFields::new()).event_format(Line::new());
        let layer = layer.with_writer(move || out.clone()).with_filter(targets(LevelFilter::INFO));
        let guard = tracing::subscriber::set_default(tracing_subscriber::registry().with(layer));
        tracing::warn!(target: "edge", "outside");
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let api = listener.local_addr().unwrap().to_string();
        // RFC 8259, section 7: an id with a quotation mark is escaped.
        tokio::join!(invoke_once(listener, "a-\"1"), async {
            let ended = runtime::run_at(&api, async |invocation: runtime::Invocation| {
                tracing::info!(target: "edge", status = 401, "refused");
                Ok(invocation.event)
            });
            ended.await.unwrap_err();
        });
        drop(guard);
        let lines = String::from_utf8(written.0.lock().unwrap().clone()).unwrap();
        let lines: Vec<Value> = lines.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let inside =
            json!({"requestId": "a-\"1", "level": "INFO", "message": "refused", "status": 401, "target": "edge"});
        assert_eq!(lines, [json!({"level": "WARN", "message": "outside", "target": "edge"}), inside]);
    }

    #[test]
    fn libraries_are_never_asked_for_more_than_info() {
        let asked = targets(LevelFilter::TRACE);
        assert!(asked.would_enable("accounts::users", &Level::TRACE));
        for library in ["aws_smithy_runtime", "hyper", "accounting"] {
            assert!(asked.would_enable(library, &Level::INFO) && !asked.would_enable(library, &Level::DEBUG));
        }
        let asked = targets(LevelFilter::ERROR);
        assert!(asked.would_enable("hyper", &Level::ERROR) && !asked.would_enable("hyper", &Level::INFO));
        assert!(!asked.would_enable("accounts", &Level::INFO));
        assert!("info,aws_smithy_runtime=trace".parse::<LevelFilter>().is_err(), "a level and nothing else");
    }
}
