//! What can go wrong with the store; in each case the caller must be refused, not let through.

use std::error::Error as StdError;

use thiserror::Error;

use crate::config::Table;

/// A failure of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It did not answer in time, throttled, or failed.
    #[error("the store is unavailable")]
    Unavailable(#[source] Box<dyn StdError + Send + Sync>),
    /// Others changed the same thing again and again; the call may be repeated.
    #[error("too many changes at once")]
    Contended,
    /// What was to be made exists.
    #[error("exists already")]
    Exists,
    /// An item is not of the form that this version reads.
    #[error("corrupt item: {0}")]
    Corrupt(&'static str),
    /// The function was not given the name of this table.
    #[error("no table configured: {} is not set", .0.variable())]
    Misconfigured(Table),
}

impl StoreError {
    /// Wraps an SDK error that has no meaning of its own here.
    pub(crate) fn unavailable<E: StdError + Send + Sync + 'static>(error: E) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
