//! When counts are written.

use std::sync::Arc;

use runtime::RuntimeError;
use store::{FLUSH_INTERVAL, UsageBuffer};

use crate::clock::Clock;

/// Writes what waits in `buffer` every few seconds while the process runs, and once more when Lambda ends it (SIGTERM,
/// which arrives because a handler for it registers an extension; half a second is left then).
///
/// A frozen process writes nothing: handlers write what is due themselves.
///
/// # Errors
/// Where Lambda does not take the extension.
pub async fn flush_usage(buffer: Arc<UsageBuffer>, clock: Clock) -> Result<(), RuntimeError> {
    let ticking = buffer.clone();
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(FLUSH_INTERVAL).await;
            // Whatever waits now has waited for less than the interval: nothing waits longer.
            ticking.flush_or_warn(clock.now()).await;
        }
    });
    runtime::on_shutdown(move || async move {
        buffer.flush_or_warn(clock.now()).await;
    })
    .await
}
