//! Nothing reads a whole table: what is a `Scan` today is a bill and a time-out when there are more items.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::project;

/// What reads all of a table, or can be told to: the SDK's calls. `PartiQL` reads all wherever its condition names no key.
const CALLS: [&str; 4] = [".scan(", ".execute_statement(", ".batch_execute_statement(", ".execute_transaction("];

/// The actions of IAM that stand behind them.
const ACTIONS: [&str; 2] = ["scan", "partiql"];

/// Every text of a template that names an action of DynamoDB's, wherever it stands.
fn actions(value: &Value) -> Vec<&str> {
    match value {
        Value::String(text) if text.to_lowercase().starts_with("dynamodb:") => vec![text],
        // `*` is all of them.
        Value::Object(members) => members
            .iter()
            .flat_map(|(name, value)| {
                let is_all = (name == "Action" || name == "NotAction") && holds_wildcard(value);
                actions(value).into_iter().chain(is_all.then_some("dynamodb:*"))
            })
            .collect(),
        Value::Array(values) => values.iter().flat_map(actions).collect(),
        _ => Vec::new(),
    }
}

fn holds_wildcard(value: &Value) -> bool {
    match value {
        Value::String(text) => text == "*",
        Value::Array(values) => values.iter().any(holds_wildcard),
        _ => false,
    }
}

fn may_scan(action: &str) -> bool {
    let verb = action.to_lowercase().split_once(':').unwrap().1.to_owned();
    verb.contains(['*', '?']) || ACTIONS.iter().any(|name| verb.contains(name))
}

fn sources(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

#[test]
fn no_role_may_scan() {
    for action in ["dynamodb:Scan", "dynamodb:*", "dynamodb:S*", "dynamodb:PartiQLSelect"] {
        assert!(may_scan(action), "{action}");
    }
    let template = project::template();
    let granted = actions(&template.json()["Resources"]);
    // `dynamodb:LeadingKeys` is a condition's.
    assert!(granted.len() >= 20 && granted.contains(&"dynamodb:Query"), "{granted:?}");
    let scanning: Vec<&str> = granted.into_iter().filter(|action| may_scan(action)).collect();
    assert_eq!(scanning, Vec::<&str>::new());
    // SAM's own policy templates are given by name, and may hold what stands nowhere here.
    for function in template.functions().unwrap() {
        let policies = &template.json()["Resources"][&function.logical_id]["Properties"]["Policies"];
        for policy in policies.as_array().into_iter().flatten() {
            assert!(policy["Statement"].is_array(), "{}: {policy}", function.logical_id);
        }
    }
}

#[test]
fn no_source_calls_for_a_scan() {
    let crates = std::fs::read_dir(project::root().join("crates")).unwrap();
    let files: Vec<PathBuf> = crates.flat_map(|entry| sources(&entry.unwrap().path().join("src"))).collect();
    assert!(files.len() > 100, "{} files", files.len());
    let mut reading = 0;
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        // However it is broken into lines.
        let text: String = text.split_whitespace().collect();
        for call in CALLS {
            assert!(!text.contains(call), "{} calls `{call}`", file.display());
        }
        reading += text.matches(".query()").count();
    }
    assert!(reading > 0, "where the store is read would be found");
}
