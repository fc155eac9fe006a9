//! What was measured, as a table and as JSON.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use serde::Serialize;

use crate::counted::Counts;
use crate::statistics::percentile;
use crate::table;
use crate::unknown_kids::{Measured, allowed_reads, reads_of_keys};

/// How long valid calls took beside the flood and without it.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The command that made it.
    pub command: &'static str,
    /// How many unknown signing keys were named.
    pub unknown_kids: usize,
    /// In how many rounds.
    pub rounds: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How long the flood lasted, in seconds.
    pub flood_seconds: f64,
    /// How often the published keys were read.
    pub reads_of_keys: usize,
    /// How often they may be read in that time: at once, and once after each cooldown.
    pub allowed_reads: usize,
    /// How often the feed was read; an instance does so every 4 s, whatever it is asked.
    pub reads_of_feed: usize,
    /// Whether it was built without optimisation.
    pub unoptimised: bool,
    /// Valid calls without the flood, and with it.
    pub valid: [Latency; 2],
}

/// How long valid calls took, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Latency {
    /// Beside what.
    pub beside: &'static str,
    /// How many there were; all were let through.
    pub calls: usize,
    /// What half of them did not exceed.
    pub p50: f64,
    /// What 90 of 100 did not exceed.
    pub p90: f64,
    /// What 99 of 100 did not exceed.
    pub p99: f64,
}

impl Report {
    pub(super) fn new(rounds: usize, measured: &Measured, counts: &Counts, took: Duration) -> Self {
        let latency = |beside, wall: &[f64]| {
            let at = |percent| percentile(wall, percent).unwrap_or(f64::NAN);
            Latency { beside, calls: wall.len(), p50: at(50), p90: at(90), p99: at(99) }
        };
        let feed = counts.iter().filter(|((operation, table), _)| operation == "Query" && table == "KeysTable");
        Self {
            command: "unknown-kids",
            unknown_kids: measured.flooded.len(),
            rounds,
            seconds: took.as_secs_f64(),
            flood_seconds: measured.flood.as_secs_f64(),
            reads_of_keys: reads_of_keys(counts),
            allowed_reads: allowed_reads(took),
            reads_of_feed: feed.map(|(_, count)| count).sum(),
            unoptimised: cfg!(debug_assertions),
            valid: [latency("nothing", &measured.alone), latency("the flood", &measured.flooded)],
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
        let Self { unknown_kids, rounds, seconds, flood_seconds, .. } = self;
        writeln!(f, "{unknown_kids} unknown signing keys in {rounds} rounds and {flood_seconds:.1} of {seconds:.1} s")?;
        let Self { reads_of_keys, allowed_reads, reads_of_feed, .. } = self;
        writeln!(
            f,
            "{reads_of_keys} reads of the published keys, {allowed_reads} at most; {reads_of_feed} of the feed"
        )?;
        if self.unoptimised {
            writeln!(f, "built without optimisation")?;
        }
        writeln!(f)?;
        let mut rows = vec![["valid calls beside", "calls", "p50 µs", "p90 µs", "p99 µs"].map(str::to_owned)];
        for Latency { beside, calls, p50, p90, p99 } in &self.valid {
            let [p50, p90, p99] = [p50, p90, p99].map(|time| format!("{time:.0}"));
            rows.push([(*beside).to_owned(), calls.to_string(), p50, p90, p99]);
        }
        table::write(f, &rows)
    }
}
