use domain::PublishedKeys;
use serde_json::{Value, json};
use signing::{Algorithm, Wrapper};
use store::Store;
use testkit::{TestStore, event, moment};
use upkeep::{App, UpkeepError, handle};

pub(crate) fn app(store: &Store, algorithm: Algorithm) -> App {
    App { store: store.clone(), wrapper: Wrapper::from_secret(&"a".repeat(32)).unwrap(), algorithm }
}

pub(crate) fn scheduled() -> Value {
    serde_json::from_str(&event("upkeep-scheduled", &[])).unwrap()
}

pub(crate) fn rotate() -> Value {
    serde_json::from_str(&event("upkeep-rotate", &[])).unwrap()
}

pub(crate) fn withdraw(kid: &str) -> Value {
    serde_json::from_str(&event("upkeep-withdraw", &[("REPLACE_WITH_KID", kid)])).unwrap()
}

/// The function's answer to an event at a time, as JSON.
pub(crate) async fn call(app: &App, event: Value, seconds: i64) -> Result<Value, UpkeepError> {
    #[expect(clippy::cast_precision_loss, reason = "some months in seconds")]
    let at = moment(seconds as f64);
    handle(app, event, at).await.map(|report| serde_json::to_value(report).unwrap())
}

/// The moves of an answer: which key, and what has become of it.
pub(crate) fn moves(answer: &Value) -> Vec<(&str, &str)> {
    let moves = answer["moves"].as_array().unwrap().iter();
    moves.map(|it| (it["kid"].as_str().unwrap(), it["move"].as_str().unwrap())).collect()
}

pub(crate) async fn keys(test: &TestStore) -> PublishedKeys {
    test.store.signing_keys().await.unwrap()
}

/// The id of the one key in a state.
pub(crate) async fn kid(test: &TestStore, state: &str) -> String {
    let keys = keys(test).await;
    let mut found = keys.iter().filter(|(_, key)| key.state.name() == state).map(|(kid, _)| kid.to_owned());
    let kid = found.next().unwrap_or_else(|| panic!("none is {state}: {keys:?}"));
    assert_eq!(found.next(), None, "{keys:?}");
    kid
}

pub(crate) fn states(answer: &Value) -> Vec<Value> {
    let mut states: Vec<Value> =
        answer["keys"].as_array().unwrap().iter().map(|key| json!([key["algorithm"], key["state"]])).collect();
    states.sort_by_key(Value::to_string);
    states
}
