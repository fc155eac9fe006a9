//! Lambda functions: what they are called, what they are told, what calls them.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::Error;
use crate::expression::{Expression, Values};
use crate::node::Node;

/// A Lambda function of the template.
#[derive(Clone, Debug, PartialEq)]
pub struct Function {
    /// Its name in the template, for example `TokenExchange`.
    pub logical_id: String,
    /// The package and binary that it is built from, for example `token-exchange`.
    pub package: String,
    /// What it finds in its environment, the template's `Globals` included.
    pub environment: BTreeMap<String, Expression>,
    /// Whether it also answers at a URL of its own.
    pub has_function_url: bool,
    /// The routes of the REST API that lead to it, by their names in the template.
    pub events: Vec<ApiRoute>,
    /// How often `EventBridge` calls it, for each of its schedules.
    pub schedules: Vec<Duration>,
    /// After how many seconds Lambda stops it.
    pub timeout_seconds: u32,
}

/// A route of the REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiRoute {
    /// The resource's path, for example `/insights/v1/{proxy+}`.
    pub path: String,
    /// Which method it answers to.
    pub method: Method,
    /// The name of the authorizer that is asked first, if any.
    pub authorizer: Option<String>,
}

/// Which method a route answers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    /// All of them.
    Any,
    /// This one alone, in capitals.
    Exact(String),
}

impl Function {
    pub(crate) fn read(
        logical_id: &str,
        resource: &Node<'_>,
        globals: Option<&Node<'_>>,
        default_authorizer: Option<&str>,
    ) -> Result<Self, Error> {
        let properties = resource.need("Properties")?;
        let mut environment = BTreeMap::new();
        for source in [globals, Some(&properties)].into_iter().flatten() {
            for (name, value) in Node::entries(source.find(&["Environment", "Variables"]))? {
                environment.insert(name.to_owned(), Expression::of(&value));
            }
        }
        let timeout = properties.get("Timeout").or_else(|| globals.and_then(|globals| globals.get("Timeout")));
        let (mut events, mut schedules) = (Vec::new(), Vec::new());
        for (_, event) in Node::entries(properties.get("Events"))? {
            match event.need("Type")?.text()? {
                "Api" => events.push(ApiRoute::read(&event.need("Properties")?, default_authorizer)?),
                "Schedule" => schedules.push(rate(&event.need("Properties")?.need("Schedule")?)?),
                _ => {}
            }
        }
        Ok(Self {
            logical_id: logical_id.to_owned(),
            package: kebab_case(logical_id),
            environment,
            has_function_url: properties.get("FunctionUrlConfig").is_some(),
            events,
            schedules,
            timeout_seconds: timeout.map_or(Ok(3), |node| node.number())?,
        })
    }

    /// The environment as text. A name whose value resolves to nothing is left out, and so are
    /// those in `overridden`, which the caller sets itself.
    ///
    /// # Errors
    ///
    /// A value that `values` can't resolve.
    pub fn resolve_environment(
        &self,
        values: &Values,
        overridden: &BTreeMap<String, String>,
    ) -> Result<BTreeMap<String, String>, Error> {
        let mut resolved = BTreeMap::new();
        for (name, expression) in &self.environment {
            let value = match overridden.get(name) {
                Some(value) => Some(value.clone()),
                None => values.resolve(expression)?,
            };
            resolved.extend(value.map(|value| (name.clone(), value)));
        }
        Ok(resolved)
    }
}

impl ApiRoute {
    fn read(properties: &Node<'_>, default_authorizer: Option<&str>) -> Result<Self, Error> {
        let method = properties.need("Method")?.text()?.to_uppercase();
        let authorizer = match properties.find(&["Auth", "Authorizer"]) {
            Some(node) => Some(node.text()?),
            None => default_authorizer,
        };
        Ok(Self {
            path: properties.need("Path")?.text()?.to_owned(),
            method: match method.as_str() {
                "ANY" | "X-AMAZON-APIGATEWAY-ANY-METHOD" | "*" => Method::Any,
                _ => Method::Exact(method),
            },
            // SAM's word for a route that the default authorizer must not guard.
            authorizer: authorizer.filter(|name| *name != "NONE").map(str::to_owned),
        })
    }
}

/// `rate(1 hour)`, as `EventBridge` writes it. Its other form, `cron(…)`, is not used here.
fn rate(schedule: &Node<'_>) -> Result<Duration, Error> {
    let wrong = || schedule.error("`rate(<number> minutes|hours|days)` is expected");
    let inside = schedule.text()?.strip_prefix("rate(").and_then(|rest| rest.strip_suffix(')')).ok_or_else(wrong)?;
    let (number, unit) = inside.split_once(' ').ok_or_else(wrong)?;
    let number: u32 = number.parse().ok().filter(|number| *number > 0).ok_or_else(wrong)?;
    let unit = match unit.strip_suffix('s').unwrap_or(unit) {
        "minute" => Duration::from_mins(1),
        "hour" => Duration::from_hours(1),
        "day" => Duration::from_hours(24),
        _ => return Err(wrong()),
    };
    Ok(unit * number)
}

/// `TokenExchange` to `token-exchange`: logical ids may hold only letters and digits.
#[must_use]
pub fn kebab_case(logical_id: &str) -> String {
    let mut name = String::with_capacity(logical_id.len() + 4);
    for character in logical_id.chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}
