//! Reads `template.yaml`, so that what runs on one machine is what the template says: functions
//! and their environment, routes, authorizers, gateway responses, tables.
//!
//! Only what this project's template uses of SAM is understood. What isn't is an [`Error`] where
//! it would change the meaning, and ignored where it wouldn't (encryption at rest, alarms).

mod api;
mod error;
mod expression;
mod function;
mod node;
mod table;
mod yaml;

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;

pub use api::{Authorizer, GatewayResponse, HeaderValue};
pub use error::Error;
pub use expression::{Expression, Values};
pub use function::{ApiRoute, Function, Method, kebab_case};
use node::Node;
pub use table::{Attribute, Index, KeyElement, Projection, Table};

/// A SAM template.
#[derive(Clone, Debug)]
pub struct Template {
    root: Value,
}

/// A parameter of the template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name.
    pub name: String,
    /// What it is where nobody says otherwise.
    pub default: Option<String>,
}

impl Template {
    /// Reads a file.
    ///
    /// # Errors
    ///
    /// The file can't be read, or isn't a template; see [`Template::parse`].
    pub fn load(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let text = std::fs::read_to_string(path).map_err(|source| Error::Read { path: path.to_owned(), source })?;
        Self::parse(&text)
    }

    /// Reads YAML.
    ///
    /// # Errors
    ///
    /// It isn't YAML, has no `Resources`, or has more than one REST API.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let template = Self { root: yaml::parse(text)? };
        template.node().need("Resources")?;
        template.api()?;
        if let Some(globals) = template.node().find(&["Globals", "Api"]) {
            return Err(globals.error("set it at the API itself"));
        }
        Ok(template)
    }

    /// The whole template in CloudFormation's JSON form, short tags written out.
    #[must_use]
    pub fn json(&self) -> &Value {
        &self.root
    }

    /// The parameters, in alphabetical order.
    ///
    /// # Errors
    ///
    /// `Parameters` isn't a mapping of mappings.
    pub fn parameters(&self) -> Result<Vec<Parameter>, Error> {
        let entries = Node::entries(self.node().get("Parameters"))?;
        Ok(entries
            .into_iter()
            .map(|(name, node)| Parameter {
                name: name.to_owned(),
                default: node.get("Default").and_then(|default| match default.value {
                    Value::String(text) => Some(text.clone()),
                    Value::Number(number) => Some(number.to_string()),
                    Value::Bool(flag) => Some(flag.to_string()),
                    _ => None,
                }),
            })
            .collect())
    }

    /// What is known before anything is deployed: every parameter is its default, and a table's
    /// `Ref` is its logical id, which is also the name under which
    /// [`Table::create_table_request`] creates it.
    ///
    /// # Errors
    ///
    /// As [`Template::parameters`] and [`Template::tables`].
    pub fn values(&self) -> Result<Values, Error> {
        let conditions: BTreeMap<_, _> = Node::entries(self.node().get("Conditions"))?
            .into_iter()
            .map(|(name, node)| (name.to_owned(), node.value.clone()))
            .collect();
        let mut values = Values::new(conditions);
        for parameter in self.parameters()? {
            if let Some(default) = parameter.default {
                values.set(parameter.name, default);
            }
        }
        for table in self.tables()? {
            values.set(table.logical_id.clone(), table.logical_id);
        }
        Ok(values)
    }

    /// The DynamoDB tables.
    ///
    /// # Errors
    ///
    /// A table without keys, or with ones of another shape than `CreateTable`'s.
    pub fn tables(&self) -> Result<Vec<Table>, Error> {
        self.resources("AWS::DynamoDB::Table")?
            .iter()
            .map(|(logical_id, resource)| Table::read(logical_id, resource))
            .collect()
    }

    /// The Lambda functions.
    ///
    /// # Errors
    ///
    /// A function or event without what each of them needs.
    pub fn functions(&self) -> Result<Vec<Function>, Error> {
        let globals = self.node().find(&["Globals", "Function"]);
        let default_authorizer =
            match self.api()?.and_then(|api| api.find(&["Properties", "Auth", "DefaultAuthorizer"])) {
                Some(node) => Some(node.text()?),
                None => None,
            };
        self.resources("AWS::Serverless::Function")?
            .iter()
            .map(|(logical_id, resource)| Function::read(logical_id, resource, globals.as_ref(), default_authorizer))
            .collect()
    }

    /// The REST API's authorizers.
    ///
    /// # Errors
    ///
    /// One that names no function of the template.
    pub fn authorizers(&self) -> Result<Vec<Authorizer>, Error> {
        match self.api()? {
            Some(api) => Authorizer::read_all(&api),
            None => Ok(Vec::new()),
        }
    }

    /// The name of the REST API's stage.
    ///
    /// # Errors
    ///
    /// There is no REST API, or its stage has no literal name.
    pub fn stage_name(&self) -> Result<String, Error> {
        let api = self.api()?.ok_or_else(|| self.node().error("there is no REST API"))?;
        Ok(api.need("Properties")?.need("StageName")?.text()?.to_owned())
    }

    /// The REST API's gateway responses by type, for example `UNAUTHORIZED`.
    ///
    /// # Errors
    ///
    /// A header or body that `values` can't resolve.
    pub fn gateway_responses(&self, values: &Values) -> Result<BTreeMap<String, GatewayResponse>, Error> {
        match self.api()? {
            Some(api) => GatewayResponse::read_all(&api, values),
            None => Ok(BTreeMap::new()),
        }
    }

    fn node(&self) -> Node<'_> {
        Node::root(&self.root)
    }

    fn api(&self) -> Result<Option<Node<'_>>, Error> {
        let mut apis = self.resources("AWS::Serverless::Api")?.into_iter();
        let first = apis.next().map(|(_, api)| api);
        match apis.next() {
            Some((_, second)) => Err(second.error("a second REST API")),
            None => Ok(first),
        }
    }

    fn resources(&self, kind: &str) -> Result<Vec<(&str, Node<'_>)>, Error> {
        let mut found = Vec::new();
        for (logical_id, resource) in Node::entries(self.node().get("Resources"))? {
            if resource.need("Type")?.text()? == kind {
                found.push((logical_id, resource));
            }
        }
        Ok(found)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use serde_json::json;

    use super::*;

    const FIXTURE: &str = include_str!("../tests/fixture.yaml");

    fn template() -> Template {
        Template::parse(FIXTURE).unwrap()
    }

    fn function(logical_id: &str) -> Function {
        let functions = template().functions().unwrap();
        functions.into_iter().find(|function| function.logical_id == logical_id).unwrap()
    }

    #[test]
    fn a_table_becomes_a_create_table_call() {
        let tables = template().tables().unwrap();
        assert_eq!(tables.len(), 2);
        let keys = tables.iter().find(|table| table.logical_id == "KeysTable").unwrap();
        assert_eq!(
            keys.create_table_request(),
            json!({
                "TableName": "KeysTable",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [
                    {"AttributeName": "pk", "KeyType": "HASH"},
                    {"AttributeName": "sk", "KeyType": "RANGE"},
                ],
                "AttributeDefinitions": [
                    {"AttributeName": "pk", "AttributeType": "S"},
                    {"AttributeName": "sk", "AttributeType": "S"},
                    {"AttributeName": "client_id", "AttributeType": "S"},
                ],
                "GlobalSecondaryIndexes": [{
                    "IndexName": "by_client",
                    "KeySchema": [{"AttributeName": "client_id", "KeyType": "HASH"}],
                    "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["name"]},
                }],
            })
        );
        assert_eq!(
            keys.time_to_live_request().unwrap(),
            json!({
                "TableName": "KeysTable",
                "TimeToLiveSpecification": {"AttributeName": "ttl", "Enabled": true},
            })
        );
        let plain = tables.iter().find(|table| table.logical_id == "PlainTable").unwrap();
        assert_eq!(plain.time_to_live_request(), None);
        assert_eq!(plain.create_table_request().get("GlobalSecondaryIndexes"), None);
    }

    #[test]
    fn functions_are_named_by_their_packages() {
        let names: Vec<_> = template().functions().unwrap().into_iter().map(|f| f.package).collect();
        assert_eq!(names, ["authorizer", "demo-api", "token-exchange"]);
    }

    #[test]
    fn environment_joins_globals_and_resolves_names() {
        let function = function("TokenExchange");
        let values = template().values().unwrap();
        let overridden = [("KEYGATE_MASTER_KEY", "local"), ("NOT_ASKED_FOR", "must not appear")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into();
        let environment = function.resolve_environment(&values, &overridden).unwrap();
        let expected = [
            ("KEYGATE_BASE_URL", "https://keys.example.com"),
            ("KEYGATE_MASTER_KEY", "local"),
            ("KEYGATE_TABLE_KEYS", "KeysTable"),
            ("RUST_LOG", "info"),
        ];
        assert_eq!(environment.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect::<Vec<_>>(), expected);
    }

    #[test]
    fn an_unresolvable_value_names_its_place() {
        let function = function("TokenExchange");
        let values = template().values().unwrap();
        let message = function.resolve_environment(&values, &BTreeMap::new()).unwrap_err().to_string();
        assert!(
            message.starts_with("Resources.TokenExchange.Properties.Environment.Variables.KEYGATE_MASTER_KEY"),
            "{message}"
        );
    }

    #[test]
    fn routes_carry_method_and_authorizer() {
        let route = |path: &str, method: Method, authorizer: Option<&str>| ApiRoute {
            path: path.to_owned(),
            method,
            authorizer: authorizer.map(str::to_owned),
        };
        assert_eq!(
            function("DemoApi").events,
            [route("/insights/v1/{proxy+}", Method::Exact("GET".to_owned()), Some("Keygate"))]
        );
        assert_eq!(function("TokenExchange").events, [route("/auth/token", Method::Any, None)]);
        assert!(function("TokenExchange").has_function_url);
        assert!(!function("DemoApi").has_function_url);
        assert_eq!(function("DemoApi").timeout_seconds, 10);
        assert_eq!(function("TokenExchange").timeout_seconds, 15);
    }

    #[test]
    fn a_schedule_is_a_rate() {
        let with = |schedule| Template::parse(&FIXTURE.replacen("rate(1 day)", schedule, 1)).unwrap();
        for (schedule, duration) in
            [("rate(1 day)", Duration::from_hours(24)), ("rate(5 minutes)", Duration::from_mins(5))]
        {
            let functions = with(schedule).functions().unwrap();
            let scheduled: Vec<_> = functions.iter().flat_map(|function| &function.schedules).collect();
            assert_eq!(scheduled, [&duration], "{schedule}");
        }
        for wrong in
            ["rate(0 minutes)", "rate(5)", "rate(5 weeks)", "rate(-1 hours)", "cron(0 12 * * ? *)", "5 minutes"]
        {
            let message = with(wrong).functions().unwrap_err().to_string();
            assert!(message.contains("Schedule: `rate("), "{wrong}: {message}");
        }
    }

    #[test]
    fn the_authorizer_says_how_long_answers_are_kept() {
        assert_eq!(
            template().authorizers().unwrap(),
            [Authorizer {
                name: "Keygate".to_owned(),
                function: "Authorizer".to_owned(),
                kind: "REQUEST".to_owned(),
                result_ttl_seconds: 0,
                identity_headers: Vec::new(),
            }]
        );
        let cached = FIXTURE.replace("ReauthorizeEvery: 0", "Headers: [Authorization]");
        let authorizers = Template::parse(&cached).unwrap().authorizers().unwrap();
        assert_eq!(authorizers[0].result_ttl_seconds, 300);
        assert_eq!(authorizers[0].identity_headers, ["Authorization"]);
    }

    #[test]
    fn the_stage_is_named() {
        assert_eq!(template().stage_name().unwrap(), "live");
    }

    #[test]
    fn gateway_responses_lose_their_quotes_and_keep_their_variables() {
        let responses = template().gateway_responses(&template().values().unwrap()).unwrap();
        let unauthorized = &responses["UNAUTHORIZED"];
        assert_eq!(unauthorized.status_code, Some(401));
        assert_eq!(
            unauthorized.headers["WWW-Authenticate"],
            HeaderValue::Static(r#"Bearer realm="keygate", resource_metadata="https://keys.example.com/x""#.to_owned())
        );
        assert_eq!(unauthorized.headers["Retry-After"], HeaderValue::Mapping("context.authorizer.retry".to_owned()));
        assert_eq!(unauthorized.body_templates["application/json"], r#"{"message":$context.error.messageString}"#);
        assert_eq!(responses["DEFAULT_4XX"].status_code, None);
    }

    #[test]
    fn a_default_parameter_can_be_replaced() {
        let mut values = template().values().unwrap();
        values.set("BaseUrl", "http://127.0.0.1:1");
        let responses = template().gateway_responses(&values).unwrap();
        let HeaderValue::Static(text) = &responses["UNAUTHORIZED"].headers["WWW-Authenticate"] else {
            panic!("not static");
        };
        assert!(text.contains("http://127.0.0.1:1/x"));
    }

    #[test]
    fn mistakes_say_where_they_are() {
        for (right, wrong, place) in [
            ("Resources:", "Resource:", ": `Resources` is missing"),
            ("KeyType: HASH", "KeyTipe: HASH", "Resources.KeysTable.Properties.KeySchema: "),
            ("Method: GET", "Methud: GET", "Resources.DemoApi.Properties.Events.Insights.Properties: "),
            (
                "FunctionArn: !GetAtt Authorizer.Arn",
                "FunctionArn: x",
                "Resources.Api.Properties.Auth.Authorizers.Keygate.FunctionArn: ",
            ),
            (
                "StatusCode: 401",
                "StatusCode: many",
                "Resources.Api.Properties.GatewayResponses.UNAUTHORIZED.StatusCode: ",
            ),
        ] {
            let text = FIXTURE.replacen(right, wrong, 1);
            assert_ne!(text, FIXTURE);
            let read = || -> Result<(), Error> {
                let template = Template::parse(&text)?;
                template.tables()?;
                template.functions()?;
                template.authorizers()?;
                template.gateway_responses(&template.values()?)?;
                Ok(())
            };
            let message = read().unwrap_err().to_string();
            assert!(message.starts_with(place), "{wrong}: {message}");
        }
    }

    #[test]
    fn the_projects_own_template_is_understood() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml");
        let template = Template::load(path).unwrap();
        let mut values = template.values().unwrap();
        values.set("BaseUrl", "http://127.0.0.1:1");
        assert!(!template.gateway_responses(&values).unwrap().is_empty());
        assert!(!template.tables().unwrap().is_empty());
        let overridden = [("KEYGATE_KMS_KEY_ID".to_owned(), "x".to_owned())].into();
        for function in template.functions().unwrap() {
            function.resolve_environment(&values, &overridden).unwrap();
        }
        let authorizers = template.authorizers().unwrap();
        for route in template.functions().unwrap().iter().flat_map(|function| &function.events) {
            let known = |name: &String| authorizers.iter().any(|authorizer| &authorizer.name == name);
            assert!(route.authorizer.as_ref().is_none_or(known), "{}", route.path);
        }
    }

    #[test]
    fn a_missing_file_is_named() {
        let message = Template::load("/nowhere/template.yaml").unwrap_err().to_string();
        assert!(message.contains("/nowhere/template.yaml"), "{message}");
    }
}
