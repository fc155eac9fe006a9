//! What an operator and the schedule do to signing keys, through the real processes.

use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::bound::{Way, all_become};
use crate::support::clock::wait_for;
use crate::support::http::{Credential, Http, unauthorized};
use crate::support::run::Run;

const MODELS: &str = "/v1/models";

/// As `cargo lambda invoke` and `aws lambda invoke` do.
async fn upkeep(run: &Run, event: &Value) -> (u16, Value) {
    let port = run.functions.invoke_port;
    let url = format!("http://127.0.0.1:{port}/2015-03-31/functions/upkeep/invocations");
    let answer = Http::new(run).send(Http::new(run).request_to(Method::POST, &url).json(event)).await;
    (answer.status, answer.json())
}

fn header(token: &str) -> Value {
    let header = BASE64_URL_SAFE_NO_PAD.decode(token.split('.').next().unwrap()).unwrap();
    serde_json::from_slice(&header).unwrap()
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_within_five_seconds_and_another_algorithm_waits_for_its_turn() {
    let run = Run::start("signing-keys");
    let http = Http::new(&run);
    let old = http.token(&run.demo.api_key).await;
    http.get(MODELS, Credential::Bearer(&old)).await.expect(200);
    let withdrawn = header(&old)["kid"].clone();

    let (status, refused) = upkeep(&run, &json!({"withdraw": "nothing"})).await;
    assert_ne!(status, 200);
    assert_eq!(refused["errorMessage"], "no signing key of this id is published");

    let (status, answer) = upkeep(&run, &json!({"withdraw": withdrawn})).await;
    assert_eq!(status, 200, "{answer}");
    let ways = [Way::get("the withdrawn key's token", MODELS, Credential::Bearer(&old))];
    assert_eq!(all_become(&http, &ways, 401).await, [unauthorized()]);
    let new = http.token(&run.demo.api_key).await;
    let successor = header(&new)["kid"].clone();
    assert_ne!(successor, withdrawn);
    http.get(MODELS, Credential::Bearer(&new)).await.expect(200);

    // The schedule's first call comes with the start: it publishes a key of the new algorithm, and the old one signs.
    let mut run = run.start_again_with(&[("KEYGATE_SIGNING_ALGORITHM", "EdDSA")]);
    let http = Http::new(&run);
    let log = run.data_dir().join("logs/upkeep.log");
    let was_called = || std::fs::read_to_string(&log).is_ok_and(|log| log.contains(r#""what":"published""#));
    assert!(wait_for(Duration::from_mins(1), was_called), "upkeep was not called");
    let (_, answer) = upkeep(&run, &json!({"rotate": "EdDSA"})).await;
    assert_eq!(answer["moves"], json!([]), "one is on its way already");
    let mut keys: Vec<Value> =
        answer["keys"].as_array().unwrap().iter().map(|key| json!([key["algorithm"], key["state"]])).collect();
    keys.sort_by_key(Value::to_string);
    assert_eq!(keys, [json!(["ES256", "active"]), json!(["EdDSA", "pending"])]);
    let later = http.token(&run.demo.api_key).await;
    assert_eq!(header(&later), header(&new));
    for token in [&new, &later] {
        http.get(MODELS, Credential::Bearer(token)).await.expect(200);
    }
    http.get(MODELS, Credential::Bearer(&old)).await.expect(401);
    run.stop();
}
