//! What can go wrong with the store; in each case the caller must be refused, not let through.

use std::error::Error as StdError;
use std::fmt;

use thiserror::Error;

use crate::config::Table;

/// A failure of the store.
#[derive(Debug, Error)]
pub enum StoreError {
    /// It did not answer in time, throttled, or failed.
    #[error("the store is unavailable: {}", Causes(.0.as_ref()))]
    Unavailable(Box<dyn StdError + Send + Sync>),
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
    /// The function was not told how to reach AWS.
    #[error(transparent)]
    Environment(#[from] aws::Misconfigured),
}

/// An error and all that is behind it, in one line. By what each says of itself: their `Debug` holds whole answers of
/// the store.
struct Causes<'a>(&'a (dyn StdError + 'static));

impl fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(cause) = source {
            write!(f, ": {cause}")?;
            source = cause.source();
        }
        Ok(())
    }
}

impl StoreError {
    /// Wraps an SDK error that has no meaning of its own here.
    pub(crate) fn unavailable<E: StdError + Send + Sync + 'static>(error: E) -> Self {
        Self::Unavailable(Box::new(error))
    }
}
