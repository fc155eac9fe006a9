//! The clocks: the one place in a function that reads them.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use domain::Moment;

/// Reads both clocks; the monotonic one counts from when this was made.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    origin: Instant,
}

impl Clock {
    /// Begins to count.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the outermost layer reads the clock")]
    #[expect(clippy::new_without_default, reason = "a clock that starts is no default value")]
    pub fn new() -> Self {
        Self { origin: Instant::now() }
    }

    /// Both clocks now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "the outermost layer reads the clock")]
    pub fn now(&self) -> Moment {
        // A wall clock before 1970 is as wrong as one at 1970: nothing is valid then.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Moment { wall_ms: i64::try_from(wall.as_millis()).unwrap_or(i64::MAX), monotonic: self.origin.elapsed() }
    }
}
