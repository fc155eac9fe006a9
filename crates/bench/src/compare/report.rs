//! What was measured, as a table and as JSON.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use serde::Serialize;

use crate::compare::Options;
use crate::compare::goals::{Evidence, Goal, NotMeasured, judge};
use crate::compare::ratios;
use crate::compare::round::Round;
use crate::cost::{self, Cost};
use crate::statistics::{median, percentile};
use crate::{fixture, revocation, table};

/// Everything.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The command that made it.
    pub command: &'static str,
    /// The day, in UTC.
    pub date: String,
    /// The processor's architecture.
    pub architecture: &'static str,
    /// How many rounds there were.
    pub rounds: usize,
    /// How many calls a batch made.
    pub calls: usize,
    /// How long the rounds took, in seconds.
    pub seconds: f64,
    /// Whether it was built without optimisation: then nothing here says anything.
    pub unoptimised: bool,
    /// By subject.
    pub figures: Vec<Figures>,
    /// What is set against what.
    pub ratios: Vec<RatioFigure>,
    /// How long a revoked key was let through.
    pub revocation: Option<revocation::Report>,
    /// What a million costs.
    pub cost: Option<Cost>,
    /// The goals that were judged.
    pub goals: Vec<Goal>,
    /// The names of those that were not met.
    pub goals_missed: Vec<&'static str>,
    /// Those that this run says nothing of.
    pub goals_not_measured: Vec<NotMeasured>,
}

/// A subject's figures, the medians of the rounds; those that it has.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Figures {
    /// The subject.
    pub name: &'static str,
    /// CPU time per call, in microseconds.
    pub cpu_us: Option<f64>,
    /// How long half of the calls took at most, in microseconds.
    pub p50_us: Option<f64>,
    /// How long 90 of 100 took at most.
    pub p90_us: Option<f64>,
    /// How long 99 of 100 took at most.
    pub p99_us: Option<f64>,
    /// Calls in a second, one after another.
    pub per_second: Option<f64>,
    /// Calls of the store per call.
    pub store_calls: Option<f64>,
    /// CPU time from the start to the first answer, in milliseconds.
    pub cold_cpu_ms: Option<f64>,
    /// The time from the start to the first answer, in milliseconds.
    pub cold_first_ms: Option<f64>,
    /// The most memory, in MB: after all calls, or of a subject that was only started, after the first one.
    pub peak_mb: Option<f64>,
}

/// A ratio, or a difference, of the rounds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct RatioFigure {
    /// Of what.
    pub name: &'static str,
    /// The smallest.
    pub least: f64,
    /// The middle one.
    pub median: f64,
    /// The largest.
    pub most: f64,
}

impl RatioFigure {
    pub(super) fn new(name: &'static str, rounds: &[f64]) -> Self {
        let at = |percent| percentile(rounds, percent).unwrap_or(f64::NAN);
        Self { name, least: at(0), median: median(rounds).unwrap_or(f64::NAN), most: at(100) }
    }
}

