//! Every sample event has the keys and types of AWS's own sample of its kind, as
//! `events/fixtures.toml` says. An event of an invented shape would prove nothing.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::project;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fixtures {
    maps: BTreeSet<String>,
    nullable: BTreeSet<String>,
    events: BTreeMap<String, String>,
    /// Events of this project's own shapes, with the reason.
    own: BTreeMap<String, String>,
    added: Vec<Added>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Added {
    event: String,
    path: String,
    #[serde(rename = "type")]
    kind: String,
    reason: String,
}

fn fixtures() -> Fixtures {
    toml::from_str(&project::read("events/fixtures.toml")).unwrap()
}

#[test]
fn every_event_has_a_sample_and_every_sample_an_event() {
    let fixtures = fixtures();
    assert!(fixtures.own.values().all(|reason| !reason.is_empty()));
    let mut named: Vec<String> = fixtures.events.into_keys().chain(fixtures.own.into_keys()).collect();
    named.sort();
    assert_eq!(project::event_files(), named);
}

#[test]
fn every_event_has_the_keys_and_types_of_its_sample() {
    let fixtures = fixtures();
    let mut differences = Vec::new();
    for (event, fixture) in &fixtures.events {
        let (package, path) = fixture.split_once('/').unwrap();
        let path = project::metadata().folder(package).join(path);
        let fixture = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let comparison = Comparison::new(&fixtures, event);
        let event_json = serde_json::from_str(&project::read(&format!("events/{event}"))).unwrap();
        differences.extend(
            comparison
                .differences(&event_json, &serde_json::from_str(&fixture).unwrap())
                .into_iter()
                .map(|difference| format!("{event}: {difference}")),
        );
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

#[test]
fn an_added_key_says_why() {
    for added in fixtures().added {
        assert!(!added.reason.is_empty(), "{} in {}", added.path, added.event);
    }
}

/// A free map excuses its keys only, `nullable` only null: otherwise any event would pass.
#[test]
fn each_kind_of_difference_is_found() {
    let fixtures = Fixtures {
        maps: ["headers", "many", "none"].map(str::to_owned).into(),
        nullable: ["none"].map(str::to_owned).into(),
        events: BTreeMap::new(),
        own: BTreeMap::new(),
        added: vec![Added {
            event: "event".to_owned(),
            path: "extra".to_owned(),
            kind: "string".to_owned(),
            reason: "so".to_owned(),
        }],
    };
    let fixture = json!({
        "text": "a", "inner": {"number": 1}, "list": [{"a": 1}], "headers": {"A": "b", "C": 1}, "many": {"A": ["b"]},
        "none": null,
    });
    let like = json!({
        "text": "x", "inner": {"number": 9}, "list": [{"a": 2}, {"a": 3}], "headers": {"Z": "y", "X": 2},
        "many": {"Z": ["y", "x"]}, "none": {"k": "v"}, "extra": "e",
    });
    let compare = |event: &Value| Comparison::new(&fixtures, "event").differences(event, &fixture);
    assert_eq!(compare(&like), Vec::<String>::new());

    let changes = [
        ("/text", json!(1)),
        ("/text", json!(null)),
        ("/inner", json!({})),
        ("/inner", json!({"number": 1, "other": 2})),
        ("/inner", json!({"number": "1"})),
        ("/inner", json!([])),
        ("/list", json!([{"a": "2"}])),
        ("/list", json!([{"a": 2}, {}])),
        ("/headers", json!({"Z": true})),
        ("/headers", json!({"Z": ["y"]})),
        ("/headers", json!(null)),
        ("/many", json!({"Z": "y"})),
        ("/many", json!({"Z": [1]})),
        ("/none", json!("text")),
        ("/none", json!({"k": 1})),
        ("/extra", json!(1)),
    ];
    for (pointer, value) in changes {
        let mut event = like.clone();
        *event.pointer_mut(pointer).unwrap() = value;
        assert_eq!(compare(&event).len(), 1, "{event}");
    }
    let mut unknown = like.clone();
    unknown["unknown"] = json!("a");
    assert_eq!(compare(&unknown), ["unknown: not in the sample"]);
    let mut missing = like;
    missing.as_object_mut().unwrap().remove("text");
    assert_eq!(compare(&missing), ["text: missing"]);
}

/// What may differ for one event.
struct Comparison<'a> {
    maps: &'a BTreeSet<String>,
    nullable: &'a BTreeSet<String>,
    added: BTreeMap<&'a str, &'a str>,
}

impl<'a> Comparison<'a> {
    fn new(fixtures: &'a Fixtures, event: &str) -> Self {
        Self {
            maps: &fixtures.maps,
            nullable: &fixtures.nullable,
            added: fixtures
                .added
                .iter()
                .filter(|added| added.event == event)
                .map(|added| (added.path.as_str(), added.kind.as_str()))
                .collect(),
        }
    }

    fn differences(&self, event: &Value, fixture: &Value) -> Vec<String> {
        let mut found = Vec::new();
        self.compare("", event, fixture, &mut found);
        found
    }

    fn compare(&self, path: &str, event: &Value, fixture: &Value, found: &mut Vec<String>) {
        let is_map = self.maps.contains(path);
        match (event, fixture) {
            (Value::Null, _) if self.nullable.contains(path) => {}
            (Value::Object(event), Value::Null) if is_map && self.nullable.contains(path) => {
                compare_map(path, event, &Map::new(), found);
            }
            // The one nullable value that is no map.
            (Value::String(_), Value::Null) if !is_map && self.nullable.contains(path) => {}
            (Value::Object(event), Value::Object(fixture)) if is_map => {
                compare_map(path, event, fixture, found);
            }
            (Value::Object(event), Value::Object(fixture)) => {
                self.compare_objects(path, event, fixture, found);
            }
            (Value::Array(event), Value::Array(fixture)) => {
                for (index, element) in event.iter().enumerate() {
                    match fixture.first() {
                        Some(first) => {
                            self.compare(&format!("{path}[{index}]"), element, first, found);
                        }
                        None => found.push(format!("{path}[{index}]: not in the sample")),
                    }
                }
            }
            _ if kind(event) == kind(fixture) => {}
            _ => found.push(format!("{path}: {}, where the sample has {}", kind(event), kind(fixture))),
        }
    }

    fn compare_objects(
        &self,
        path: &str,
        event: &Map<String, Value>,
        fixture: &Map<String, Value>,
        found: &mut Vec<String>,
    ) {
        let inside = |key: &str| match path {
            "" => key.to_owned(),
            _ => format!("{path}.{key}"),
        };
        for (key, value) in event {
            let path = inside(key);
            match (fixture.get(key), self.added.get(path.as_str())) {
                (Some(fixture), _) => self.compare(&path, value, fixture, found),
                (None, Some(added)) if *added == kind(value) => {}
                (None, _) => found.push(format!("{path}: not in the sample")),
            }
        }
        for key in fixture.keys().filter(|key| !event.contains_key(*key)) {
            found.push(format!("{}: missing", inside(key)));
        }
    }
}

/// Compares the values alone; where the sample's map is empty, they are text, or lists of it in
/// a map of several values per name.
fn compare_map(path: &str, event: &Map<String, Value>, fixture: &Map<String, Value>, found: &mut Vec<String>) {
    let mut allowed: BTreeSet<&str> = fixture.values().map(map_value_kind).collect();
    if allowed.is_empty() {
        allowed.insert(if path.starts_with("multiValue") { "array of strings" } else { "string" });
    }
    for (key, value) in event {
        let kind = map_value_kind(value);
        if !allowed.contains(kind) {
            found.push(format!("{path}.{key}: {kind}, where the sample has {allowed:?}"));
        }
    }
}

fn map_value_kind(value: &Value) -> &'static str {
    match value {
        Value::Array(elements) if elements.iter().all(Value::is_string) => "array of strings",
        _ => kind(value),
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}
