//! One policy for all that a credential may do, for gateways that keep answers.
//!
//! A gateway that keeps a policy asks it of every later call with the same credential, whatever the route. So it allows
//! each route that the scopes open, and its Deny takes away again what IAM's wildcards match beyond them:
//!
//! 1. `*` crosses slashes: `/users/*` is denied `/users/*/*`.
//! 2. A route that is not open, and that access.toml prefers to one that is: it stands in the Deny itself.
//! 3. Paths that can be read in two ways, which access.toml gives to no route.
//!
//! A policy is never wider than access.toml. Where patterns can't say exactly what access.toml says, the function does not
//! start. In one thing it is narrower: a path with a percent sign is denied where wildcards are. A pattern can't say "a
//! percent sign without its two digits", and to name every such pair takes more than half of a policy.

use domain::{Access, Route, Scope};
use thiserror::Error;

use crate::arn::MethodArn;
use crate::pattern::Pattern;
use crate::policy::{LARGEST, LONGEST_RESOURCE, PolicyDocument};

/// As long as the part before the method mostly is at most: the longest names of a partition and a region, and 16 characters
/// for the stage. What is longer is seen when the first call comes.
const LONG_BASE: &str = "arn:aws-us-gov:execute-api:ap-southeast-1:123456789012:abcdefghij/0123456789abcdef";

/// Behind any method: paths that no route matches, and a wildcard does.
const TWO_MEANINGS: [&str; 12] = [
    "*//*", "*/", "*/./*", "*/.", "*/../*", "*/..", "*/.;*", "*/..;*", "*/;*", // empty and dot segments
    "*%*", "*\\*", "*#*",
];

/// Why no policy can say what access.toml says.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unsayable {
    /// Patterns of both would match the same path.
    #[error("no policy can name `{0}` and `{1}` apart: IAM's `*` crosses slashes")]
    Overlap(String, String),
    /// A percent sign in a path is denied, since two readers may each read it another way.
    #[error("no policy can allow `{0}`: a kept policy denies every percent sign")]
    Percent(String),
    /// It is larger than API Gateway takes.
    #[error(
        "the policy of a credential that may do everything is larger than API Gateway takes ({LARGEST} bytes, and {LONGEST_RESOURCE} characters a resource)"
    )]
    TooLarge,
}

/// Makes such policies. That it is there says that access.toml can be said so.
#[derive(Debug)]
pub struct WholePolicies(Vec<Said>);

/// A route as policies say it.
#[derive(Debug)]
struct Said {
    scope: Scope,
    /// Method and path, with wildcards for parameters.
    pattern: String,
    /// The same, with a parameter that crosses a slash.
    crossings: Vec<String>,
    wide: bool,
    /// The routes, by their places, that would get some of its calls if it did not stand there.
    behind: Vec<usize>,
}

impl WholePolicies {
    /// Looks whether every policy that `access` can lead to is exact and fits.
    ///
    /// # Errors
    /// [`Unsayable`]: the function must not start.
    pub fn new(access: &Access) -> Result<Self, Unsayable> {
        // In the order in which access.toml prefers them.
        let routes: Vec<Ranked<'_>> = access.routes().iter().map(Ranked::new).collect();
        for one in &routes {
            if one.route.path.contains('%') {
                return Err(Unsayable::Percent(one.name()));
            }
            for other in routes.iter().filter(|other| other.route.method == one.route.method) {
                if one.pattern.crossings().iter().any(|crossing| crossing.meets(&other.pattern)) {
                    return Err(Unsayable::Overlap(one.name(), other.name()));
                }
            }
        }
        for (place, denied) in routes.iter().enumerate() {
            let both = |other: &&Ranked<'_>| denied.shares_a_path(other) && denied.route.scope != other.route.scope;
            let before = routes[..place].iter().find(both);
            // To deny it only for what it takes from a later one would take from an earlier one too.
            if let (Some(before), true) = (before, routes[place..].iter().any(|after| both(&after))) {
                return Err(Unsayable::Overlap(before.name(), denied.name()));
            }
        }
        let said = routes.iter().enumerate().map(|(place, ranked)| {
            let behind = (place + 1..routes.len()).filter(|after| ranked.shares_a_path(&routes[*after]));
            ranked.said(behind.collect())
        });
        let policies = Self(said.collect());
        // Whoever may do everything has the largest: each route stands in it, with all that its wildcards need.
        let fits = policies.naming(LONG_BASE, |_| true).is_none_or(|document| document.fits());
        if fits { Ok(policies) } else { Err(Unsayable::TooLarge) }
    }

    /// The policy of whoever holds what `covers` says; `None` where that opens no route, or where a stage's long name makes
    /// it too large.
    #[must_use]
    pub fn document(&self, asked: &MethodArn, covers: impl Fn(&Scope) -> bool) -> Option<PolicyDocument> {
        let document = self.naming(asked.base(), covers)?;
        if !document.fits() {
            tracing::error!(
                "the policy is larger than API Gateway takes, and denies everything: the stage's name is long"
            );
            return None;
        }
        Some(document)
    }

    fn naming(&self, base: &str, covers: impl Fn(&Scope) -> bool) -> Option<PolicyDocument> {
        let open: Vec<bool> = self.0.iter().map(|said| covers(&said.scope)).collect();
        let named = |pattern: &str| format!("{base}/{pattern}");
        let (mut allowed, mut denied, mut wide) = (Vec::new(), Vec::new(), false);
        for (said, is_open) in self.0.iter().zip(&open) {
            if *is_open {
                allowed.push(named(&said.pattern));
                denied.extend(said.crossings.iter().map(|crossing| named(crossing)));
                wide |= said.wide;
            } else if said.behind.iter().any(|after| open[*after]) {
                denied.push(named(&said.pattern));
            }
        }
        if wide {
            denied.extend(TWO_MEANINGS.map(named));
        }
        (!allowed.is_empty()).then(|| PolicyDocument::of_several(allowed, denied))
    }
}

struct Ranked<'a> {
    route: &'a Route,
    pattern: Pattern<'a>,
}

impl<'a> Ranked<'a> {
    fn new(route: &'a Route) -> Self {
        Self { route, pattern: Pattern::of_template(&route.path) }
    }

    fn name(&self) -> String {
        format!("{} {}", self.route.method, self.route.path)
    }

    fn shares_a_path(&self, other: &Self) -> bool {
        self.route.method == other.route.method && self.pattern.meets(&other.pattern)
    }

    fn said(&self, behind: Vec<usize>) -> Said {
        let of_method = |pattern: &Pattern<'_>| format!("{}{pattern}", self.route.method);
        Said {
            scope: self.route.scope.clone(),
            pattern: of_method(&self.pattern),
            crossings: self.pattern.crossings().iter().map(of_method).collect(),
            wide: self.pattern.is_wide(),
            behind,
        }
    }
}
