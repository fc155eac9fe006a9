//! The one place of the flows that reads a clock.

use std::time::{Duration, Instant};

use domain::Timestamp;

/// Time since a moment.
#[derive(Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    #[expect(clippy::disallowed_methods, reason = "the flows wait for real processes, whose time is the real one")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

#[expect(clippy::disallowed_methods, reason = "the flows wait for real processes, whose time is the real one")]
pub fn now() -> Timestamp {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Timestamp::from_unix(i64::try_from(since_epoch.as_secs()).unwrap())
}

/// Waits until `condition` holds; whether it did within `patience`.
pub fn wait_for(patience: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let stopwatch = Stopwatch::start();
    loop {
        if condition() {
            return true;
        }
        if stopwatch.elapsed() > patience {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}
