//! What the function is called with.

use domain::Algorithm;
use serde::Deserialize;
use serde_json::Value;

use crate::error::UpkeepError;

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// The time has come.
    Scheduled,
    /// Let another signing key follow before its time.
    Rotate { algorithm: Algorithm, at_once: bool },
    /// Take a signing key out.
    Withdraw { kid: String },
}

/// A command, as an operator writes it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Command {
    rotate: Option<String>,
    at_once: Option<bool>,
    withdraw: Option<String>,
}

impl Event {
    pub(crate) fn read(event: Value) -> Result<Self, UpkeepError> {
        if event["source"] == "aws.events" && event["detail-type"] == "Scheduled Event" {
            return Ok(Self::Scheduled);
        }
        match serde_json::from_value(event) {
            Ok(Command { rotate: Some(name), at_once, withdraw: None }) => {
                let algorithm = Algorithm::parse(&name).ok_or(UpkeepError::Event)?;
                Ok(Self::Rotate { algorithm, at_once: at_once == Some(true) })
            }
            Ok(Command { rotate: None, at_once: None, withdraw: Some(kid) }) => Ok(Self::Withdraw { kid }),
            Ok(_) | Err(_) => Err(UpkeepError::Event),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_command_says_one_thing() {
        let rotate = |at_once| Event::Rotate { algorithm: Algorithm::Es256, at_once };
        assert_eq!(Event::read(json!({"rotate": "ES256"})).unwrap(), rotate(false));
        assert_eq!(Event::read(json!({"rotate": "ES256", "at_once": true})).unwrap(), rotate(true));
        assert_eq!(Event::read(json!({"withdraw": "x"})).unwrap(), Event::Withdraw { kid: "x".to_owned() });
        for wrong in [
            json!(null),
            json!([]),
            json!("rotate"),
            json!({}),
            json!({"rotate": null}),
            json!({"rotate": "es256"}),
            json!({"rotate": "HS256"}),
            json!({"rotate": "ES256", "withdraw": "x"}),
            json!({"rotate": "ES256", "at_once": "yes"}),
            json!({"rotate": "ES256", "now": true}),
            json!({"withdraw": "x", "at_once": true}),
            json!({"withdraw": 1}),
            json!({"source": "aws.events", "detail-type": "EC2 Instance State-change Notification"}),
        ] {
            assert!(matches!(Event::read(wrong.clone()), Err(UpkeepError::Event)), "{wrong}");
        }
    }
}
