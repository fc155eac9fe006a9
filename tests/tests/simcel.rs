//! SIMCEL: the client class of its document, at another address and otherwise as it stands there.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::clients::run_python_file;
use crate::support::http::{Credential, Http, lacks_scope, unauthorized};
use crate::support::system;

fn run_client(key: &str) -> Value {
    run_python_file("simcel.py", &[("BASE_URL", &system().demo.base_url), ("API_KEY", key)]).json()
}

#[test]
fn simcels_own_client_class_reads_insights_and_exchanges_its_key_once() {
    let demo = &system().demo;
    let report = run_client(&demo.api_key);
    assert_eq!(report["first"]["status"], 200, "{report}");
    assert_eq!(report["first"]["body"]["insight"], "pnl-summary");
    assert_eq!(report["first"]["body"]["planId"], "plan_1");
    assert_eq!(report["first"]["body"]["caller"]["client_id"], demo.client_id.as_str());
    assert_eq!(report["first"]["body"]["caller"]["credential"], "jwt");
    assert_eq!(report["second"]["status"], 200);
    assert_eq!(report["exchanges_for_two_calls"], 1, "the token is kept");
    let lifetime = report["lifetime"].as_i64().unwrap();
    assert!((3500..=3600).contains(&lifetime), "{lifetime}");
    assert_eq!(report["third"]["status"], 200);
    assert_eq!(report["exchanges_when_near_expiry"], 2, "a minute before its end it is fetched anew");
}

#[test]
fn simcels_own_client_class_is_told_401_in_the_documents_words() {
    let garbage = &run_client(&system().demo.api_key)["garbage"];
    assert_eq!(garbage["status"], 401);
    assert_eq!(garbage["body"], unauthorized());
    let base = &system().demo.base_url;
    let challenge =
        format!(r#"Bearer realm="keygate", resource_metadata="{base}/.well-known/oauth-protected-resource""#);
    assert_eq!(garbage["headers"]["www-authenticate"], challenge.as_str());
}

#[tokio::test]
async fn simcels_own_client_class_is_told_403_where_the_key_lacks_the_scope() {
    let http = Http::new(system());
    let key = http.create_key("plans alone", &["plans:read"]).await;
    let report = run_client(&key.raw);
    assert_eq!(report["first"]["status"], 403);
    assert_eq!(report["first"]["body"], lacks_scope());
    assert_eq!(report["first"]["body"].as_object().unwrap().len(), 3);
    assert_eq!(report["first"]["headers"].get("www-authenticate"), None);
}

#[tokio::test]
async fn the_exchange_answers_as_the_document_does_and_nothing_more() {
    let http = Http::new(system());
    let answer = http.simcel_exchange(&system().demo.api_key).await;
    assert_eq!(answer.header("content-type"), Some("application/json"));
    let body = answer.expect(200);
    let token = body["accessToken"].as_str().unwrap();
    assert_eq!(body, json!({"accessToken": token, "expiresIn": 3600, "tokenType": "Bearer"}));

    let refused = http.simcel_exchange("sk_live_...").await;
    assert_eq!(refused.expect(401), unauthorized());
}

#[tokio::test]
async fn every_failed_credential_gets_the_same_401() {
    let http = Http::new(system());
    let path = "/insights/v1/pnl-summary";
    let missing = http.send(http.request(Method::GET, path)).await;
    assert_eq!(missing.expect(401), unauthorized());
    let key = &system().demo.api_key;
    let changed = format!("{}{}", &key[..key.len() - 1], if key.ends_with('0') { '1' } else { '0' });
    let token = http.token(key).await;
    for credential in ["x", "a.b.c", &changed, &token[..token.len() - 1], &format!("{token}x"), "agent_tok_abc123"] {
        let refused = http.get(path, Credential::Bearer(credential)).await;
        assert_eq!(refused.body, missing.body, "{credential}");
        for name in ["www-authenticate", "content-type"] {
            assert_eq!(refused.header(name), missing.header(name), "{credential}");
        }
        assert!(refused.header("www-authenticate").is_some_and(|value| value.starts_with("Bearer ")));
    }
}
