//! What Lambda asks, and how it is told that there is no answer.

use bytes::Bytes;
use serde::Serialize;

/// One invocation of the function.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invocation {
    /// Its id, `Lambda-Runtime-Aws-Request-Id`.
    pub request_id: String,
    /// The event, JSON as it came.
    pub event: Bytes,
}

/// That an invocation has failed, in the words that Lambda passes on to whoever has invoked the function.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InvocationError {
    /// The kind of error: a word of ASCII, which becomes a header too.
    pub error_type: String,
    /// What is wrong.
    pub error_message: String,
}
