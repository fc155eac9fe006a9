//! The whole system on one machine under load: gateway, authorizers, functions and store, four instances of each function.
//!
//! `wrk` (Debian's package) calls through the local gateway, from another process, with 1, 8 and 64 connections. One call of each
//! kind is looked at before; then an answer that is an error, or none, ends the command. A soak goes on for longer, and looks at
//! the functions' memory. All share the same processors, `wrk` too: what is measured is that nothing fails and nothing grows,
//! and how long a queue is waited in; not what AWS would do.

mod memory;
mod report;
mod system;
mod wrk;

use std::time::Duration;

use crate::clocks;
use crate::failure::Failure;

use memory::Memory;
pub use report::{Grown, Report, Row};
use system::System;
use wrk::Request;

/// How many connections there are at once.
const CONNECTIONS: [usize; 3] = [1, 8, 64];
/// How many connections a soak has.
const SOAKING: usize = 8;
/// In how many parts a soak is measured: after the first one all is warm.
const PARTS: u64 = 10;
/// From how many seconds on a soak says whether memory grows.
const JUDGED: u64 = 300;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How long each kind of call is made with each number of connections, in seconds.
    pub seconds: u64,
    /// How long the soak lasts, in seconds; 0 for none.
    pub soak: u64,
    /// How many instances each function has.
    pub instances: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { seconds: 10, soak: 600, instances: 4 }
    }
}

/// Loads a system of its own.
///
/// # Errors
/// [`Failure`], for a single wrong answer too.
pub async fn measure(options: &Options) -> Result<Report, Failure> {
    let begun = clocks::start();
    let system = System::start(options.instances).await?;
    let calls = system.calls().await?;
    for call in &calls {
        system.look(call).await?;
        wrk::run(call, SOAKING, 2).await?;
    }
    let mut rows = Vec::new();
    for call in &calls {
        for connections in CONNECTIONS {
            rows.push(Row {
                call: call.name,
                connections,
                loaded: wrk::run(call, connections, options.seconds).await?,
            });
        }
    }
    let grown = soak(&system, &calls, options.soak).await?;
    let report = Report::new(options, rows, grown, begun.elapsed());
    if options.soak >= JUDGED && report.memory.iter().any(Grown::is_too_much) {
        return Err(Failure::Leak(report.to_string()));
    }
    Ok(report)
}

/// Goes on with all kinds of calls, and says what the functions' memory was after the first part and after the last.
async fn soak(system: &System, calls: &[Request], seconds: u64) -> Result<Vec<Grown>, Failure> {
    if seconds == 0 {
        return Ok(Vec::new());
    }
    let part = Duration::from_secs(seconds) / u32::try_from(PARTS).unwrap_or(1);
    let each = (part.as_secs() / u64::try_from(calls.len()).unwrap_or(1)).max(1);
    let mut after = Vec::new();
    for _ in 0..PARTS {
        for call in calls {
            wrk::run(call, SOAKING, each).await?;
        }
        after.push(Memory::of(system.pid())?);
    }
    memory::growth(&after)
}
