//! The files that describe the system agree: crates, template.yaml, access.toml, events, README.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use domain::Access;
use serde_json::{Value, json};
use template::{ApiRoute, Function, Method};

use crate::project;

/// Crates with a binary that isn't deployed.
const TOOLS: [&str; 4] = ["audit-verify", "bench", "floor", "local"];

/// Who may do what with which table, and where in its partitions; the page "Tables, by who may
/// touch them", action by action.
const RIGHTS: [&str; 77] = [
    "accounts audit GetItem in CHAIN#*",
    "accounts audit PutItem in CHAIN#*, STREAM#*",
    "accounts audit UpdateItem in CHAIN#*",
    "accounts directory BatchGetItem in APP#*, GRANT#*",
    "accounts directory ConditionCheckItem in CLIENT#*",
    "accounts directory DeleteItem in APP#*, CLIENT#*, EMAIL#*, GRANTS#*, PASSWORD#*, WORKSPACE#*",
    "accounts directory GetItem in APP#*, CLIENT#*, GRANT#*, REPLAY#*",
    "accounts directory PutItem in APP#*, CLIENT#*, EMAIL#*, INVITE#*, REPLAY#*, WORKSPACE#*",
    "accounts directory Query in CLIENT#*, GRANTS#*, WORKSPACE#*",
    "accounts directory UpdateItem in APP#*, CLIENT#*, GRANT#*",
    "accounts keys GetItem",
    "accounts keys PutItem in FEED",
    "accounts keys Query in FEED, PATTERN",
    "accounts keys Query in REVOKED#*",
    "accounts keys UpdateItem in FEED",
    "accounts keys UpdateItem in KEY#*",
    "accounts keys/index/by_client Query",
    "accounts signing Query in PUBLIC",
    "authorize audit PutItem in STREAM#*",
    "authorize directory DeleteItem in SESSION#*, THROTTLE#*",
    "authorize directory GetItem in APP#*, CLIENT#*, EMAIL#*, KNOWN#*, PASSWORD#*, SESSION#*, THROTTLE#*",
    "authorize directory PutItem in APP#*, CODE#*, KNOWN#*, SESSION#*",
    "authorize directory UpdateItem in THROTTLE#*",
    "authorize keys GetItem in FEED",
    "authorize keys Query in FEED",
    "authorizer directory GetItem in APP#*, CLIENT#*, GRANT#*",
    "authorizer keys GetItem",
    "authorizer keys Query in FEED, PATTERN",
    "authorizer keys Query in REVOKED#*",
    "authorizer signing Query in PUBLIC",
    "authorizer usage UpdateItem",
    "jwks signing Query in PUBLIC",
    "key-management audit GetItem in CHAIN#*",
    "key-management audit PutItem in CHAIN#*, STREAM#*",
    "key-management audit UpdateItem in CHAIN#*",
    "key-management audit/index/by_client Query",
    "key-management directory GetItem in APP#*, CLIENT#*, GRANT#*, REPLAY#*",
    "key-management directory PutItem in REPLAY#*",
    "key-management keys BatchGetItem",
    "key-management keys GetItem",
    "key-management keys PutItem",
    "key-management keys Query in AGENTS#*, REVOKED#*",
    "key-management keys Query in FEED, PATTERN",
    "key-management keys UpdateItem",
    "key-management keys/index/by_client Query",
    "key-management signing Query in PUBLIC",
    "key-management usage BatchGetItem in USED#*",
    "key-management usage GetItem in USED#*",
    "token-exchange audit GetItem",
    "token-exchange audit PutItem",
    "token-exchange audit UpdateItem",
    "token-exchange directory DeleteItem in GRANTS#*, INVITE#*, THROTTLE#*",
    "token-exchange directory GetItem",
    "token-exchange directory PutItem",
    "token-exchange directory UpdateItem",
    "token-exchange keys GetItem",
    "token-exchange keys PutItem in AGENT#*, AGENTS#*, REVOKED#*",
    "token-exchange keys PutItem in FEED",
    "token-exchange keys Query in FEED, PATTERN",
    "token-exchange keys Query in REVOKED#*",
    "token-exchange keys UpdateItem in AGENTS#*, REVOKED#*",
    "token-exchange keys UpdateItem in FEED",
    "token-exchange kms Decrypt of signing-key",
    "token-exchange kms Encrypt of signing-key",
    "token-exchange signing GetItem",
    "token-exchange signing PutItem",
    "token-exchange usage UpdateItem",
    "upkeep audit GetItem in CHAIN#cl_0000000000000000",
    "upkeep audit PutItem in CHAIN#cl_0000000000000000",
    "upkeep audit UpdateItem in CHAIN#cl_0000000000000000",
    "upkeep keys GetItem in FEED",
    "upkeep keys PutItem in FEED",
    "upkeep keys UpdateItem in FEED",
    "upkeep kms Encrypt of signing-key",
    "upkeep signing DeleteItem in PUBLIC, PRIVATE",
    "upkeep signing GetItem in STATE",
    "upkeep signing PutItem",
];

