//! How often a thing is tried that others' writes came between.

use std::time::Duration;

use domain::random;

/// How often a write that met another's is tried again.
pub(crate) const CONTENTION_ATTEMPTS: u32 = 12;

/// How often a change is tried again: all of a client meet at one chain, and all of all clients at one feed.
pub(crate) const CHANGE_ATTEMPTS: u32 = 24;

/// Waits a random time that grows with `attempt` (from 0) up to 150 ms, so that writers who met do not meet again.
pub(crate) async fn back_off(attempt: u32) {
    wait_up_to((5_u64 << attempt.min(5)).min(150)).await;
}

/// The same, growing faster and up to two seconds, where very many may meet: a hundred changes of one client at once are
/// made one after the other, and whoever comes too often only holds the others up.
pub(crate) async fn back_off_far(attempt: u32) {
    wait_up_to((10 * 3_u64.pow(attempt.min(5))).min(2000)).await;
}

async fn wait_up_to(milliseconds: u64) {
    let part = u64::from(u16::from_be_bytes(random::bytes()));
    tokio::time::sleep(Duration::from_millis(1 + milliseconds * part / 65_536)).await;
}
