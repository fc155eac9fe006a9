//! Why there is nothing to report.

use thiserror::Error;

/// Why a command gave up.
#[derive(Debug, Error)]
pub enum Failure {
    /// The arguments are none.
    #[error("{0}\nSee bench --help")]
    Usage(String),
    /// A function did not answer what it must.
    #[error("{call}: {reason}")]
    Answer {
        /// What was asked.
        call: &'static str,
        /// What is wrong with the answer.
        reason: String,
    },
    /// The keys that were filled in are not as the store writes them.
    #[error("the store writes keys in another form than they were filled in by: {0}")]
    OutOfStep(String),
    /// A hot path takes more instructions than it did.
    #[error("a hot path has grown or shrunk by more than 3 %, or has no baseline\n\n{0}")]
    Grown(String),
    /// A function's memory grows with its calls.
    #[error("memory has grown by more than 10 % in a soak\n\n{0}")]
    Leak(String),
    /// The store.
    #[error("the store failed: {0}")]
    Store(#[from] store::StoreError),
    /// The embedded store.
    #[error(transparent)]
    Embedded(#[from] embedded::EmbeddedError),
    /// The template.
    #[error(transparent)]
    Template(#[from] template::Error),
    /// What a function needs to start.
    #[error("{0}")]
    Start(String),
    /// A function's process has ended, so it answers no more.
    #[error("{0} has ended")]
    Ended(String),
    /// Files, pipes, processes.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

impl Failure {
    /// 2 where the arguments are wrong, 1 for all else.
    #[must_use]
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Usage(_)) { 2 } else { 1 }
    }
}
