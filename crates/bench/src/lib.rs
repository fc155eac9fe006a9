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
mod failure;
pub mod keys;
pub mod measure;
mod program;
pub mod report;
pub mod revocation;
pub mod runtime_api;
mod statistics;
pub mod store_process;
mod table;

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
        Command::Keys { options, json } => {
            let report = keys::compare(&options).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
        Command::Revocation { options, json } => {
            let report = revocation::measure(&options).await?;
            if json { report.json() + "\n" } else { report.to_string() }
        }
    };
    out.write_all(text.as_bytes())?;
    Ok(out.flush()?)
}
