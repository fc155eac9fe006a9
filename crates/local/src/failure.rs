//! Why a run ends before its time, in words for whoever started it.

use std::fmt;

/// A message for the terminal and the exit code that goes with it.
#[derive(Debug)]
pub struct Failure {
    message: String,
    /// 2 for arguments that make no sense, 1 for all else.
    pub exit_code: u8,
}

/// What every fallible step here returns.
pub type Result<T, E = Failure> = std::result::Result<T, E>;

impl Failure {
    /// Something went wrong on the way.
    #[must_use]
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 1 }
    }

    /// The arguments make no sense.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self { message: message.into(), exit_code: 2 }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl From<template::Error> for Failure {
    fn from(error: template::Error) -> Self {
        Self::new(format!("template.yaml: {error}"))
    }
}

/// Says what was being done when an error came up.
pub trait Context<T> {
    /// Puts `what` before the error's own words.
    ///
    /// # Errors
    /// The error itself, as a [`Failure`].
    fn doing(self, what: impl FnOnce() -> String) -> Result<T>;
}

impl<T, E: fmt::Display> Context<T> for std::result::Result<T, E> {
    fn doing(self, what: impl FnOnce() -> String) -> Result<T> {
        self.map_err(|error| Failure::new(format!("{}: {error}", what())))
    }
}
