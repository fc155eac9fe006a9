//! Metrics, by lines of the log: `CloudWatch` counts what a line in its Embedded Metric Format says, with no call and no agent.
//!
//! An event of the log that has a field `metric` is counted once under that name, besides being logged.

use std::io::{self, Write as _};
use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::json;
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::Context;

/// Where `CloudWatch` shows them.
const NAMESPACE: &str = "Keygate";

/// Writes a line on standard output for each event that is to be counted.
pub(crate) struct Metrics {
    /// Which function counts, as Lambda calls it.
    function: String,
}

impl Metrics {
    pub(crate) fn of_this_function() -> Self {
        Self { function: std::env::var("AWS_LAMBDA_FUNCTION_NAME").unwrap_or_default() }
    }
}

impl<S: Subscriber> Layer<S> for Metrics {
    fn on_event(&self, event: &Event<'_>, _: Context<'_, S>) {
        let mut name = Name(None);
        event.record(&mut name);
        if let Some(name) = name.0 {
            // Nobody is there to be told that nobody can be told.
            let _ = writeln!(io::stdout().lock(), "{}", line(&name, &self.function, now()));
        }
    }
}

/// The field `metric` of an event.
struct Name(Option<String>);

impl Visit for Name {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "metric" {
            self.0 = Some(value.to_owned());
        }
    }

    fn record_debug(&mut self, _: &Field, _: &dyn std::fmt::Debug) {}
}

/// One more of `name`; `at` is in milliseconds since 1970.
fn line(name: &str, function: &str, at: u128) -> String {
    let metric = json!({"Name": name, "Unit": "Count"});
    let directive = json!({"Namespace": NAMESPACE, "Dimensions": [["function"]], "Metrics": [metric]});
    let about = json!({"Timestamp": u64::try_from(at).unwrap_or(u64::MAX), "CloudWatchMetrics": [directive]});
    json!({"_aws": about, "function": function, name: 1}).to_string()
}

#[expect(clippy::disallowed_methods, reason = "CloudWatch asks for the time of the line; nothing is decided by it")]
fn now() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What `CloudWatch`'s specification of the format asks for.
    #[test]
    fn a_line_is_in_the_embedded_metric_format() {
        let read: serde_json::Value = serde_json::from_str(&line("Missed", "authorizer", 1_764_000_000_123)).unwrap();
        assert_eq!(
            read,
            json!({
                "_aws": {
                    "Timestamp": 1_764_000_000_123_u64,
                    "CloudWatchMetrics": [{
                        "Namespace": "Keygate",
                        "Dimensions": [["function"]],
                        "Metrics": [{"Name": "Missed", "Unit": "Count"}],
                    }],
                },
                "function": "authorizer",
                "Missed": 1,
            })
        );
    }
}
