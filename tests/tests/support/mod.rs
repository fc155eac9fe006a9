//! What the flows stand on: the real programs, built and started once, and the clients that call them.
//!
//! Everything is made under `target/`, by itself, and is there for the next run.

pub mod account;
pub mod audit;
pub mod authorizers;
pub mod bad_bodies;
pub mod bound;
pub mod build;
pub mod client_calls;
pub mod clients;
pub mod clock;
pub mod consent;
pub mod folders;
pub mod http;
pub mod processes;
pub mod raw;
pub mod run;

use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::OnceLock;

use clock::Stopwatch;
use run::Run;

/// The run that all tests share which don't kill theirs.
pub fn system() -> &'static Run {
    static SYSTEM: Once<Run> = Once::new();
    SYSTEM.get(|| Run::start("shared"))
}

/// What is made at its first use. Where that fails it is not tried again: the next tests fail at once.
pub struct Once<T>(OnceLock<Option<T>>);

impl<T> Once<T> {
    pub const fn new() -> Self {
        Self(OnceLock::new())
    }

    pub fn get(&self, make: impl FnOnce() -> T) -> &T {
        let outcome = self.0.get_or_init(|| catch_unwind(AssertUnwindSafe(make)).ok());
        outcome.as_ref().expect("made at the first use, whose test says why it failed")
    }
}

/// Does `work`, having said what it is: on standard error itself, which the test runner doesn't keep back.
pub fn step<T>(what: &str, work: impl FnOnce() -> T) -> T {
    let stopwatch = Stopwatch::start();
    let mut out = std::io::stderr();
    let _ = writeln!(out, "flows: {what} ...");
    let outcome = work();
    let _ = writeln!(out, "flows: {what}: {:.1} s", stopwatch.elapsed().as_secs_f64());
    outcome
}
