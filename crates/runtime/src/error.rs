//! What ends a process.

use std::io;

/// Lambda can't be spoken with. Whoever gets one ends the process, and Lambda starts another.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RuntimeError {
    /// The environment does not say where Lambda is: the program was started by hand.
    #[error("AWS_LAMBDA_RUNTIME_API is not set: this program is started by Lambda, or by cargo-lambda")]
    NotOnLambda,
    /// There is no connection to be had.
    #[error("Lambda's API can't be reached: {0}")]
    Unreachable(#[source] io::Error),
    /// The connection broke in the middle of a call, or what came over it is no HTTP.
    #[error("Lambda's API: {0}")]
    Broken(#[source] io::Error),
    /// The answer is not what the protocol says.
    #[error("{call} of Lambda's API answers {status}")]
    Status {
        /// What was called.
        call: &'static str,
        /// The answer's status.
        status: u16,
    },
    /// An answer lacks a header that the protocol promises.
    #[error("{call} of Lambda's API gives no `{header}`")]
    Header {
        /// What was called.
        call: &'static str,
        /// What is missing.
        header: &'static str,
    },
    /// The signal that announces the process's end can't be listened to.
    #[error("no handler for SIGTERM: {0}")]
    Signal(#[source] io::Error),
}
