//! What was measured, as tables and as JSON.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use serde::Serialize;

use super::Options;
use super::wrk::Loaded;
use crate::table;

/// How the system bore the load.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The command that made it.
    pub command: &'static str,
    /// How many instances each function had.
    pub instances: usize,
    /// How long each row was measured, in seconds.
    pub seconds_each: u64,
    /// How long the soak was, in seconds.
    pub soak_seconds: u64,
    /// How long it all took, in seconds.
    pub seconds: f64,
    /// Whether it was built without optimisation.
    pub unoptimised: bool,
    /// Each kind of call with each number of connections. None failed.
    pub rows: Vec<Row>,
    /// The memory of each program, over the soak.
    pub memory: Vec<Grown>,
}

/// One kind of call with one number of connections.
#[derive(Clone, Debug, Serialize)]
pub struct Row {
    /// What was called.
    pub call: &'static str,
    /// How many connections there were.
    pub connections: usize,
    /// What came of it.
    #[serde(flatten)]
    pub loaded: Loaded,
}

/// The memory of all instances of a program, in MB.
#[derive(Clone, Debug, Serialize)]
pub struct Grown {
    /// Its name.
    pub program: String,
    /// After the soak's first tenth.
    pub first: f64,
    /// At its end.
    pub last: f64,
}

impl Grown {
    /// By which share it may be more at the end: an allocator never gives back quite what it took.
    const MOST: f64 = 0.1;

    pub(super) fn is_too_much(&self) -> bool {
        self.last > self.first * (1.0 + Self::MOST)
    }
}

impl Report {
    pub(super) fn new(options: &Options, rows: Vec<Row>, memory: Vec<Grown>, took: Duration) -> Self {
        Self {
            command: "load",
            instances: options.instances,
            seconds_each: options.seconds,
            soak_seconds: options.soak,
            seconds: took.as_secs_f64(),
            unoptimised: cfg!(debug_assertions),
            rows,
            memory,
        }
    }

    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Strings and numbers alone: it can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { instances, seconds_each, soak_seconds, .. } = self;
        writeln!(f, "{instances} instances of each function, {seconds_each} s each; no call failed")?;
        if self.unoptimised {
            writeln!(f, "built without optimisation")?;
        }
        writeln!(f)?;
        let head = ["call", "connections", "calls", "calls/s", "p50 ms", "p99 ms", "max ms"].map(str::to_owned);
        let row = |Row { call, connections, loaded }: &Row| {
            let [p50, p99, max] = [loaded.p50, loaded.p99, loaded.max].map(|micros| format!("{:.1}", micros / 1000.0));
            let per_second = format!("{:.0}", loaded.per_second());
            [(*call).to_owned(), connections.to_string(), loaded.calls.to_string(), per_second, p50, p99, max]
        };
        table::write(f, &[vec![head], self.rows.iter().map(row).collect()].concat())?;
        if self.memory.is_empty() {
            return Ok(());
        }
        writeln!(f, "\nA soak of {soak_seconds} s, in MB of all instances together\n")?;
        let head = ["program", "after a tenth", "at the end", "growth"].map(str::to_owned);
        let row = |Grown { program, first, last }: &Grown| {
            let growth = format!("{:+.1} %", (last / first - 1.0) * 100.0);
            [program.clone(), format!("{first:.1}"), format!("{last:.1}"), growth]
        };
        table::write(f, &[vec![head], self.memory.iter().map(row).collect()].concat())
    }
}