#[test]
fn package_binary_resource_and_event_prefix_are_one_name() {
    let mut crates = project::metadata().binaries();
    crates.retain(|package, _| !TOOLS.contains(package));
    for (package, binaries) in &crates {
        assert_eq!(*binaries, [*package], "{package} has one binary of its own name");
    }
    let crates: BTreeSet<&str> = crates.into_keys().collect();
    let functions = functions();
    let resources: BTreeSet<&str> = functions.iter().map(|it| it.package.as_str()).collect();
    assert_eq!(crates, resources, "crates, and functions of template.yaml");

    for function in &functions {
        let resource = resource(&function.logical_id);
        assert_eq!(
            resource["Metadata"],
            json!({
                "BuildMethod": "rust-cargolambda",
                "BuildProperties": {"Binary": function.package},
                "checkov": resource["Metadata"]["checkov"],
            })
        );
        let folder = format!("crates/{}", function.package);
        assert_eq!(resource["Properties"]["CodeUri"], json!(folder));
        assert_eq!(project::metadata().folder(&function.package), project::root().join(folder).canonicalize().unwrap());
    }

    let mut prefixes = BTreeSet::new();
    for event in project::event_files() {
        let owner = resources
            .iter()
            .find(|name| event.starts_with(&format!("{name}-")))
            .unwrap_or_else(|| panic!("events/{event} begins with no function's name"));
        prefixes.insert(*owner);
    }
    assert_eq!(prefixes, resources, "functions with events, and functions");
}

#[test]
fn protected_routes_and_access_toml_name_the_same() {
    let access = Access::built_in().unwrap();
    let named: BTreeSet<(String, String)> =
        access.routes().iter().map(|route| (route.method.clone(), route.path.clone())).collect();
    let protected: BTreeSet<(String, String)> = routes()
        .into_iter()
        .filter(|(_, route)| route.authorizer.is_some())
        .map(|(_, route)| (exact(&route.method), route.path))
        .collect();
    assert_eq!(named, protected);
}

#[test]
fn every_protected_route_has_a_sample_event() {
    let events: Vec<Value> = project::event_files()
        .iter()
        .map(|name| serde_json::from_str(&project::read(&format!("events/{name}"))).unwrap())
        .collect();
    for (_, route) in routes() {
        let Some(_) = route.authorizer else { continue };
        assert!(
            events.iter().any(|event| {
                event["resource"] == json!(route.path)
                    && event["httpMethod"] == json!(exact(&route.method))
                    && event["requestContext"]["authorizer"].is_object()
            }),
            "{route:?}"
        );
    }
}

#[test]
fn an_open_route_leads_only_to_a_function_that_authenticates_itself() {
    for (function, route) in routes() {
        // A function URL has no authorizer either: who has one does the asking itself.
        assert_eq!(route.authorizer.is_none(), function.has_function_url, "{} at {}", function.package, route.path);
    }
    for name in ["authorizer", "demo-api"] {
        let function = functions().into_iter().find(|it| it.package == name).unwrap();
        assert!(!function.has_function_url, "{name}");
    }
}

