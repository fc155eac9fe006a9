//! From a path and a method to the route of the template, as API Gateway finds it.

use template::{ApiRoute, Method};

/// What `Method: ANY` stands for.
const ANY: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The routes of a REST API.
#[derive(Debug)]
pub struct Router {
    resources: Vec<Resource>,
}

/// A path of the API and what it answers to.
#[derive(Debug)]
struct Resource {
    path: String,
    segments: Vec<Segment>,
    methods: Vec<(Method, Target)>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Segment {
    // In the order in which they are preferred.
    Exact(String),
    Parameter(String),
    Rest(String),
}

/// Where a route leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// The function's package.
    pub function: String,
    /// The authorizer that is asked first, if any.
    pub authorizer: Option<String>,
}

/// A route that fits a request.
#[derive(Debug, PartialEq, Eq)]
pub struct Match<'a> {
    /// The route's path as the template writes it.
    pub resource: &'a str,
    /// Where it leads.
    pub target: &'a Target,
    /// What its `{names}` stand for, still percent-encoded, as API Gateway hands them on.
    pub parameters: Vec<(&'a str, String)>,
}

impl Router {
    /// Takes the routes with the package of the function that each leads to.
    #[must_use]
    pub fn new<'a>(routes: impl IntoIterator<Item = (&'a ApiRoute, &'a str)>) -> Self {
        let mut resources: Vec<Resource> = Vec::new();
        for (route, function) in routes {
            let target = Target { function: function.to_owned(), authorizer: route.authorizer.clone() };
            let entry = (route.method.clone(), target);
            match resources.iter_mut().find(|resource| resource.path == route.path) {
                Some(resource) => resource.methods.push(entry),
                None => resources.push(Resource {
                    path: route.path.clone(),
                    segments: segments(&route.path).map(Segment::parse).collect(),
                    methods: vec![entry],
                }),
            }
        }
        Self { resources }
    }

    /// Finds the route for a request. The path is chosen first, then the method: a path that fits better and lacks the
    /// method is no route, whatever else would fit.
    #[must_use]
    pub fn find(&self, method: &str, path: &str) -> Option<Match<'_>> {
        let asked: Vec<&str> = segments(path).collect();
        let fitting = self.resources.iter().filter(|resource| resource.parameters(&asked).is_some());
        let best = fitting.min_by_key(|resource| resource.rank())?;
        let exact = best.methods.iter().find(|(own, _)| *own == Method::Exact(method.to_owned()));
        let any = || best.methods.iter().find(|(own, _)| *own == Method::Any && ANY.contains(&method));
        let (_, target) = exact.or_else(any)?;
        Some(Match { resource: &best.path, target, parameters: best.parameters(&asked)? })
    }
}

/// Slashes at both ends don't count, those in between do.
fn segments(path: &str) -> impl Iterator<Item = &str> {
    path.trim_matches('/').split('/')
}

impl Segment {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
            Some(name) => match name.strip_suffix('+') {
                Some(name) => Self::Rest(name.to_owned()),
                None => Self::Parameter(name.to_owned()),
            },
            None => Self::Exact(text.to_owned()),
        }
    }
}

impl Resource {
    fn rank(&self) -> Vec<u8> {
        self.segments
            .iter()
            .map(|segment| match segment {
                Segment::Exact(_) => 0,
                Segment::Parameter(_) => 1,
                Segment::Rest(_) => 2,
            })
            .collect()
    }

