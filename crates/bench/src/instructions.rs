//! How many instructions the hot paths take, which no noise moves: a guard against growth.
//!
//! Each path runs under callgrind as often as two numbers say, in a process of its own. The difference of the two counts, divided
//! by that of the numbers, is what one run of the path takes, whatever the process took to start. Callgrind shows every x86-64
//! machine the same processor, so a count holds on another one too.
//!
//! The store is a process that is not counted, and is asked before the count begins to differ: the paths are those of an
//! instance that is warm and fresh.

mod baseline;
mod work;

use std::fmt::{Display, Formatter};
use std::path::Path;
use std::process::Stdio;

use serde::Serialize;
use tokio::process::Command;

use crate::failure::Failure;
use crate::fixture::Fixture;
use crate::store_process::StoreProcess;
use crate::table;

pub use baseline::GROWTH;
pub use work::{Input, PATH, Path as HotPath, work};

use baseline::Baseline;

/// How often a path is run. The difference is so large that it does not matter whether a start has asked the store once more.
const FEW: u32 = 20;
const MANY: u32 = 520;

/// What is to be done with the counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Print them beside the baseline.
    Show,
    /// Fail where one has grown.
    Check,
    /// Make them the baseline.
    Keep,
}

/// The counts beside the baseline.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    /// The command that made it.
    pub command: &'static str,
    /// What the counts are of: architecture and profile.
    pub of: String,
    /// By path.
    pub paths: Vec<Count>,
}

/// What one run of a path takes.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Count {
    /// Which path.
    pub path: &'static str,
    /// Instructions.
    pub instructions: f64,
    /// What it took when the baseline was made; none where there is none.
    pub baseline: Option<f64>,
}

impl Count {
    /// By which share it has grown; less than nothing where it has shrunk.
    fn growth(&self) -> Option<f64> {
        Some(self.instructions / self.baseline? - 1.0)
    }

    /// Whether it is too much, or not known at all, or so few that it could grow unseen.
    fn is_wrong(&self) -> bool {
        self.growth().is_none_or(|growth| growth.abs() > GROWTH)
    }
}

/// Counts. Callgrind's files are left in `profiles`, where that is given.
///
/// # Errors
/// [`Failure::Grown`] where it is to be checked and one has grown, or shrunk as much; [`Failure`] where there is no valgrind.
pub async fn measure(purpose: Purpose, profiles: Option<&Path>) -> Result<Report, Failure> {
    let folder = tempfile::Builder::new().prefix("keygate-bench-").tempdir()?;
    let stored = StoreProcess::start(&folder.path().join("keygate.db"))?;
    let fixture = Fixture::stored(stored.endpoint()).await?;
    let of = baseline::of_this_program()?;
    let known = Baseline::load(&of)?;
    let mut paths = Vec::new();
    for path in HotPath::ALL {
        let file = folder.path().join("input.json");
        let input = Input::of(path, &fixture, stored.endpoint())?;
        std::fs::write(&file, serde_json::to_vec(&input).map_err(std::io::Error::other)?)?;
        // There are two processors, and nothing here is timed.
        let (few, many) = tokio::try_join!(count(path, FEW, &file, profiles), count(path, MANY, &file, profiles))?;
        let instructions = (many - few) / f64::from(MANY - FEW);
        paths.push(Count { path: path.name(), instructions, baseline: known.get(path.name()) });
    }
    let report = Report { command: "instructions", of, paths };
    match purpose {
        Purpose::Keep => Baseline::keep(&report)?,
        Purpose::Check if report.paths.iter().any(Count::is_wrong) => return Err(Failure::Grown(report.to_string())),
        Purpose::Show | Purpose::Check => {}
    }
    Ok(report)
}

async fn count(path: HotPath, times: u32, input: &Path, profiles: Option<&Path>) -> Result<f64, Failure> {
    let name = || format!("{}.{times}", path.name());
    let profile = profiles.map_or(Path::new("/dev/null").to_owned(), |folder| folder.join(name()));
    let mut command = Command::new("valgrind");
    command.arg("--tool=callgrind").arg(format!("--callgrind-out-file={}", profile.display()));
    command.arg(std::env::current_exe()?);
    command.args([PATH, path.name(), &times.to_string()]).arg(input).stdin(Stdio::null());
    let output = command.output().await.map_err(|error| Failure::Start(format!("valgrind: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    let collected = said.lines().find_map(|line| line.split_once("Collected : ")?.1.trim().parse().ok());
    match collected {
        Some(count) if output.status.success() => Ok(count),
        _ => Err(Failure::Answer { call: path.name(), reason: said.into_owned() }),
    }
}

impl Report {
    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Strings and numbers alone: it can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "Instructions, {}\n", self.of)?;
        let mut rows = vec![["hot path", "instructions", "baseline", "growth"].map(str::to_owned)];
        for count in &self.paths {
            let baseline = count.baseline.map_or("none".to_owned(), |baseline| format!("{baseline:.0}"));
            let growth = count.growth().map_or(String::new(), |growth| format!("{:+.1} %", growth * 100.0));
            rows.push([count.path.to_owned(), format!("{:.0}", count.instructions), baseline, growth]);
        }
        table::write(f, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_path_has_a_baseline() {
        let known = Baseline::load("x86_64 bench-fast").unwrap();
        for path in HotPath::ALL {
            assert!(known.get(path.name()).is_some(), "{}", path.name());
        }
    }

    #[test]
    fn three_percent_are_the_most_and_an_unknown_path_is_wrong() {
        let count = |instructions, baseline| Count { path: "it", instructions, baseline };
        assert!(!count(102.9, Some(100.0)).is_wrong() && !count(97.1, Some(100.0)).is_wrong());
        assert!(count(103.1, Some(100.0)).is_wrong());
        assert!(count(96.9, Some(100.0)).is_wrong(), "the baseline is to be renewed");
        assert!(count(100.0, None).is_wrong());
    }
}