/// A cached allow outlives the revocation of its key and skips counting, limits and
/// `allowed_ips`; SAM's default is 300 seconds.
#[test]
fn the_gateway_asks_the_authorizer_every_time() {
    let authorizers = project::template().authorizers().unwrap();
    assert_eq!(authorizers.len(), 1);
    let authorizer = &authorizers[0];
    assert_eq!(authorizer.function, "Authorizer");
    assert_eq!(authorizer.kind, "REQUEST");
    assert_eq!(authorizer.result_ttl_seconds, 0);

    let auth = &resource("Api")["Properties"]["Auth"];
    assert_eq!(auth["DefaultAuthorizer"], json!(authorizer.name));
    // Nothing beside it: no identity source of any kind.
    assert_eq!(auth["Authorizers"][&authorizer.name]["Identity"], json!({"ReauthorizeEvery": 0}));
    for (_, route) in routes() {
        assert!(route.authorizer.is_none_or(|name| name == authorizer.name), "{}", route.path);
    }
}

#[test]
fn the_authorizer_answers_before_api_gateway_gives_up() {
    let functions = functions();
    let authorizer = functions.iter().find(|function| function.package == "authorizer").unwrap();
    assert!((1..=10).contains(&authorizer.timeout_seconds));
}

/// What Lambda ends says nothing, and loses what it has counted.
#[test]
fn a_function_gives_up_before_lambda_does() {
    for function in functions() {
        let patience = match function.package.as_str() {
            "authorizer" => authorizer::PATIENCE,
            // Nobody waits for its answer.
            "upkeep" => continue,
            _ => edge::PATIENCE,
        };
        let limit = Duration::from_secs(function.timeout_seconds.into());
        assert!(patience + Duration::from_millis(500) <= limit, "{}: {limit:?}", function.package);
    }
}

#[test]
fn each_role_has_exactly_the_rights_of_the_table() {
    let granted: BTreeSet<String> = functions().iter().flat_map(rights).collect();
    let expected: BTreeSet<String> = RIGHTS.into_iter().map(str::to_owned).collect();
    assert_eq!(granted, expected);
}

/// A policy of its own resource could widen a role without standing at its function.
#[test]
fn no_rights_are_given_elsewhere() {
    let template = project::template();
    let resources = template.json()["Resources"].as_object().unwrap();
    let elsewhere: Vec<&str> = resources
        .iter()
        .filter(|(_, resource)| resource["Type"].as_str().unwrap().starts_with("AWS::IAM::"))
        .map(|(name, _)| name.as_str())
        .collect();
    assert_eq!(elsewhere, ["ApiGatewayLogRole"]);
}

#[test]
fn a_function_knows_the_names_of_the_tables_that_it_may_touch() {
    for function in functions() {
        let touched: BTreeSet<String> =
            rights(&function).iter().map(|right| right.split([' ', '/']).nth(1).unwrap().to_owned()).collect();
        let touched: BTreeSet<String> = touched.into_iter().filter(|touched| touched != "kms").collect();
        let told: BTreeSet<String> = function
            .environment
            .keys()
            .filter_map(|name| name.strip_prefix("KEYGATE_TABLE_"))
            .map(str::to_lowercase)
            .collect();
        assert_eq!(told, touched, "{}", function.package);
        for table in told {
            let name = format!("KEYGATE_TABLE_{}", table.to_uppercase());
            assert_eq!(*function.environment[&name].json(), json!({"Ref": table_id(&table)}));
        }
    }
}

#[test]
fn on_aws_kms_alone_wraps_signing_keys() {
    for function in functions() {
        assert!(!function.environment.contains_key("KEYGATE_MASTER_KEY"), "{}", function.package);
        let wraps = rights(&function).iter().any(|right| right.contains(" kms "));
        let told = function.environment.get("KEYGATE_KMS_KEY_ID").map(|id| id.json().clone());
        assert_eq!(told, wraps.then(|| json!({"Fn::GetAtt": ["SigningKmsKey", "Arn"]})), "{}", function.package);
    }
    let key = resource("SigningKmsKey");
    assert_eq!((&key["DeletionPolicy"], &key["UpdateReplacePolicy"]), (&json!("Retain"), &json!("Retain")));
    assert_eq!(key["Properties"]["EnableKeyRotation"], json!(true));
}

