//! The counts that later ones are compared with, by architecture and profile.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::failure::Failure;
use crate::instructions::Report;

/// By which share a count may grow.
pub const GROWTH: f64 = 0.03;

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/instructions.json");

/// The counts of one architecture and profile.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Baseline(BTreeMap<String, f64>);

type All = BTreeMap<String, Baseline>;

/// What this program's counts are of: what it was built for, and how.
pub(super) fn of_this_program() -> Result<String, Failure> {
    let program = std::env::current_exe()?;
    let profile = program.parent().and_then(|folder| folder.file_name()).unwrap_or_default().to_string_lossy();
    Ok(format!("{} {profile}", std::env::consts::ARCH))
}

impl Baseline {
    pub(super) fn load(of: &str) -> Result<Self, Failure> {
        Ok(all()?.remove(of).unwrap_or_default())
    }

    pub(super) fn get(&self, path: &str) -> Option<f64> {
        self.0.get(path).copied()
    }

    /// Makes a report the baseline.
    pub(super) fn keep(report: &Report) -> Result<(), Failure> {
        let counts = report.paths.iter().map(|count| (count.path.to_owned(), count.instructions.round()));
        let mut all = all()?;
        all.insert(report.of.clone(), Self(counts.collect()));
        let text = serde_json::to_string_pretty(&all).map_err(std::io::Error::other)?;
        Ok(std::fs::write(FILE, text + "\n")?)
    }
}

fn all() -> Result<All, Failure> {
    Ok(serde_json::from_slice(&std::fs::read(FILE)?).map_err(std::io::Error::other)?)
}
