//! One round: what each subject cost in it.

use std::collections::BTreeMap;

use crate::compare::cold::Start;
use crate::compare::warm::Batch;

/// By the names of the subjects.
#[derive(Debug, Default)]
pub(super) struct Round {
    pub(super) warm: BTreeMap<&'static str, Batch>,
    pub(super) cold: BTreeMap<&'static str, Start>,
}

impl Round {
    /// CPU time per call, in microseconds; `None` where the subject was not there.
    pub(super) fn cpu(&self, name: &str) -> Option<f64> {
        Some(self.warm.get(name)?.cpu)
    }

    /// CPU time of a start, in milliseconds.
    pub(super) fn cold_cpu(&self, name: &str) -> Option<f64> {
        Some(self.cold.get(name)?.cpu)
    }
}
