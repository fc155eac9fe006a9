//! Whether valid tokens wait where a flood of tokens that name unknown signing keys arrives at the same instance, and how
//! often the flood makes it read the published keys anew.
//!
//! One authorizer, a process of its own. In each round it is asked by a valid token alone, and by the same one with a token of
//! the flood before each; each of those names a signing key of its own. The two take turns in being first. A call of the flood
//! that is not refused, a valid one that is, or more reads of the published keys than one per cooldown end the command.

mod report;

use std::time::Duration;

use axum::body::Bytes;
use domain::published_keys::UNKNOWN_KEY_COOLDOWN;
use serde_json::Value;
use signing::Algorithm;

use crate::clocks;
use crate::counted::{Counted, Counts};
use crate::failure::Failure;
use crate::fixture::Fixture;
use crate::program::Program;
use crate::runtime_api::{Answer, Instance};
use crate::store_process::StoreProcess;

pub use report::{Latency, Report};

/// How many calls warm the instance up.
const WARM_UP: usize = 200;

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many tokens the flood has.
    pub flood: usize,
    /// In how many rounds they come.
    pub rounds: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { flood: 10_000, rounds: 20 }
    }
}

/// How long the valid calls took, in microseconds.
#[derive(Debug, Default)]
struct Measured {
    alone: Vec<f64>,
    flooded: Vec<f64>,
    /// How long the flood lasted.
    flood: Duration,
}

/// Asks one authorizer with the flood and without it.
///
/// # Errors
/// [`Failure`], for a single wrong answer too.
pub async fn measure(options: &Options) -> Result<Report, Failure> {
    let folder = tempfile::Builder::new().prefix("keygate-bench-").tempdir()?;
    let stored = StoreProcess::start(&folder.path().join("keygate.db"))?;
    let fixture = Fixture::stored(stored.endpoint()).await?;
    let way = Counted::start(stored.endpoint()).await?;
    let program = Program::build("authorizer", way.endpoint(), "").await?;
    let instance = Instance::start(program.command()).await?;
    let token = fixture.token(Algorithm::Es256)?;
    let valid = fixture.token_event(Algorithm::Es256)?;
    for _ in 0..WARM_UP {
        ask(&instance, &valid, true).await?;
    }
    way.take();
    let per_round = options.flood.div_ceil(options.rounds);
    let begun = clocks::start();
    let mut measured = Measured::default();
    for round in 0..options.rounds {
        let flood: Vec<Bytes> = (0..per_round).map(|_| Fixture::unknown_kid_event(&token)).collect();
        // What is second finds the machine as the first has left it, so they take turns in that too.
        for flooded in if round % 2 == 0 { [false, true] } else { [true, false] } {
            if flooded {
                let start = clocks::start();
                for event in &flood {
                    ask(&instance, event, false).await?;
                    measured.flooded.push(ask(&instance, &valid, true).await?);
                }
                measured.flood += start.elapsed();
            } else {
                for _ in 0..per_round {
                    measured.alone.push(ask(&instance, &valid, true).await?);
                }
            }
        }
    }
    let report = Report::new(options.rounds, &measured, &way.take(), begun.elapsed());
    if report.reads_of_keys > report.allowed_reads {
        let reason = format!("{} reads of the published keys", report.reads_of_keys);
        return Err(Failure::Answer { call: "a flood", reason });
    }
    Ok(report)
}

/// How many reads of the published keys a flood may cause that lasts so long: one at once, and one after each cooldown.
fn allowed_reads(lasted: Duration) -> usize {
    1 + usize::try_from(lasted.as_secs() / UNKNOWN_KEY_COOLDOWN.as_secs()).unwrap_or(usize::MAX - 1)
}

/// How many reads of the published keys there were.
fn reads_of_keys(counts: &Counts) -> usize {
    counts.iter().filter(|((_, table), _)| table == "SigningTable").map(|(_, count)| count).sum()
}

/// How long a call took, in microseconds.
async fn ask(instance: &Instance, event: &Bytes, allowed: bool) -> Result<f64, Failure> {
    let start = clocks::start();
    let answer = instance.invoke(event.clone()).await?;
    let took = start.elapsed().as_secs_f64() * 1e6;
    let (Answer::Response(body) | Answer::Error(body)) = &answer;
    let body: Value = serde_json::from_slice(body).map_err(std::io::Error::other)?;
    let right = if allowed {
        body["policyDocument"]["Statement"][0]["Effect"] == "Allow"
    } else {
        body["errorMessage"] == "Unauthorized"
    };
    if right { Ok(took) } else { Err(Failure::Answer { call: "an authorizer's call", reason: body.to_string() }) }
}
