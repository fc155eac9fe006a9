//! What was measured, as a table and as JSON.

use std::fmt::{Display, Formatter};
use std::time::Duration;

use serde::Serialize;

use crate::revocation::AUTHORIZERS;
use crate::revocation::caller::Tally;
use crate::statistics::percentile;
use crate::table;

/// How long revoked keys were let through still.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The command that made it.
    pub command: &'static str,
    /// How many authorizers were asked.
    pub authorizers: usize,
    /// How many keys were revoked.
    pub rounds: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// How many calls were let through.
    pub allowed: usize,
    /// How many were refused.
    pub refused: usize,
    /// Whether it was built without optimisation.
    pub unoptimised: bool,
    /// By each credential.
    pub delays: [Delay; 2],
}

/// How long one kind of credential was let through after its key's revocation, in milliseconds.
#[derive(Clone, Debug, Serialize)]
pub struct Delay {
    /// Which kind.
    pub credential: &'static str,
    /// How many were measured: each revocation at each authorizer.
    pub measured: usize,
    /// What half of them did not exceed.
    pub p50: f64,
    /// What 99 of 100 did not exceed.
    pub p99: f64,
    /// The longest.
    pub max: f64,
}

impl Report {
    pub(crate) fn new(rounds: usize, took: Duration, tally: &Tally) -> Self {
        let delay = |credential, delays: &[Duration]| {
            let milliseconds: Vec<f64> = delays.iter().map(|delay| delay.as_secs_f64() * 1000.0).collect();
            let at = |percent| percentile(&milliseconds, percent).unwrap_or(f64::NAN);
            Delay { credential, measured: delays.len(), p50: at(50), p99: at(99), max: at(100) }
        };
        let [token, key] = &tally.delays;
        Self {
            command: "revocation",
            authorizers: AUTHORIZERS,
            rounds,
            seconds: took.as_secs_f64(),
            allowed: tally.allowed,
            refused: tally.refused,
            unoptimised: cfg!(debug_assertions),
            delays: [delay("JWT", token), delay("raw key", key)],
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
        let Self { authorizers, rounds, seconds, allowed, refused, .. } = self;
        writeln!(f, "{rounds} keys revoked under {authorizers} authorizers in {seconds:.0} s")?;
        writeln!(f, "{} calls: {allowed} allowed, {refused} refused, none of them wrongly", allowed + refused)?;
        if self.unoptimised {
            writeln!(f, "built without optimisation")?;
        }
        writeln!(f)?;
        let mut rows = vec![["credential", "measured", "p50 ms", "p99 ms", "max ms"].map(str::to_owned)];
        for Delay { credential, measured, p50, p99, max } in &self.delays {
            let [p50, p99, max] = [p50, p99, max].map(|time| format!("{time:.0}"));
            rows.push([(*credential).to_owned(), measured.to_string(), p50, p99, max]);
        }
        table::write(f, &rows)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_are_in_milliseconds_by_credential() {
        let delays = |times: &[u64]| times.iter().copied().map(Duration::from_millis).collect::<Vec<_>>();
        let tally = Tally { allowed: 90, refused: 10, delays: [delays(&[30, 10, 20]), delays(&[4000, 1])] };
        let mut report = Report::new(3, Duration::from_secs(7), &tally);
        report.unoptimised = false;
        assert_eq!(
            report.to_string(),
            "\
3 keys revoked under 4 authorizers in 7 s
100 calls: 90 allowed, 10 refused, none of them wrongly

| credential | measured | p50 ms | p99 ms | max ms |
|------------|----------|--------|--------|--------|
| JWT        | 3        | 20     | 30     | 30     |
| raw key    | 2        | 1      | 4000   | 4000   |
"
        );
        assert!(report.json().contains(r#""credential":"raw key","measured":2,"p50":1.0,"#), "{}", report.json());
    }
}
