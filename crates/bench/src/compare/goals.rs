//! The goals, and whether the figures meet them.

use serde::Serialize;

use crate::compare::ratios;
use crate::compare::report::{Figures, RatioFigure};
use crate::cost::Cost;
use crate::revocation;

/// A goal that the figures decide.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Goal {
    /// What it is.
    pub name: &'static str,
    /// Whether the figure must not pass the bound; it must reach it otherwise.
    pub at_most: bool,
    /// The bound.
    pub bound: f64,
    /// The figure.
    pub figure: f64,
    /// Whether it is met.
    pub met: bool,
}

/// A goal that this run says nothing of.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct NotMeasured {
    /// What it is.
    pub name: &'static str,
    /// Why.
    pub reason: &'static str,
}

/// What the goals are judged by.
pub(super) struct Evidence<'a> {
    pub(super) ratios: &'a [RatioFigure],
    pub(super) figures: &'a [Figures],
    pub(super) revocation: Option<&'a revocation::Report>,
    pub(super) cost: Option<&'a Cost>,
}

const LEFT_OUT: &str = "what it needs was left out of this run";

/// Judges all of them.
pub(super) fn judge(evidence: &Evidence<'_>) -> (Vec<Goal>, Vec<NotMeasured>) {
    let (mut goals, mut not_measured) = (
        Vec::new(),
        vec![
            NotMeasured {
                name: "store calls of each operation",
                reason: "counted by tests: `warm_and_fresh_an_authorization_costs_no_call`, `a_warm_exchange_is_one_strong_read`",
            },
            NotMeasured {
                name: "a revocation seen by idle, cold, frozen and thawed authorizers",
                reason: "proved by tests; here they are busy",
            },
            NotMeasured { name: "exchange with an exact count", reason: "no client can ask for one yet" },
        ],
    );
    let ratio = |name: &str| evidence.ratios.iter().find(|ratio| ratio.name == name).map(|ratio| ratio.median);
    let peak = |name: &str| evidence.figures.iter().find(|figures| figures.name == name)?.peak_mb;
    let memory = || Some(peak("Node, aws-jwt-verify")? / peak("authorizer, JWT ES256")?);
    let longest =
        evidence.revocation.map(|report| report.delays.iter().map(|delay| delay.max).fold(0.0, f64::max) / 1e3);
    let cost = |of: fn(&Cost) -> f64| evidence.cost.map(of);
    let (at_most, at_least) = (true, false);
    for (name, at_most, bound, figure) in [
        ("authorizer, JWT ES256, warm CPU / (echo + raw verify)", at_most, 1.2, ratio(ratios::BY_FLOOR[0])),
        ("authorizer, JWT EdDSA, warm CPU / (echo + raw verify)", at_most, 1.2, ratio(ratios::BY_FLOOR[1])),
        ("authorizer, JWT RS256, warm CPU / (echo + raw verify)", at_most, 1.2, ratio(ratios::BY_FLOOR[2])),
        ("authorizer, raw key, warm CPU / echo", at_most, 1.5, ratio(ratios::RAW_KEY)),
        ("authorizer, cold CPU before its first store read / echo", at_most, 1.5, ratio(ratios::COLD)),
        ("cold CPU with one store read over TLS / without", at_most, 2.5, ratio(ratios::COLD_READ)),
        (
            "aws-jwt-verify's warm CPU / the authorizer's, each token new to ours",
            at_least,
            4.0,
            ratio(ratios::NODE_NEW),
        ),
        ("aws-jwt-verify's warm CPU / the authorizer's, one token for both", at_least, 4.0, ratio(ratios::NODE_WARM)),
        ("aws-jwt-verify's cold CPU / the authorizer's", at_least, 25.0, ratio(ratios::NODE_COLD)),
        ("aws-jwt-verify's memory / the authorizer's", at_least, 6.0, memory()),
        ("exchange, warm CPU - (echo + GetItem + signature), µs", at_most, 40.0, ratio(ratios::EXCHANGE)),
        ("oidc-provider's CPU per token / the exchange's", at_least, 1.7, ratio(ratios::ISSUING)),
        ("revocation seen by every busy authorizer, s", at_most, 5.0, longest),
        ("jwks, warm CPU / echo", at_most, 1.2, ratio(ratios::JWKS)),
        ("dollars per million exchanges, hot keys", at_most, 0.75, cost(|cost| cost.exchange.hot)),
        ("dollars per million authorizations, hot keys", at_most, 0.30, cost(|cost| cost.authorization.hot)),
    ] {
        match figure.filter(|figure| figure.is_finite()) {
            Some(figure) => {
                let met = if at_most { figure <= bound } else { figure >= bound };
                goals.push(Goal { name, at_most, bound, figure, met });
            }
            None => not_measured.push(NotMeasured { name, reason: LEFT_OUT }),
        }
    }
    (goals, not_measured)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(ratios: &[RatioFigure]) -> (Vec<Goal>, Vec<NotMeasured>) {
        judge(&Evidence { ratios, figures: &[], revocation: None, cost: None })
    }

    #[test]
    fn a_figure_on_the_bound_meets_it_and_one_past_it_does_not() {
        let met = |name, figure| {
            judged(&[RatioFigure::new(name, &[figure])]).0.iter().map(|goal| goal.met).collect::<Vec<_>>()
        };
        assert_eq!(met(ratios::RAW_KEY, 1.5), [true]);
        assert_eq!(met(ratios::RAW_KEY, 1.501), [false]);
        assert_eq!(met(ratios::NODE_WARM, 4.0), [true]);
        assert_eq!(met(ratios::NODE_WARM, 3.999), [false]);
    }

    #[test]
    fn a_goal_without_a_figure_is_named_with_a_reason_and_never_met() {
        let (goals, not_measured) = judged(&[RatioFigure::new(ratios::JWKS, &[f64::NAN])]);
        assert_eq!(goals, []);
        assert_eq!(not_measured.len(), 19);
        assert!(not_measured.iter().all(|goal| !goal.reason.is_empty()));
    }
}
