//! What is set against what. Each ratio, or difference, is made inside a round, and the report has the median of the rounds.

use crate::compare::report::RatioFigure;
use crate::compare::round::Round;
use crate::compare::{floor, ours};

/// The authorizer's tokens against the floor, by algorithm.
pub(super) const BY_FLOOR: [&str; 3] =
    ["JWT ES256 / (echo + verify)", "JWT EdDSA / (echo + verify)", "JWT RS256 / (echo + verify)"];
pub(super) const RAW_KEY: &str = "raw key / echo";
const KNOWN: &str = "JWT ES256 that is known / echo";
const OWN_ECHO: &str = "echo on our runtime / echo";
const AGENT: &str = "agent / echo";
pub(super) const JWKS: &str = "jwks / echo";
pub(super) const COLD: &str = "authorizer cold, before a store read / echo cold";
pub(super) const COLD_READ: &str = "jwks cold, one store read over TLS / none";
pub(super) const COLD_AUTHORIZER: &str = "authorizer cold, JWT over TLS / before a store read";
pub(super) const NODE_WARM: &str = "aws-jwt-verify / authorizer that knows the token";
pub(super) const NODE_NEW: &str = "aws-jwt-verify / authorizer, new tokens";
pub(super) const NODE_COLD: &str = "aws-jwt-verify / authorizer over TLS, cold";
pub(super) const EXCHANGE: &str = "exchange - (echo + GetItem) - signature, µs";
pub(super) const ISSUING: &str = "oidc-provider / exchange";

/// The authorizer that has one token as the peers have, and knows it after the first call; and the one that verifies as they do.
const AUTHORIZER: &str = ours::KNOWN;
const NEW: &str = "authorizer, JWT ES256";
const AUTHORIZER_TLS: &str = "authorizer, JWT ES256, TLS";
const BEFORE_READ: &str = "authorizer, before a store read";

type Of = fn(&Round) -> Option<f64>;

/// All of them, in the order of the report.
const ALL: [(&str, Of); 30] = [
    (BY_FLOOR[0], |round| by_floor(round, "authorizer, JWT ES256", "verify ES256")),
    (BY_FLOOR[1], |round| by_floor(round, "authorizer, JWT EdDSA", "verify EdDSA")),
    (BY_FLOOR[2], |round| by_floor(round, "authorizer, JWT RS256", "verify RS256")),
    ("JWT ES256 / echo that verifies", |round| warm(round, "authorizer, JWT ES256", floor::VERIFYING[0].0)),
    ("JWT EdDSA / echo that verifies", |round| warm(round, "authorizer, JWT EdDSA", floor::VERIFYING[1].0)),
    ("JWT RS256 / echo that verifies", |round| warm(round, "authorizer, JWT RS256", floor::VERIFYING[2].0)),
    (RAW_KEY, |round| warm(round, "authorizer, raw key", "echo")),
    (KNOWN, |round| warm(round, AUTHORIZER, "echo")),
    (OWN_ECHO, |round| warm(round, floor::OWN_ECHO, "echo")),
    ("raw key / echo on our runtime", |round| warm(round, "authorizer, raw key", floor::OWN_ECHO)),
    (AGENT, |round| warm(round, "authorizer, agent", "echo")),
    (JWKS, |round| warm(round, "jwks", "echo")),
    (EXCHANGE, |round| Some(round.cpu("token-exchange")? - round.cpu("echo + GetItem")? - round.cpu("sign ES256")?)),
    ("exchange - echo that reads and signs, µs", |round| {
        Some(round.cpu("token-exchange")? - round.cpu(floor::READING_AND_SIGNING)?)
    }),
    (COLD, |round| cold(round, BEFORE_READ, "echo")),
    (COLD_READ, |round| cold(round, "jwks, one store read, TLS", "jwks, no store read, TLS")),
    (COLD_AUTHORIZER, |round| cold(round, AUTHORIZER_TLS, BEFORE_READ)),
    (NODE_WARM, |round| warm(round, "Node, aws-jwt-verify", AUTHORIZER)),
    (NODE_NEW, |round| warm(round, "Node, aws-jwt-verify", NEW)),
    (NODE_COLD, |round| cold(round, "Node, aws-jwt-verify", AUTHORIZER_TLS)),
    ("jose / authorizer that knows the token", |round| warm(round, "Node, jose", AUTHORIZER)),
    ("jose / authorizer, new tokens", |round| warm(round, "Node, jose", NEW)),
    ("PyJWT / authorizer that knows the token", |round| warm(round, "Python, PyJWT", AUTHORIZER)),
    ("PyJWT / authorizer, new tokens", |round| warm(round, "Python, PyJWT", NEW)),
    ("PyJWT / authorizer over TLS, cold", |round| cold(round, "Python, PyJWT", AUTHORIZER_TLS)),
    ("jsonwebtoken / authorizer that knows the token", |round| warm(round, "Rust, jsonwebtoken", AUTHORIZER)),
    ("jsonwebtoken / authorizer, new tokens", |round| warm(round, "Rust, jsonwebtoken", NEW)),
    ("jsonwebtoken on one thread / authorizer, new tokens", |round| warm(round, "Rust, jsonwebtoken, one thread", NEW)),
    ("jsonwebtoken / authorizer over TLS, cold", |round| cold(round, "Rust, jsonwebtoken", AUTHORIZER_TLS)),
    (ISSUING, |round| warm(round, "oidc-provider", "token-exchange")),
];

/// Those that the rounds give; one whose subjects were left out is left out too.
pub(super) fn of(rounds: &[Round]) -> Vec<RatioFigure> {
    let figure = |(name, of): (&'static str, Of)| {
        let values: Vec<f64> = rounds.iter().filter_map(of).collect();
        (!values.is_empty()).then(|| RatioFigure::new(name, &values))
    };
    ALL.into_iter().filter_map(figure).collect()
}

fn warm(round: &Round, dividend: &str, divisor: &str) -> Option<f64> {
    Some(round.cpu(dividend)? / round.cpu(divisor)?)
}

fn cold(round: &Round, dividend: &str, divisor: &str) -> Option<f64> {
    Some(round.cold_cpu(dividend)? / round.cold_cpu(divisor)?)
}

fn by_floor(round: &Round, authorizer: &str, verify: &str) -> Option<f64> {
    Some(round.cpu(authorizer)? / (round.cpu("echo")? + round.cpu(verify)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::compare::warm::Batch;

    #[test]
    fn a_ratio_is_made_inside_a_round_and_left_out_where_a_subject_is() {
        let round = |echo: f64, key: f64| {
            let batch = |cpu| Batch { cpu, wall: vec![cpu], store_calls: None };
            let warm = [("echo", batch(echo)), ("authorizer, raw key", batch(key))];
            Round { warm: warm.into_iter().collect(), ..Round::default() }
        };
        // The medians of the sides would give 3.0.
        let figures = of(&[round(10.0, 20.0), round(10.0, 30.0), round(40.0, 40.0)]);
        assert_eq!(figures.len(), 1);
        assert_eq!((figures[0].name, figures[0].least, figures[0].median, figures[0].most), (RAW_KEY, 1.0, 2.0, 3.0));
    }
}