    fn parameters(&self, asked: &[&str]) -> Option<Vec<(&str, String)>> {
        let mut parameters = Vec::new();
        for (position, segment) in self.segments.iter().enumerate() {
            match segment {
                Segment::Exact(text) if asked.get(position) == Some(&text.as_str()) => {}
                Segment::Exact(_) => return None,
                Segment::Parameter(name) => {
                    let value = asked.get(position).filter(|value| !value.is_empty())?;
                    parameters.push((name.as_str(), (*value).to_owned()));
                }
                Segment::Rest(name) => {
                    let rest = asked.get(position..)?.join("/");
                    if rest.is_empty() {
                        return None;
                    }
                    parameters.push((name.as_str(), rest));
                    return Some(parameters);
                }
            }
        }
        (asked.len() == self.segments.len()).then_some(parameters)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn router() -> Router {
        let route = |method: &str, path: &str| ApiRoute {
            path: path.to_owned(),
            method: if method == "ANY" { Method::Any } else { Method::Exact(method.to_owned()) },
            authorizer: None,
        };
        let routes = [
            (route("GET", "/insights/v1/{proxy+}"), "rest"),
            (route("GET", "/insights/v1/fixed"), "fixed"),
            (route("GET", "/insights/v1/{id}"), "one"),
            (route("GET", "/api/v1/users"), "list"),
            (route("POST", "/api/v1/users"), "create"),
            (route("ANY", "/auth/token"), "token"),
            (route("ANY", "/clients/{client_id}/api_keys/{key_id}"), "key"),
        ];
        Router::new(routes.iter().map(|(route, function)| (route, *function)))
    }

    fn found(method: &str, path: &str) -> Option<(String, Vec<(String, String)>)> {
        let router = router();
        let found = router.find(method, path)?;
        let parameters = found.parameters.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        Some((found.target.function.clone(), parameters))
    }

    #[test]
    fn the_closest_route_is_taken() {
        for (method, path, function, parameters) in [
            ("GET", "/insights/v1/fixed", "fixed", &[][..]),
            ("GET", "/insights/v1/other", "one", &[("id", "other")]),
            ("GET", "/insights/v1/a/b", "rest", &[("proxy", "a/b")]),
            ("GET", "/insights/v1/fixed/b", "rest", &[("proxy", "fixed/b")]),
            ("GET", "/api/v1/users", "list", &[]),
            ("POST", "/api/v1/users", "create", &[]),
            ("PATCH", "/auth/token", "token", &[]),
            ("GET", "/clients/cl_1/api_keys/ak_1", "key", &[("client_id", "cl_1"), ("key_id", "ak_1")]),
        ] {
            let (name, found) = found(method, path).unwrap_or_else(|| panic!("{path}"));
            assert_eq!(name, function, "{path}");
            assert_eq!(found.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>(), parameters, "{path}");
        }
    }

    #[test]
    fn slashes_at_the_ends_do_not_count_and_inner_ones_do() {
        assert_eq!(found("GET", "//api/v1/users/").unwrap().0, "list");
        assert_eq!(found("GET", "/insights/v1/a//b/").unwrap().1, [("proxy".to_owned(), "a//b".to_owned())]);
        assert_eq!(found("GET", "/api//v1/users"), None);
        assert_eq!(found("GET", "/clients//api_keys/ak_1"), None);
    }

    #[test]
    fn nothing_is_decoded_or_resolved_on_the_way() {
        let encoded = "/insights/v1/..%2f..%2fapi/v1/users";
        assert_eq!(found("GET", encoded).unwrap().1, [("proxy".to_owned(), "..%2f..%2fapi/v1/users".to_owned())]);
        assert_eq!(found("GET", "/insights/v1/../../api/v1/users").unwrap().0, "rest");
        assert_eq!(found("GET", "/api/v1/user%73"), None);
        assert_eq!(found("GET", "/API/v1/users"), None);
    }

    #[test]
    fn what_is_not_in_the_template_is_no_route() {
        for (method, path) in [
            ("GET", "/"),
            ("GET", "/insights/v1"),
            ("GET", "/insights/v1/"),
            ("POST", "/insights/v1/a/b"),
            ("POST", "/insights/v1/fixed"),
            ("DELETE", "/api/v1/users"),
            ("HEAD", "/api/v1/users"),
            ("get", "/api/v1/users"),
            ("GET", "/api/v1/users/1"),
            ("TRACE", "/auth/token"),
            ("PROPFIND", "/auth/token"),
        ] {
            assert_eq!(found(method, path), None, "{method} {path}");
        }
    }
}
