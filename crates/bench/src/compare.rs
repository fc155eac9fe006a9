//! What our functions cost, beside the floor that no function on Lambda gets below, and beside what a user would pick instead.
//!
//! 1. Every subject is a process of its own behind a Runtime API server of this program ([`crate::runtime_api`]); the raw
//!    signatures are loops in this one (`floor`), and `oidc-provider` is asked as the server that it is.
//! 2. A round goes through all of them in turn, each time beginning with another: first a batch of calls of each that is warm
//!    (`warm`), then one start of each that is cold (`cold`). Ratios are made inside a round (`ratios`).
//! 3. CPU time is the kernel's of the whole process, user and system, every thread. What an answer says is looked at outside of
//!    what is measured, and a wrong or refused one ends the command.
//! 4. The report sets the medians against the goals (`goals`).

mod chart;
mod cold;
mod floor;
mod goals;
mod install;
mod ours;
mod peers;
mod ratios;
mod report;
mod round;
mod setting;
mod subject;
mod warm;

use std::path::PathBuf;

use crate::failure::Failure;
use crate::{clocks, revocation};

pub use goals::{Goal, NotMeasured};
pub use report::{Figures, RatioFigure, Report};

use round::Round;
use setting::Setting;

/// What to compare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many rounds.
    pub rounds: usize,
    /// How many calls a batch makes of a warm subject.
    pub calls: usize,
    /// How many keys are revoked, so that the bound of a revocation is among the figures; none to leave it out.
    pub revocations: usize,
    /// Whether the peers are there that must be installed: those that are not in Rust.
    pub peers: bool,
    /// Where the chart is drawn to.
    pub chart: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 60, calls: 300, revocations: 20, peers: true, chart: None }
    }
}

impl Options {
    /// Fewer of everything: a minute and a half, once all is built.
    #[must_use]
    pub fn quick() -> Self {
        Self { rounds: 24, calls: 250, revocations: 5, ..Self::default() }
    }
}

/// Measures.
///
/// # Errors
/// [`Failure`], for a single wrong answer too.
pub async fn measure(options: &Options) -> Result<Report, Failure> {
    let setting = Setting::start(options.peers).await?;
    let mut warm = floor::warm(&setting).await?;
    warm.extend(ours::warm(&setting).await?);
    warm.extend(peers::warm(&setting).await?);
    let mut cold = floor::cold(&setting)?;
    cold.extend(ours::cold(&setting)?);
    cold.extend(peers::cold(&setting)?);
    for subject in &mut warm {
        subject.warm_up().await?;
    }
    let begun = clocks::start();
    let mut rounds = Vec::new();
    for number in 0..options.rounds {
        let mut round = Round::default();
        for place in 0..warm.len() {
            let subject = (place + number) % warm.len();
            let batch = warm[subject].batch(options.calls).await?;
            round.warm.insert(warm[subject].name, batch);
        }
        for place in 0..cold.len() {
            let subject = &cold[(place + number) % cold.len()];
            round.cold.insert(subject.name, subject.start().await?);
        }
        rounds.push(round);
    }
    let lasted = begun.elapsed();
    let mut peaks = Vec::new();
    for subject in &warm {
        peaks.push((subject.name, subject.peak_memory()?));
    }
    drop((warm, cold, setting));
    let revoked = match options.revocations {
        0 => None,
        rounds => Some(revocation::measure(&revocation::Options { rounds }).await?),
    };
    let report = Report::new(options, &rounds, &peaks, revoked, lasted);
    if let Some(file) = &options.chart {
        std::fs::write(file, chart::draw(&report))?;
    }
    Ok(report)
}
