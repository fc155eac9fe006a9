//! Simbee: the command lines and the verifying code of its document.

use serde_json::{Value, json};

use crate::support::clients::{document, run_curl, run_node};
use crate::support::http::{Credential, Http, lacks_scope, unauthorized};
use crate::support::system;

const SITE: &str = "https://api.simbee.io";
const TOKEN: &str = "eyJhbGciOiJFZERTQSIs...";

fn curl(file: &str, token: &str) -> Option<Value> {
    let base = system().demo.base_url.as_str();
    let changes = [(SITE, base), (TOKEN, token)];
    let changes = if file == "simbee_exchange.sh" { &changes[..1] } else { &changes[..] };
    let line = document(&format!("curl/{file}"), changes);
    Some(run_curl(&line, &[("SIMBEE_API_KEY", &system().demo.api_key)])?.json())
}

#[test]
fn simbees_own_command_lines_exchange_a_key_and_use_the_token() {
    let demo = &system().demo;
    let Some(exchanged) = curl("simbee_exchange.sh", "") else { return };
    let token = exchanged["data"]["token"].as_str().unwrap();
    let scopes = exchanged["data"]["scopes"].as_array().unwrap();
    assert_eq!(exchanged, json!({"data": {"token": token, "expires_in": 900, "scopes": scopes}}));
    assert!(scopes.contains(&json!("read")) && scopes.contains(&json!("write")), "{scopes:?}");

    let listed = curl("simbee_list_users.sh", token).unwrap();
    assert_eq!(listed["data"][0]["external_id"], "user_1");
    assert_eq!(listed["caller"]["client_id"], demo.client_id.as_str());

    let created = curl("simbee_create_user.sh", token).unwrap();
    assert_eq!(created["data"], json!({"external_id": "user_42", "traits": {"name": "Bob"}}));
    assert_eq!(created["caller"]["workspace_id"], demo.workspace_id.as_str());

    assert_eq!(curl("simbee_list_users.sh", "eyJhbGciOiJFZERTQSJ9.e30.AA").unwrap(), unauthorized());
}

#[tokio::test]
async fn users_are_read_with_read_and_made_with_write_alone() {
    let http = Http::new(system());
    let bob = json!({"external_id": "user_42", "traits": {"name": "Bob"}});
    let reader = http.token(&http.create_key("reader", &["read"]).await.raw).await;
    let writer = http.token(&http.create_key("writer", &["write"]).await.raw).await;
    let path = "/api/v1/users";
    http.get(path, Credential::Bearer(&reader)).await.expect(200);
    assert_eq!(http.post(path, Credential::Bearer(&reader), &bob).await.expect(403), lacks_scope());
    assert_eq!(http.get(path, Credential::Bearer(&writer)).await.expect(403), lacks_scope());
    let created = http.post(path, Credential::Bearer(&writer), &bob).await;
    assert_eq!(created.expect(201)["data"], bob);
}

#[tokio::test]
async fn simbees_own_verifying_code_reads_user_and_client_out_of_the_token() {
    let http = Http::new(system());
    let demo = &system().demo;
    let key = http.create_key("verified", &["read"]).await;
    let token = http.token(&key.raw).await;
    // The library can't verify EdDSA; see the contract.
    let sample = document("node/simbee_verify.mjs", &[(SITE, &demo.base_url), ("EdDSA", "ES256")]);
    let script = format!("const token = process.env.TOKEN;\n{sample}");
    let printed = run_node("simbee-verify", &script, &[("TOKEN", &token)]).expect();
    // No user stands behind a workspace's key: the subject is the key.
    assert_eq!(printed.lines().collect::<Vec<_>>(), [key.id.as_str(), demo.client_id.as_str()]);

    let (head, signature) = token.rsplit_once('.').unwrap();
    let tampered = format!("{head}.{}{}", if signature.starts_with('A') { "B" } else { "A" }, &signature[1..]);
    let refused = run_node("simbee-verify-tampered", &script, &[("TOKEN", &tampered)]);
    assert!(!refused.succeeded && refused.error.contains("JsonWebTokenError: invalid signature"), "{refused:?}");
}
