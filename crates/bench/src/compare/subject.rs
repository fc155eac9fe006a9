//! What every subject has: its events, and what must be answered to them.

use std::time::Duration;

use axum::body::Bytes;
use serde_json::Value;
use tokio::process::Command;

use crate::failure::Failure;
use crate::runtime_api::Answer;

/// A call that takes longer has failed.
pub(super) const PATIENCE: Duration = Duration::from_secs(30);

/// What must be answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expected {
    /// The floor's constant.
    Constant,
    /// The floor's `true`: its item is there, its signature right.
    True,
    /// An IAM policy that allows the call.
    Allow,
    /// That the credential is none.
    Unauthorized,
    /// 200 with this member in its body.
    Member(&'static str),
}

impl Expected {
    /// Whether an answer is right.
    pub(super) fn check(self, name: &'static str, answer: &Answer) -> Result<(), Failure> {
        let (Answer::Response(body) | Answer::Error(body)) = answer;
        let is_of_its_kind = matches!(answer, Answer::Error(_)) == (self == Self::Unauthorized);
        let text = || String::from_utf8_lossy(body).into_owned();
        let wrong = || Failure::Answer { call: name, reason: text() };
        let json: Value = serde_json::from_slice(body).map_err(|_| wrong())?;
        let right = match self {
            Self::Constant => json == "constant",
            Self::True => json == true,
            Self::Allow => json["policyDocument"]["Statement"][0]["Effect"] == "Allow",
            Self::Unauthorized => json["errorMessage"] == "Unauthorized",
            Self::Member(member) => {
                let inner: Value =
                    json["body"].as_str().and_then(|body| serde_json::from_str(body).ok()).unwrap_or_default();
                json["statusCode"] == 200 && !inner[member].is_null()
            }
        };
        if right && is_of_its_kind { Ok(()) } else { Err(wrong()) }
    }
}

/// How a function's process is started, each time anew.
pub(super) type Starter = Box<dyn Fn() -> Command>;

/// A function, and the event that it is asked by.
pub(super) struct Subject {
    /// What it is called in every report.
    pub(super) name: &'static str,
    /// How it is started.
    pub(super) start: Starter,
    /// What it is asked.
    pub(super) event: Bytes,
    /// What it must answer.
    pub(super) expected: Expected,
}

/// Waits for an answer, but not for ever.
pub(super) async fn patiently<T>(
    name: &'static str,
    answer: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    let late = |_| Failure::Answer { call: name, reason: "it does not answer".to_owned() };
    tokio::time::timeout(PATIENCE, answer).await.map_err(late)?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_right_answer_is_right() {
        let response = |json: &'static str| Answer::Response(Bytes::from_static(json.as_bytes()));
        let error = |json: &'static str| Answer::Error(Bytes::from_static(json.as_bytes()));
        let of = |expected: Expected| if expected == Expected::Unauthorized { error } else { response };
        let allow = r#"{"policyDocument":{"Statement":[{"Effect":"Allow"}]}}"#;
        let reply = r#"{"statusCode":200,"body":"{\"access_token\":\"x\"}"}"#;
        let refused = r#"{"errorType":"Unauthorized","errorMessage":"Unauthorized"}"#;
        let all = [
            (Expected::Constant, r#""constant""#),
            (Expected::True, "true"),
            (Expected::Allow, allow),
            (Expected::Unauthorized, refused),
            (Expected::Member("access_token"), reply),
        ];
        for (expected, right) in all {
            expected.check("it", &of(expected)(right)).unwrap();
            let kinds = [response(right), error(right)];
            assert_eq!(kinds.iter().filter(|answer| expected.check("it", answer).is_ok()).count(), 1, "{expected:?}");
            for (_, wrong) in all.iter().filter(|(other, _)| *other != expected) {
                assert!(expected.check("it", &of(expected)(wrong)).is_err(), "{expected:?}: {wrong}");
            }
            assert!(expected.check("it", &of(expected)("no JSON")).is_err(), "{expected:?}");
        }
        let failed = r#"{"statusCode":503,"body":"{\"access_token\":\"x\"}"}"#;
        assert!(Expected::Member("access_token").check("it", &response(failed)).is_err());
        let deny = r#"{"policyDocument":{"Statement":[{"Effect":"Deny"}]}}"#;
        assert!(Expected::Allow.check("it", &response(deny)).is_err());
    }
}
