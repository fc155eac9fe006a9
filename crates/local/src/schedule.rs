//! Plays `EventBridge`: calls each function that has a schedule, once at the start and then as often as the template says.
//!
//! A call that fails is not repeated, as `EventBridge` would twice: the next one makes up for it.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use template::Template;

use crate::clock;
use crate::environment::REGION;
use crate::failure::Result;
use crate::gateway::arn::ACCOUNT;
use crate::lambda::{Invocation, Lambda};
use crate::progress::warn;

/// Begins to call.
///
/// # Errors
/// The template's functions can't be read.
pub fn start(template: &Template, lambda: &Arc<Lambda>) -> Result<()> {
    for function in template.functions()? {
        for every in function.schedules {
            tokio::spawn(call(function.package.clone(), every, Arc::clone(lambda)));
        }
    }
    Ok(())
}

async fn call(function: String, every: Duration, lambda: Arc<Lambda>) {
    loop {
        let event = event(&function).to_string().into_bytes();
        match lambda.invoke(&function, event).await {
            Invocation::Answered(_) => {}
            Invocation::Failed(reason) => warn(format!("{function} failed at its time: {reason}")),
            Invocation::Unreachable(reason) => warn(format!("{function} was not reached at its time: {reason}")),
        }
        tokio::time::sleep(every).await;
    }
}

/// What `EventBridge` sends at a rule's time.
fn event(function: &str) -> Value {
    json!({
        "version": "0",
        "id": uuid(),
        "detail-type": "Scheduled Event",
        "source": "aws.events",
        "account": ACCOUNT,
        "time": format!("{:.0}", clock::now()),
        "region": REGION,
        "resources": [format!("arn:aws:events:{REGION}:{ACCOUNT}:rule/keygate-{function}")],
        "detail": {},
    })
}

fn uuid() -> String {
    let mut bytes = domain::random::bytes::<16>();
    // Version 4, variant 1 (RFC 9562, section 5.4).
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let hex = bytes.map(|byte| format!("{byte:02x}")).concat();
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The sample is compared with AWS's own by another test.
    #[test]
    fn the_event_has_the_samples_members_and_types() {
        let event = event("upkeep");
        let sample = concat!(env!("CARGO_MANIFEST_DIR"), "/../../events/upkeep-scheduled.json");
        let sample: Value = serde_json::from_slice(&std::fs::read(sample).unwrap()).unwrap();
        let kinds = |value: &Value| -> Vec<(String, std::mem::Discriminant<Value>)> {
            let members = value.as_object().unwrap();
            members.iter().map(|(name, value)| (name.clone(), std::mem::discriminant(value))).collect()
        };
        assert_eq!(kinds(&event), kinds(&sample));
        for name in ["version", "detail-type", "source"] {
            assert_eq!(event[name], sample[name]);
        }
        for name in ["id", "time"] {
            let shape = |value: &Value| value.as_str().unwrap().replace(|it: char| it.is_ascii_hexdigit(), "0");
            assert_eq!(shape(&event[name]), shape(&sample[name]), "{name}");
        }
    }
}
