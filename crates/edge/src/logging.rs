//! The log.

use std::panic;

use tracing_subscriber::EnvFilter;

/// Libraries that, asked for more than `info`, log what goes over the wire: events with their credentials, items with
/// their hashes. They are not asked, whatever `RUST_LOG` says.
const WIRE: [&str; 9] = [
    "aws_config",
    "aws_sdk_dynamodb",
    "aws_smithy_http_client",
    "aws_smithy_runtime",
    "hyper",
    "hyper_util",
    "lambda_http",
    "lambda_runtime",
    "lambda_runtime_api_client",
];

/// Starts the log: JSON lines on standard error, `info` unless `RUST_LOG` says otherwise. A panic is one line of it.
pub fn start_logging() {
    // The runtime reports each handler's error once more; an authorizer's 401 is such an error, and no fault.
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info,lambda_runtime::layers::panic=off"));
    let filter =
        WIRE.iter().filter_map(|target| format!("{target}=info").parse().ok()).fold(filter, EnvFilter::add_directive);
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        // Lambda adds the time; a target is where it happened.
        .without_time()
        .init();
    // A panic's text may hold what a caller sent, a secret even: where it happened is enough to find the fault.
    panic::set_hook(Box::new(|panic| {
        let place = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(place, "panicked");
    }));
}
