//! The clocks that measure. What the functions are told of the time is another matter: it is an argument.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};

/// The CPU time that this process has used, user and system, of all its threads.
pub(crate) fn cpu() -> Duration {
    let time = clock_gettime(ClockId::ProcessCPUTime);
    // Neither is ever negative, and there are less than 1e9 nanoseconds.
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or_default())
}

/// Begins to measure how long something takes.
#[expect(clippy::disallowed_methods, reason = "what is measured is time")]
pub(crate) fn start() -> Instant {
    Instant::now()
}

/// The time of day, since 1970: what processes of their own are told.
#[expect(clippy::disallowed_methods, reason = "a function's own process compares with the real time")]
pub(crate) fn since_epoch() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}