/// A function that nobody calls must be called by the time.
#[test]
fn upkeep_runs_every_hour_and_has_no_door() {
    let function = functions().into_iter().find(|it| it.package == "upkeep").unwrap();
    assert_eq!(function.schedules, [Duration::from_hours(1)]);
    assert!(function.events.is_empty() && !function.has_function_url);
}

#[test]
fn each_function_logs_to_a_group_of_its_own_that_ends() {
    let mut groups = BTreeSet::new();
    for function in functions() {
        let logging = &resource(&function.logical_id)["Properties"]["LoggingConfig"];
        assert_eq!(logging["LogFormat"], json!("JSON"));
        // Lambda's own lines of each call cost more than the call.
        assert_eq!(logging["SystemLogLevel"], json!("WARN"));
        let group = logging["LogGroup"]["Ref"].as_str().unwrap().to_owned();
        assert!(resource(&group)["Properties"]["RetentionInDays"].is_object(), "{group}");
        assert!(groups.insert(group), "{}", function.package);
    }
}

#[test]
fn every_table_is_kept_and_can_be_restored() {
    let tables = project::template().tables().unwrap();
    assert_eq!(tables.len(), 5);
    for table in tables {
        assert_eq!(table.ttl_attribute.as_deref(), Some("ttl"));
        assert_eq!(table.billing_mode, "PAY_PER_REQUEST");
        let resource = resource(&table.logical_id);
        assert_eq!(resource["DeletionPolicy"], json!("Retain"));
        assert_eq!(resource["UpdateReplacePolicy"], json!("Retain"));
        let properties = &resource["Properties"];
        assert_eq!(properties["DeletionProtectionEnabled"], json!(true));
        assert_eq!(properties["SSESpecification"], json!({"SSEEnabled": true}));
        assert_eq!(properties["PointInTimeRecoverySpecification"], json!({"PointInTimeRecoveryEnabled": true}));
    }
}

#[test]
fn a_gateway_response_says_its_own_status() {
    let responses = &resource("Api")["Properties"]["GatewayResponses"];
    let responses: &serde_json::Map<String, Value> = responses.as_object().unwrap();
    for required in ["UNAUTHORIZED", "ACCESS_DENIED", "DEFAULT_4XX", "DEFAULT_5XX"] {
        assert!(responses.contains_key(required), "{required}");
    }
    for (kind, response) in responses {
        let body = response["ResponseTemplates"]["application/json"].as_str().unwrap();
        let body: BTreeMap<String, Value> = serde_json::from_str(body).unwrap();
        assert_eq!(body["statusCode"], response["StatusCode"], "{kind}");
        assert_eq!(body.keys().collect::<Vec<_>>(), ["error", "message", "statusCode"], "{kind}");
    }
}

#[test]
fn the_readme_lists_every_function() {
    let readme = project::read("README.md");
    let listed: BTreeSet<&str> = readme
        .lines()
        .map(first_cell)
        .skip_while(|cell| !cell.is_some_and(|cell| cell.eq_ignore_ascii_case("function")))
        .skip(2) // the head and the line under it
        .map_while(|cell| cell)
        .map(|cell| cell.trim_matches('`'))
        .collect();
    let functions = functions();
    let functions: BTreeSet<&str> = functions.iter().map(|it| it.package.as_str()).collect();
    assert_eq!(listed, functions);
}

fn first_cell(line: &str) -> Option<&str> {
    let (cell, _) = line.trim().strip_prefix('|')?.split_once('|')?;
    Some(cell.trim())
}

fn functions() -> Vec<Function> {
    project::template().functions().unwrap()
}

fn routes() -> Vec<(Function, ApiRoute)> {
    functions()
        .into_iter()
        .flat_map(|function| {
            let routes = function.events.clone();
            routes.into_iter().map(move |route| (function.clone(), route))
        })
        .collect()
}

/// A protected route names its method: access.toml knows no "any".
fn exact(method: &Method) -> String {
    match method {
        Method::Exact(method) => method.clone(),
        Method::Any => "ANY".to_owned(),
    }
}

fn resource(logical_id: &str) -> Value {
    let template = project::template();
    let resource = &template.json()["Resources"][logical_id];
    assert!(resource.is_object(), "template.yaml has no {logical_id}");
    resource.clone()
}

