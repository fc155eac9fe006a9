//! What the functions cost, each subject by a command of its own: two things side by side, in interleaved rounds.
//!
//! 1. A command sets up what it compares and checks every answer: a wrong or refused one ends it, since a refusal is
//!    cheaper than what it refuses.
//! 2. The embedded store runs in a process of its own ([`store_process`]), so that a function's CPU time and the store's
//!    are told apart. The functions run in this one, through their own `handle`, without a runtime around them.
//! 3. Within a round both sides take their turns ([`measure`]); the ratio is the median of the rounds' ratios
//!    ([`report`]), which holds on a busy machine where times don't.
//! 4. What depends on a process as such runs in processes of its own, as Lambda would have them ([`runtime_api`]).

pub mod args;
mod clocks;
pub mod compare;
pub mod cost;
mod counted;
mod failure;
mod fixture;
pub mod instructions;
pub mod keys;
pub mod load;
pub mod measure;
mod process;
mod program;
pub mod report;
pub mod revocation;
pub mod runtime_api;
mod statistics;
pub mod store_process;
mod table;
pub mod unknown_kids;

use std::ffi::OsString;
use std::io::Write;

use args::Command;

pub use failure::Failure;

/// Runs the program.
///
/// # Errors
/// [`Failure`]: why there is nothing to report.
pub async fn run(arguments: impl IntoIterator<Item = OsString>, mut out: impl Write) -> Result<(), Failure> {
    let text = match args::parse(arguments)? {
        Command::Help => args::HELP.to_owned(),
        Command::Store(file) => return store_process::serve(&file).await,
        Command::Compare { options, json } => {
            let report = Box::pin(compare::measure(&options)).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
        Command::Cost { options, json } => cost_of(&Box::pin(compare::measure(&options)).await?, json)?,
        Command::Instructions { purpose, profiles, json } => {
            let report = instructions::measure(purpose, profiles.as_deref()).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
        Command::HotPath(path, times, input) => {
            let input = serde_json::from_slice(&std::fs::read(input)?).map_err(std::io::Error::other)?;
            return instructions::work(path, times, input).await;
        }
        Command::Keys { options, json } => {
            let report = keys::compare(&options).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
        Command::Revocation { options, json } => {
            let report = revocation::measure(&options).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
        Command::Load { options, json } => {
            let report = load::measure(&options).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
        Command::UnknownKids { options, json } => {
            let report = unknown_kids::measure(&options).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
    };
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}

fn cost_of(report: &compare::Report, json: bool) -> Result<String, Failure> {
    let cost = report.cost.as_ref().ok_or_else(|| Failure::Start("there are no figures to price".to_owned()))?;
    Ok(if json { cost.json() + "\n" } else { cost.to_string() })
}
