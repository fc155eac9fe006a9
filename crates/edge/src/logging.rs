//! The log.

use std::panic;

use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
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
        .json()
        .flatten_event(true)
        .with_span_list(false)
        .with_writer(std::io::stderr)
        // Lambda adds the time; a target is where it happened.
        .without_time()
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

fn targets(level: LevelFilter) -> Targets {
    Targets::new().with_default(level.min(LevelFilter::INFO)).with_targets(OWN.map(|target| (target, level)))
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

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