fn table_id(name: &str) -> String {
    let (first, rest) = name.split_at(1);
    format!("{}{rest}Table", first.to_uppercase())
}

/// What a function's role allows, a line per action. Whatever is written in another way than
/// the template's own is an error: an unread statement could allow anything.
fn rights(function: &Function) -> Vec<String> {
    let properties = resource(&function.logical_id)["Properties"].clone();
    assert_eq!(properties["Role"], Value::Null, "a role that others may share");
    let mut rights = Vec::new();
    let policies = match &properties["Policies"] {
        Value::Null => Vec::new(),
        policies => policies.as_array().unwrap().clone(),
    };
    for policy in policies {
        for statement in policy["Statement"].as_array().unwrap() {
            let keys: BTreeSet<&str> = statement.as_object().unwrap().keys().map(String::as_str).collect();
            let known = BTreeSet::from(["Action", "Condition", "Effect", "Resource"]);
            assert!(keys.is_subset(&known), "{statement}");
            assert_eq!(statement["Effect"], json!("Allow"));
            if statement["Resource"] == json!({"Fn::GetAtt": ["SigningKmsKey", "Arn"]}) {
                rights.extend(kms_rights(function, statement));
                continue;
            }
            let place = place(&statement["Resource"]);
            let partition = match statement.get("Condition") {
                None => String::new(),
                Some(condition) => format!(" in {}", partition(condition)),
            };
            for action in list(&statement["Action"]) {
                let action = action.as_str().unwrap().strip_prefix("dynamodb:").unwrap();
                rights.push(format!("{} {place} {action}{partition}", function.package));
            }
        }
    }
    rights
}

/// What a role may do with the key that wraps signing keys: for that purpose alone, with nothing else in the context.
fn kms_rights(function: &Function, statement: &Value) -> Vec<String> {
    let purpose = &statement["Condition"]["StringEquals"]["kms:EncryptionContext:purpose"];
    let condition = json!({
        "StringEquals": {"kms:EncryptionContext:purpose": purpose},
        "ForAllValues:StringEquals": {"kms:EncryptionContextKeys": ["purpose", "algorithm", "kid"]},
    });
    assert_eq!(statement["Condition"], condition);
    let actions = list(&statement["Action"]);
    let action = |action: &Value| action.as_str().unwrap().strip_prefix("kms:").unwrap().to_owned();
    actions
        .iter()
        .map(|it| format!("{} kms {} of {}", function.package, action(it), purpose.as_str().unwrap()))
        .collect()
}

/// `keys` for `!GetAtt KeysTable.Arn`, `keys/index/by_client` for that index of it.
fn place(resource: &Value) -> String {
    let arn = match (&resource["Fn::GetAtt"], &resource["Fn::Sub"]) {
        (Value::Array(parts), Value::Null) => {
            assert_eq!(parts[1], json!("Arn"));
            format!("${{{}.Arn}}", parts[0].as_str().unwrap())
        }
        (Value::Null, Value::String(text)) => text.clone(),
        _ => panic!("{resource}"),
    };
    let (table, below) =
        arn.strip_prefix("${").and_then(|rest| rest.split_once("Table.Arn}")).unwrap_or_else(|| panic!("{resource}"));
    assert!(!below.contains('*'), "{resource}");
    format!("{}{below}", table.to_lowercase())
}

fn partition(condition: &Value) -> String {
    let (operator, key) = ["ForAllValues:StringEquals", "ForAllValues:StringLike"]
        .into_iter()
        .find_map(|operator| Some((operator, condition.get(operator)?.get("dynamodb:LeadingKeys")?)))
        .unwrap_or_else(|| panic!("{condition}"));
    assert_eq!(*condition, json!({ operator: {"dynamodb:LeadingKeys": key} }));
    let partitions: Vec<String> = list(key).iter().map(|key| key.as_str().unwrap().to_owned()).collect();
    assert!(!partitions.is_empty());
    for partition in &partitions {
        assert_eq!(partition.contains(['*', '?']), operator.ends_with("Like"), "{condition}");
    }
    partitions.join(", ")
}

fn list(value: &Value) -> Vec<Value> {
    match value {
        Value::Array(values) => values.clone(),
        one => vec![one.clone()],
    }
}
