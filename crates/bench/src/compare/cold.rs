//! Subjects that are started: what it takes until their first answer is there.

use std::time::Duration;

use crate::clocks;
use crate::compare::subject::{Subject, patiently};
use crate::failure::Failure;
use crate::process;
use crate::runtime_api::Instance;

/// What a start cost, up to the first answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Start {
    /// CPU time, in milliseconds.
    pub(super) cpu: f64,
    /// How long it took, in milliseconds.
    pub(super) first: f64,
    /// The most memory, in MB.
    pub(super) memory: f64,
}

impl Subject {
    /// Starts it, asks once, and ends it.
    pub(super) async fn start(&self) -> Result<Start, Failure> {
        let begun = clocks::start();
        let instance = Instance::start((self.start)()).await?;
        let answer = patiently(self.name, instance.invoke(self.event.clone())).await?;
        let first = milliseconds(begun.elapsed());
        let cpu = milliseconds(process::cpu(instance.pid())?);
        let memory = process::peak_memory(instance.pid())?;
        self.expected.check(self.name, &answer)?;
        Ok(Start { cpu, first, memory })
    }
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
