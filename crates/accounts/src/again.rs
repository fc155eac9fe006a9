//! Changes that are decided on what was read, and decided anew where somebody else was faster.

use std::time::Duration;

use domain::random;
use edge::ApiError;
use store::StoreError;

/// How often a change is decided at most.
const ATTEMPTS: u32 = 5;

/// The attempts at one change.
#[derive(Default)]
pub(crate) struct Attempts {
    made: u32,
}

impl Attempts {
    /// Before each attempt: waits a little before all but the first, so that those who met do not meet again.
    ///
    /// # Errors
    /// 503 where others were faster again and again.
    pub(crate) async fn next(&mut self) -> Result<(), ApiError> {
        if self.made == ATTEMPTS {
            return Err(StoreError::Contended.into());
        }
        if self.made > 0 {
            let part = u64::from(random::bytes::<1>()[0]);
            tokio::time::sleep(Duration::from_millis(1 + (10 << self.made) * part / 256)).await;
        }
        self.made += 1;
        Ok(())
    }
}
