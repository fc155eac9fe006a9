//! `access.toml`: the scopes that exist, and which route needs which.

use std::collections::BTreeMap;

use serde::Deserialize;
use thiserror::Error;

use crate::scope::{Scope, ScopeSet};

/// The map of scopes and routes.
#[derive(Debug)]
pub struct Access {
    scopes: BTreeMap<String, String>,
    privileged: Vec<Scope>,
    routes: Vec<Route>,
}

/// One protected route and the scope that it needs.
#[derive(Debug, PartialEq, Eq)]
pub struct Route {
    /// An HTTP method in capitals.
    pub method: String,
    /// The path as API Gateway writes it: `/insights/v1/{proxy+}`.
    pub path: String,
    /// What a caller must hold.
    pub scope: Scope,
    segments: Vec<Segment>,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    Literal(String),
    Parameter,
    /// `{name+}`: one or more segments, at the end alone.
    Greedy,
}

/// What is wrong with an access file.
#[derive(Debug, Error)]
pub enum AccessError {
    /// Not TOML, or not of the file's form.
    #[error("not of the form of access.toml: {0}")]
    Form(#[from] toml::de::Error),
    /// The same of the file that is built in.
    #[error("not of the form of access.toml: {0}")]
    BuiltIn(#[from] serde_json::Error),
    /// A name that is no scope, or a wildcard, which can be held but not defined.
    #[error("`{0}` cannot be the name of a scope")]
    ScopeName(String),
    /// A route that can't be matched.
    #[error("`{0}` is not a route: {1}")]
    Route(String, &'static str),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    privileged: Vec<String>,
    scopes: BTreeMap<String, String>,
    #[serde(default)]
    routes: Vec<FileRoute>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileRoute {
    method: String,
    path: String,
    scope: String,
}

impl Access {
    /// The file that this build was made with.
    ///
    /// # Errors
    /// [`AccessError`] where the file is wrong; a function that can't read its routes refuses to start.
    pub fn built_in() -> Result<Self, AccessError> {
        // `build.rs` makes it of access.toml.
        Self::of(serde_json::from_str(include_str!(concat!(env!("OUT_DIR"), "/access.json")))?)
    }

    /// Reads an access file.
    ///
    /// # Errors
    /// [`AccessError`] for another form, a route on an undefined scope, or two routes that are the same.
    pub fn parse(text: &str) -> Result<Self, AccessError> {
        Self::of(toml::from_str(text)?)
    }

    fn of(file: File) -> Result<Self, AccessError> {
        for name in file.scopes.keys() {
            if Scope::parse(name).is_none_or(|scope| scope.wildcard_namespace().is_some()) {
                return Err(AccessError::ScopeName(name.clone()));
            }
        }
        let privileged = file.privileged.iter().map(|name| {
            let scope = Scope::parse(name).filter(|scope| file.scopes.contains_key(scope.as_str()));
            scope.ok_or_else(|| AccessError::ScopeName(name.clone()))
        });
        let privileged = privileged.collect::<Result<_, _>>()?;
        let mut access = Self { scopes: file.scopes, privileged, routes: Vec::new() };
        for route in file.routes {
            let name = format!("{} {}", route.method, route.path);
            let wrong = |why| AccessError::Route(name.clone(), why);
            if route.method.is_empty() || !route.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
                return Err(wrong("its method is not in capitals"));
            }
            let segments =
                template_segments(&route.path).ok_or_else(|| wrong("its path is not a gateway's template"))?;
            let scope = Scope::parse(&route.scope)
                .filter(|scope| access.scopes.contains_key(scope.as_str()))
                .ok_or_else(|| wrong("its scope is not in [scopes]"))?;
            if access.routes.iter().any(|other| other.method == route.method && other.segments == segments) {
                return Err(wrong("it stands there twice"));
            }
            access.routes.push(Route { method: route.method, path: route.path, scope, segments });
        }
        // The gateway prefers literals to parameters to greedy ones, segment by segment: so does the first match here.
        access.routes.sort_by(|one, other| one.segments.cmp(&other.segments));
        Ok(access)
    }

    /// Whether a key may hold `scope`: one that the file names, or a wildcard over a namespace in which it names some.
    #[must_use]
    pub fn knows(&self, scope: &Scope) -> bool {
        match scope.wildcard_namespace() {
            None => self.scopes.contains_key(scope.as_str()),
            Some(namespace) => {
                self.scopes.keys().any(|name| name.strip_prefix(namespace).is_some_and(|rest| rest.starts_with(':')))
            }
        }
    }

    /// The place (from 1) of the first of `scopes` that the file does not name. Not the scope itself: what nobody knows
    /// may be anything, a key in the wrong place too, and is not to be said back.
    #[must_use]
    pub fn first_unknown(&self, scopes: &ScopeSet) -> Option<usize> {
        scopes.iter().position(|scope| !self.knows(scope)).map(|place| place + 1)
    }

    /// The names of all scopes, in the alphabet's order.
    pub fn scope_names(&self) -> impl Iterator<Item = &str> {
        self.scopes.keys().map(String::as_str)
    }

    /// What a scope lets its holder do, in words.
    #[must_use]
    pub fn description(&self, scope: &Scope) -> Option<&str> {
        self.scopes.get(scope.as_str()).map(String::as_str)
    }

    /// Whether a scope is, or covers, one that an app that nobody vouches for can't have.
    #[must_use]
    pub fn is_privileged(&self, scope: &Scope) -> bool {
        self.privileged.iter().any(|privileged| scope.covers(privileged))
    }

    /// Those of `scopes` that an app that nobody vouches for may have; `None` where none is left.
    #[must_use]
    pub fn unprivileged(&self, scopes: &ScopeSet) -> Option<ScopeSet> {
        ScopeSet::new(scopes.iter().filter(|scope| !self.is_privileged(scope)).cloned())
    }

    /// The names of the scopes that every app may ask for, in the alphabet's order.
    pub fn unprivileged_names(&self) -> impl Iterator<Item = &str> {
        self.scope_names().filter(|name| Scope::parse(name).is_some_and(|scope| !self.is_privileged(&scope)))
    }

    /// All routes.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// The route that a call of `method` on `path` falls to; `None` where none does, and for every path that a
    /// gateway and the API behind it might read differently (empty or dot segments, encoded slashes or dots,
    /// backslashes).
    #[must_use]
    pub fn route(&self, method: &str, path: &str) -> Option<&Route> {
        let asked = path_segments(path)?;
        self.routes.iter().find(|route| route.method == method && matches(&route.segments, &asked))
    }
}

fn template_segments(path: &str) -> Option<Vec<Segment>> {
    let pieces: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
    let last = pieces.len() - 1;
    pieces
        .iter()
        .enumerate()
        .map(|(index, piece)| match piece.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) if name.ends_with('+') => (index == last).then_some(Segment::Greedy),
            Some(_) => Some(Segment::Parameter),
            // What no path can hold can't be asked for, and might be a wildcard in a policy.
            None if piece.contains(['{', '}', '*']) || path_segments(&format!("/{piece}")).is_none() => None,
            None => Some(Segment::Literal((*piece).to_owned())),
        })
        .collect()
}

fn path_segments(path: &str) -> Option<Vec<&str>> {
    let plain = path.bytes().all(|byte| byte > 0x20 && byte != 0x7f && !matches!(byte, b'\\' | b'?' | b'#'));
    let segments: Vec<&str> = path.strip_prefix('/').filter(|_| plain)?.split('/').collect();
    segments.iter().all(|segment| is_unambiguous(segment)).then_some(segments)
}

/// A segment that every party reads alike: not empty, no dot segment, no encoded slash, backslash, dot, percent,
/// semicolon or control character.
fn is_unambiguous(segment: &str) -> bool {
    let mut rest = segment;
    while let Some(at) = rest.find('%') {
        let code = rest.get(at + 1..at + 3).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        match code {
            None | Some(b'/' | b'\\' | b'.' | b'%' | b';' | 0..=0x1f | 0x7f) => return false,
            Some(_) => rest = &rest[at + 3..],
        }
    }
    // Some servers cut path parameters off, `..;x`, before they look for dots.
    !matches!(segment.split(';').next().unwrap_or_default(), "" | "." | "..")
}

fn matches(template: &[Segment], asked: &[&str]) -> bool {
    match (template, asked) {
        ([], []) | ([Segment::Greedy], [_, ..]) => true,
        ([Segment::Literal(name), template @ ..], [first, rest @ ..]) => name == first && matches(template, rest),
        ([Segment::Parameter, template @ ..], [_, rest @ ..]) => matches(template, rest),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn access() -> Access {
        Access::parse(
            r#"
            [scopes]
            "insights:read" = "read"
            admin = "all"
            read = "read"
            [[routes]]
            method = "GET"
            path = "/insights/v1/{proxy+}"
            scope = "insights:read"
            [[routes]]
            method = "GET"
            path = "/insights/v1/{id}/raw"
            scope = "admin"
            [[routes]]
            method = "GET"
            path = "/insights/v1/summary"
            scope = "read"
            "#,
        )
        .unwrap()
    }

    fn scope_of(method: &str, path: &str) -> Option<String> {
        access().route(method, path).map(|route| route.scope.to_string())
    }

    #[test]
    fn literals_beat_parameters_beat_greedy_ones() {
        assert_eq!(scope_of("GET", "/insights/v1/summary").as_deref(), Some("read"));
        assert_eq!(scope_of("GET", "/insights/v1/7/raw").as_deref(), Some("admin"));
        assert_eq!(scope_of("GET", "/insights/v1/7/raw/more").as_deref(), Some("insights:read"));
        assert_eq!(scope_of("GET", "/insights/v1/a%20b").as_deref(), Some("insights:read"));
        assert_eq!(scope_of("POST", "/insights/v1/summary"), None);
        assert_eq!(scope_of("get", "/insights/v1/summary"), None);
        assert_eq!(scope_of("GET", "/insights/v1"), None);
    }

    #[test]
    fn paths_that_could_be_read_in_two_ways_have_no_route() {
        for path in [
            "",
            "insights/v1/x",
            "/insights/v1/",
            "/insights//v1/x",
            "//insights/v1/x",
            "/insights/v1/x/",
            "/insights/v1/.",
            "/insights/v1/../v1/x",
            "/insights/v1/%2e%2e/x",
            "/insights/v1/a%2Fb",
            "/insights/v1/a%5cb",
            "/insights/v1/a\\b",
            "/insights/v1/%",
            "/insights/v1/%zz",
            "/insights/v1/%252e",
            "/insights/v1/a%00",
            "/insights/v1/..;/x",
            "/insights/v1/;x",
            "/insights/v1/..%3b/x",
            "/insights/v1/a b",
            "/insights/v1/a?b",
            "/insights/v1/%é",
        ] {
            assert_eq!(scope_of("GET", path), None, "{path}");
        }
    }

    #[test]
    fn a_wildcard_is_known_where_its_namespace_is() {
        let known = |text| access().knows(&Scope::parse(text).unwrap());
        assert!(known("insights:read") && known("insights:*") && known("admin"));
        assert!(!known("plans:*") && !known("insights:write") && !known("admin:*") && !known("insight:*"));
    }

    #[test]
    fn wrong_files_are_refused() {
        let route = |method: &str, path: &str, scope: &str| {
            format!(
                "[scopes]\nread = \"x\"\n[[routes]]\nmethod = \"{method}\"\npath = \"{path}\"\nscope = \"{scope}\"\n"
            )
        };
        assert!(Access::parse(&route("GET", "/x/{id}", "read")).is_ok());
        for bad in [
            route("get", "/x", "read"),
            route("GET", "x", "read"),
            route("GET", "/{rest+}/x", "read"),
            route("GET", "/x/", "read"),
            route("GET", "/x*", "read"),
            route("GET", "/x?", "read"),
            route("GET", "/x/../y", "read"),
            route("GET", "/x//y", "read"),
            route("GET", "/a%2fb", "read"),
            route("GET", "/x", "write"),
            "[scopes]\n\"a:*\" = \"x\"\n".to_owned(),
            "[scopes]\n\"a b\" = \"x\"\n".to_owned(),
            "[scopes]\n[surprise]\n".to_owned(),
            format!(
                "{}{}",
                route("GET", "/x/{a}", "read"),
                "[[routes]]\nmethod = \"GET\"\npath = \"/x/{b}\"\nscope = \"read\"\n"
            ),
        ] {
            assert!(Access::parse(&bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_shipped_file_is_right() {
        let shipped = Access::built_in().unwrap();
        assert_eq!(shipped.route("GET", "/insights/v1/pnl-summary").unwrap().scope.as_str(), "insights:read");
        assert!(shipped.knows(&Scope::parse("keys:manage").unwrap()));
    }
}