impl Report {
    pub(super) fn new(
        options: &Options,
        rounds: &[Round],
        peaks: &[(&'static str, Option<f64>)],
        revocation: Option<revocation::Report>,
        took: Duration,
    ) -> Self {
        let figures = figures(rounds, peaks);
        let ratios = ratios::of(rounds);
        let cost = cost::of(&figures);
        let evidence =
            Evidence { ratios: &ratios, figures: &figures, revocation: revocation.as_ref(), cost: cost.as_ref() };
        let (goals, goals_not_measured) = judge(&evidence);
        Self {
            command: "compare",
            date: fixture::now().to_string().chars().take(10).collect(),
            architecture: std::env::consts::ARCH,
            rounds: options.rounds,
            calls: options.calls,
            seconds: took.as_secs_f64(),
            unoptimised: cfg!(debug_assertions),
            figures,
            ratios,
            revocation,
            cost,
            goals_missed: goals.iter().filter(|goal| !goal.met).map(|goal| goal.name).collect(),
            goals,
            goals_not_measured,
        }
    }

    /// One line of JSON.
    #[must_use]
    pub fn json(&self) -> String {
        // Strings and numbers alone: it can't fail.
        serde_json::to_string(self).unwrap_or_default()
    }
}

/// The subjects in the order of their names' first rounds: those that are warm, then those that are cold alone.
fn figures(rounds: &[Round], peaks: &[(&'static str, Option<f64>)]) -> Vec<Figures> {
    let warm = peaks.iter().map(|(name, peak)| {
        let batches: Vec<_> = rounds.iter().filter_map(|round| round.warm.get(name)).collect();
        let wall: Vec<f64> = batches.iter().flat_map(|batch| batch.wall.iter().copied()).collect();
        let each = |of: fn(f64, usize) -> f64| {
            batches.iter().map(|batch| of(batch.wall.iter().sum(), batch.wall.len())).collect::<Vec<_>>()
        };
        let per_second = |wall: f64, calls: usize| f64::from(u32::try_from(calls).unwrap_or(u32::MAX)) / (wall / 1e6);
        let store_calls: Vec<f64> = batches.iter().filter_map(|batch| batch.store_calls).collect();
        Figures {
            name,
            cpu_us: median(&batches.iter().map(|batch| batch.cpu).collect::<Vec<_>>()),
            p50_us: percentile(&wall, 50),
            p90_us: percentile(&wall, 90),
            p99_us: percentile(&wall, 99),
            per_second: median(&each(per_second)),
            store_calls: median(&store_calls),
            peak_mb: *peak,
            ..cold(name, rounds)
        }
    });
    let mut all: Vec<Figures> = warm.collect();
    let names: Vec<_> = rounds.first().map(|round| round.cold.keys().copied().collect()).unwrap_or_default();
    all.extend(
        names.into_iter().filter(|name| peaks.iter().all(|(warm, _)| warm != name)).map(|name| cold(name, rounds)),
    );
    all
}

fn cold(name: &'static str, rounds: &[Round]) -> Figures {
    let starts: Vec<_> = rounds.iter().filter_map(|round| round.cold.get(name)).collect();
    Figures {
        name,
        cold_cpu_ms: median(&starts.iter().map(|start| start.cpu).collect::<Vec<_>>()),
        cold_first_ms: median(&starts.iter().map(|start| start.first).collect::<Vec<_>>()),
        peak_mb: median(&starts.iter().map(|start| start.memory).collect::<Vec<_>>()),
        ..Figures::default()
    }
}

impl Display for Report {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let Self { rounds, calls, seconds, date, architecture, .. } = self;
        writeln!(f, "{date}, all on one {architecture} processor: {rounds} rounds of {calls} calls in {seconds:.0} s")?;
        if self.unoptimised {
            writeln!(f, "built without optimisation: nothing here says anything")?;
        }
        writeln!(f)?;
        self.write_figures(f)?;
        writeln!(f)?;
        let mut rows = vec![["ratio", "median", "least", "most"].map(str::to_owned)];
        for RatioFigure { name, least, median, most } in &self.ratios {
            let [median, least, most] = [median, least, most].map(|value| format!("{value:.2}"));
            rows.push([(*name).to_owned(), median, least, most]);
        }
        table::write(f, &rows)?;
        if let Some(cost) = &self.cost {
            write!(f, "\n{cost}")?;
        }
        writeln!(f)?;
        let mut rows = vec![["goal", "bound", "figure", ""].map(str::to_owned)];
        for Goal { name, at_most, bound, figure, met } in &self.goals {
            let bound = format!("{} {bound}", if *at_most { "≤" } else { "≥" });
            let met = if *met { "met" } else { "missed" };
            rows.push([(*name).to_owned(), bound, format!("{figure:.2}"), met.to_owned()]);
        }
        for NotMeasured { name, reason } in &self.goals_not_measured {
            rows.push([(*name).to_owned(), String::new(), String::new(), format!("not measured: {reason}")]);
        }
        table::write(f, &rows)
    }
}

impl Report {
    fn write_figures(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let names = [
            "subject",
            "CPU µs",
            "p50 µs",
            "p90 µs",
            "p99 µs",
            "calls/s",
            "store calls",
            "cold CPU ms",
            "first answer ms",
            "peak MB",
        ];
        let mut rows = vec![names.map(str::to_owned)];
        for it in &self.figures {
            let number = |value: Option<f64>, digits| value.map_or(String::new(), |value| format!("{value:.digits$}"));
            rows.push([
                it.name.to_owned(),
                number(it.cpu_us, 1),
                number(it.p50_us, 0),
                number(it.p90_us, 0),
                number(it.p99_us, 0),
                number(it.per_second, 0),
                number(it.store_calls, 2),
                number(it.cold_cpu_ms, 2),
                number(it.cold_first_ms, 1),
                number(it.peak_mb, 1),
            ]);
        }
        table::write(f, &rows)
    }
}
