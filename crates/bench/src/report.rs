//! What was measured, as a table and as JSON.

use std::fmt::{Display, Formatter};

use serde::Serialize;

use crate::measure::Batch;
use crate::statistics::{median, percentile};
use crate::table;

/// Two sides compared, operation by operation.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The command that made it.
    pub command: &'static str,
    /// What the two sides are, the one that the other is measured by first.
    pub sides: [String; 2],
    /// How many rounds there were.
    pub rounds: usize,
    /// How many calls of each kind a round made of each side.
    pub calls: usize,
    /// Whether it was built without optimisation: then ratios say something, and times don't.
    pub unoptimised: bool,
    /// What was compared.
    pub operations: Vec<Compared>,
}

/// One operation on both sides.
#[derive(Clone, Debug, Serialize)]
pub struct Compared {
    /// Its name.
    pub operation: &'static str,
    /// What each side cost.
    pub costs: [Cost; 2],
    /// The second side's cost by the first one's.
    pub ratio: Ratios,
}

/// What an operation cost on one side, in microseconds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    /// How many objects an answer held.
    pub answered: usize,
    /// CPU time of the function's process per call, the median of the rounds.
    pub function_cpu: f64,
    /// CPU time of the store's process per call, the median of the rounds.
    pub store_cpu: f64,
    /// How long a call took that half of them did not exceed.
    pub wall_p50: f64,
    /// How long a call took that 99 of 100 did not exceed.
    pub wall_p99: f64,
}

/// How many times the first side's cost the second one's is.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratios {
    /// By the CPU time of the function.
    pub function_cpu: Ratio,
    /// By that of the store.
    pub store_cpu: Ratio,
    /// By how long half of the calls took.
    pub wall_p50: Ratio,
}

/// The ratios of the rounds.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Ratio {
    /// The smallest.
    pub least: f64,
    /// The middle one: the one to quote.
    pub median: f64,
    /// The largest.
    pub most: f64,
}

impl Compared {
    /// Sums up the rounds of an operation: `answered` and what each round cost, for both sides.
    #[must_use]
    pub fn new(operation: &'static str, answered: [usize; 2], rounds: &[[Batch; 2]]) -> Self {
        let cost = |side: usize| {
            let each = |value: fn(&Batch) -> f64| rounds.iter().map(|round| value(&round[side])).collect::<Vec<_>>();
            let wall: Vec<f64> = rounds.iter().flat_map(|round| round[side].wall.iter().copied()).collect();
            Cost {
                answered: answered[side],
                function_cpu: median(&each(|batch| batch.function_cpu)).unwrap_or(f64::NAN),
                store_cpu: median(&each(|batch| batch.store_cpu)).unwrap_or(f64::NAN),
                wall_p50: percentile(&wall, 50).unwrap_or(f64::NAN),
                wall_p99: percentile(&wall, 99).unwrap_or(f64::NAN),
            }
        };
        let ratio = |value: fn(&Batch) -> f64| {
            Ratio::of(&rounds.iter().map(|[first, second]| value(second) / value(first)).collect::<Vec<_>>())
        };
        Self {
            operation,
            costs: [cost(0), cost(1)],
            ratio: Ratios {
                function_cpu: ratio(|batch| batch.function_cpu),
                store_cpu: ratio(|batch| batch.store_cpu),
                wall_p50: ratio(|batch| percentile(&batch.wall, 50).unwrap_or(f64::NAN)),
            },
        }
    }
}

impl Ratio {
    fn of(values: &[f64]) -> Self {
        let or_none = |value: Option<f64>| value.unwrap_or(f64::NAN);
        Self {
            least: or_none(values.iter().copied().reduce(f64::min)),
            median: or_none(median(values)),
            most: or_none(values.iter().copied().reduce(f64::max)),
        }
    }
}

impl Display for Ratio {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.least, self.most)
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
    /// A Markdown table, to be read as it is too.
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        let mut rows = vec![
            ["operation", "side", "answered", "function CPU µs", "store CPU µs", "p50 µs", "p99 µs"].map(str::to_owned),
        ];
        for Compared { operation, costs, ratio } in &self.operations {
            for (side, cost) in self.sides.iter().zip(costs) {
                let times = [cost.function_cpu, cost.store_cpu, cost.wall_p50, cost.wall_p99];
                let [function, store, p50, p99] = times.map(|time| format!("{time:.0}"));
                rows.push([
                    (*operation).to_owned(),
                    side.clone(),
                    cost.answered.to_string(),
                    function,
                    store,
                    p50,
                    p99,
                ]);
            }
            let [function, store, p50] = [ratio.function_cpu, ratio.store_cpu, ratio.wall_p50].map(|it| it.to_string());
            rows.push([String::new(), "ratio".to_owned(), String::new(), function, store, p50, String::new()]);
        }
        writeln!(f, "{} rounds of {} calls of each kind on each side", self.rounds, self.calls)?;
        if self.unoptimised {
            writeln!(f, "built without optimisation: read the ratios alone")?;
        }
        writeln!(f)?;
        table::write(f, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn batch(function_cpu: f64, store_cpu: f64, wall: &[f64]) -> Batch {
        Batch { function_cpu, store_cpu, wall: wall.to_vec() }
    }

    fn report() -> Report {
        // A ratio is of two batches of one round: the medians of the sides would give 3.00 where the rounds give 2.00.
        let rounds = [
            [batch(10.0, 100.0, &[1.0, 2.0, 3.0]), batch(20.0, 50.0, &[2.0, 4.0, 9.0])],
            [batch(10.0, 100.0, &[1.0, 2.0, 3.0]), batch(30.0, 150.0, &[2.0, 8.0, 9.0])],
            [batch(40.0, 200.0, &[1.0, 2.0, 3.0]), batch(40.0, 200.0, &[2.0, 2.0, 9.0])],
        ];
        Report {
            command: "test",
            sides: ["few".to_owned(), "many".to_owned()],
            rounds: 3,
            calls: 3,
            unoptimised: true,
            operations: vec![Compared::new("list", [10, 50], &rounds)],
        }
    }

    #[test]
    fn a_ratio_is_the_median_of_the_rounds_and_not_of_the_sides() {
        assert_eq!(
            report().to_string(),
            "\
3 rounds of 3 calls of each kind on each side
built without optimisation: read the ratios alone

| operation | side  | answered | function CPU µs     | store CPU µs        | p50 µs              | p99 µs |
|-----------|-------|----------|---------------------|---------------------|---------------------|--------|
| list      | few   | 10       | 10                  | 100                 | 2                   | 3      |
| list      | many  | 50       | 30                  | 150                 | 4                   | 9      |
|           | ratio |          | 2.00 (1.00 to 3.00) | 1.00 (0.50 to 1.50) | 2.00 (1.00 to 4.00) |        |
"
        );
    }

    #[test]
    fn as_json_it_is_one_line_with_the_same_numbers() {
        let line = report().json();
        assert!(!line.contains('\n'));
        let read: serde_json::Value = serde_json::from_str(&line).unwrap();
        let list = &read["operations"][0];
        assert_eq!((&read["command"], &list["operation"]), (&"test".into(), &"list".into()));
        assert_eq!(list["costs"][1]["function_cpu"], 30.0);
        assert_eq!(list["ratio"]["store_cpu"], serde_json::json!({"least": 0.5, "median": 1.0, "most": 1.5}));
    }
}
