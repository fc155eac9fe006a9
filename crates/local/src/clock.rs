//! The clocks, read here and nowhere else in this crate.

use std::time::Instant;

/// The time of day.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this program is the outermost layer")]
pub fn now() -> jiff::Timestamp {
    jiff::Timestamp::now()
}

/// A point from which to measure how long something takes.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this program is the outermost layer")]
pub fn stopwatch() -> Instant {
    Instant::now()
}
