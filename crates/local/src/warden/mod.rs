//! Looks after the child processes from a process of its own, so that they end even where `local` is killed.
//!
//! 1. `local` starts itself again as the warden, in a process group of its own, which Ctrl-C doesn't reach.
//! 2. Orders go to the warden's standard input, reports come from its standard output, one JSON object a line.
//! 3. A function that ends is started again, as Lambda would. cargo-lambda that ends is the end of the run.
//! 4. When its input ends, because `local` stops or has been killed, the warden asks its children to stop, waits for
//!    what they still have to write, kills those that don't, and ends itself.

mod handle;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

pub use handle::{Orders, Warden};
pub use process::run;

/// How a process has ended that was killed by [`Order::Restart`].
pub const TOOK_TOO_LONG: &str = "killed: it took longer than it may";

/// What the warden is told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Order {
    /// Start this, and look after it.
    Start(Program),
    /// Kill this one and start it anew: it took longer than it may.
    Restart(String),
}

/// A program to look after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// What it is called in orders and reports.
    pub name: String,
    /// The executable.
    pub executable: PathBuf,
    /// Its arguments.
    pub arguments: Vec<String>,
    /// Its whole environment; the surroundings' own where there is none.
    pub environment: Option<BTreeMap<String, String>>,
    /// Where it runs.
    pub folder: PathBuf,
    /// The file that its output is added to.
    pub log: PathBuf,
    /// Whether it is started again when it ends.
    pub keep_running: bool,
}

/// What the warden tells.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Report {
    /// This one runs.
    Started {
        /// Its name.
        name: String,
        /// Its process.
        pid: u32,
    },
    /// This one doesn't run any more, or could not be started.
    Ended {
        /// Its name.
        name: String,
        /// Its exit status, or what else went wrong.
        how: String,
    },
}
