//! IAM policies, as API Gateway reads them.

use domain::Route;
use serde::Serialize;

use crate::arn::MethodArn;

/// What a policy may measure, in bytes of JSON.
pub(crate) const LARGEST: usize = 8 * 1024;
/// What one of its resources may, in characters.
pub(crate) const LONGEST_RESOURCE: usize = 512;

/// An IAM policy.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct PolicyDocument {
    version: &'static str,
    statement: Vec<Statement>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
struct Statement {
    action: &'static str,
    effect: &'static str,
    resource: Resource,
}

#[derive(Debug, Serialize)]
#[serde(untagged)]
enum Resource {
    One(String),
    Several(Vec<String>),
}

impl PolicyDocument {
    fn new(statement: Vec<Statement>) -> Self {
        Self { version: "2012-10-17", statement }
    }

    /// Allows one route.
    #[must_use]
    pub fn allow(asked: &MethodArn, route: &Route) -> Self {
        Self::new(vec![Statement::new("Allow", Resource::One(asked.resource(route)))])
    }

    /// Denies one route; where none matched, all of the stage; and where nothing was asked that could be allowed, anything.
    pub(crate) fn deny(asked: Option<&MethodArn>, route: Option<&Route>) -> Self {
        let resource = match (asked, route) {
            (Some(arn), Some(route)) => arn.resource(route),
            (Some(arn), None) => arn.everything(),
            (None, _) => "*".to_owned(),
        };
        Self::new(vec![Statement::new("Deny", Resource::One(resource))])
    }

    /// Allows several and denies several, of which there may be none.
    pub(crate) fn of_several(allowed: Vec<String>, denied: Vec<String>) -> Self {
        let statements = [("Allow", allowed), ("Deny", denied)].into_iter();
        let statements = statements.filter(|(_, resources)| !resources.is_empty());
        Self::new(statements.map(|(effect, resources)| Statement::new(effect, Resource::Several(resources))).collect())
    }

    /// Whether API Gateway takes it.
    pub(crate) fn fits(&self) -> bool {
        let short = |resource: &String| resource.chars().count() <= LONGEST_RESOURCE;
        let resources_fit = self.statement.iter().all(|statement| match &statement.resource {
            Resource::One(resource) => short(resource),
            Resource::Several(resources) => resources.iter().all(short),
        });
        resources_fit && serde_json::to_vec(self).is_ok_and(|json| json.len() <= LARGEST)
    }
}

impl Statement {
    fn new(effect: &'static str, resource: Resource) -> Self {
        Self { action: "execute-api:Invoke", effect, resource }
    }
}
