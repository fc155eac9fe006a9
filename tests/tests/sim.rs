//! Sim: the key in `X-API-Key`, by the document's three snippets.

use serde_json::{Value, json};

use crate::support::clients::{document, run_curl, run_node, run_python};
use crate::support::http::{Credential, Http, lacks_scope, unauthorized};
use crate::support::system;

const SITE: &str = "https://www.sim.ai";
const WORKFLOW: (&str, &str) = ("{workflowId}", "wf_42");
const EXECUTE: &str = "/api/workflows/wf_42/execute";
const LOGS: &str = "/api/v1/logs";

fn site() -> (&'static str, &'static str) {
    (SITE, system().demo.base_url.as_str())
}

fn by_curl(key: &str) -> Option<Value> {
    let line = document("curl/sim_execute.sh", &[site(), WORKFLOW, ("YOUR_API_KEY", key)]);
    Some(run_curl(&line, &[])?.json())
}

fn by_fetch(name: &str, key: &str) -> Value {
    // TypeScript's `!` is none of JavaScript's.
    let snippet = document("node/sim_execute.mjs", &[site(), WORKFLOW, ("SIM_API_KEY!", "SIM_API_KEY")]);
    let script = format!("{snippet}console.log(await response.text());");
    run_node(name, &script, &[("SIM_API_KEY", key)]).json()
}

fn by_requests(key: &str) -> Value {
    let snippet = document("python/sim_execute.py", &[site(), WORKFLOW]);
    let script = format!("import os\n{snippet}print(response.text)");
    run_python(&script, &[("SIM_API_KEY", key)]).json()
}

#[test]
fn sims_own_snippets_execute_a_workflow() {
    let demo = &system().demo;
    let answers =
        [by_curl(&demo.api_key), Some(by_fetch("sim-execute", &demo.api_key)), Some(by_requests(&demo.api_key))];
    for answer in answers.into_iter().flatten() {
        assert_eq!(answer["success"], true, "{answer}");
        assert_eq!(answer["workflowId"], "wf_42");
        assert_eq!(answer["output"], json!({"inputs": {}}));
        assert_eq!(answer["caller"]["client_id"], demo.client_id.as_str());
    }
}

#[test]
fn sims_own_snippets_are_told_401_for_a_key_that_is_none() {
    for answer in [
        by_curl("YOUR_API_KEY"),
        Some(by_fetch("sim-execute-refused", "YOUR_API_KEY")),
        Some(by_requests("YOUR_API_KEY")),
    ]
    .into_iter()
    .flatten()
    {
        assert_eq!(answer, unauthorized());
    }
}

#[tokio::test]
async fn the_logs_api_takes_the_same_key() {
    let http = Http::new(system());
    let logs = http.get(LOGS, Credential::ApiKey(&system().demo.api_key)).await.expect(200);
    assert_eq!(logs["data"][0]["trigger"], "api");
    assert_eq!(http.get(LOGS, Credential::ApiKey("sk-sim-1")).await.expect(401), unauthorized());
}

#[tokio::test]
async fn executing_and_reading_logs_need_a_scope_each() {
    let http = Http::new(system());
    let runner = http.create_key("runner", &["workflows:execute"]).await;
    http.post(EXECUTE, Credential::ApiKey(&runner.raw), &json!({"inputs": {}})).await.expect(200);
    assert_eq!(http.get(LOGS, Credential::ApiKey(&runner.raw)).await.expect(403), lacks_scope());
    let reader = http.create_key("log reader", &["logs:read"]).await;
    http.get(LOGS, Credential::ApiKey(&reader.raw)).await.expect(200);
    let refused = http.post(EXECUTE, Credential::ApiKey(&reader.raw), &json!({"inputs": {}})).await;
    assert_eq!(refused.expect(403), lacks_scope());
}

#[tokio::test]
async fn a_token_in_the_keys_header_is_refused() {
    let http = Http::new(system());
    let token = http.token(&system().demo.api_key).await;
    assert_eq!(http.get(LOGS, Credential::ApiKey(&token)).await.expect(401), unauthorized());
}
