//! Accounts and the lives of their keys: sign-up to login by Simbee's own command lines, rotation, narrowing.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::revocation::{BOUND, SLACK};
use crate::support::clients::{document, run_curl, run_node};
use crate::support::clock::{Stopwatch, now};
use crate::support::http::{Answer, Credential, Http, NewKey, lacks_scope, unauthorized};
use crate::support::system;

const SITE: &str = "https://api.simbee.io";
const TOKEN: &str = "eyJhbGciOiJFZERTQSIs...";
const EMAIL: &str = "alice@example.com";
const PASSWORD: &str = "a-strong-password";
const CLIENT: &str = "cl_abc123";
const INSIGHTS: &str = "/insights/v1/pnl-summary";

/// Runs a command line of the document with `changes` made; status and body.
fn curl(file: &str, changes: &[(&str, &str)]) -> Option<(u16, Value)> {
    let changes = [&[(SITE, system().demo.base_url.as_str())], changes].concat();
    let line = document(&format!("curl/{file}.sh"), &changes);
    let printed = run_curl(&format!("{} -s -w '\\n%{{http_code}}'", line.trim_end()), &[])?.expect();
    let (body, status) = printed.rsplit_once('\n').unwrap();
    Some((status.parse().unwrap(), serde_json::from_str(body).unwrap()))
}

#[test]
fn simbees_document_leads_from_sign_up_to_verified_tokens() {
    let email = format!("alice+{}.{}@example.com", now().unix(), std::process::id());
    let mine = (EMAIL, email.as_str());
    let Some((status, signed_up)) = curl("simbee_signup", &[mine]) else { return };
    assert_eq!(status, 201, "{signed_up}");
    let (client, user) = (signed_up["client"]["id"].as_str().unwrap(), signed_up["user"]["id"].as_str().unwrap());
    assert_eq!(signed_up["user"], json!({"id": user, "email": email, "role": "owner"}));
    assert_eq!((&signed_up["client"]["name"], &signed_up["expires_in"]), (&json!("Acme Corp"), &json!(900)));
    let (status, conflict) = curl("simbee_signup", &[mine]).unwrap();
    assert_eq!((status, &conflict["error"]), (409, &json!("Conflict")));

    let owner = signed_up["token"].as_str().unwrap();
    let (status, created) = curl("simbee_create_key", &[(CLIENT, client), (TOKEN, owner)]).unwrap();
    assert_eq!(status, 201, "{created}");
    assert_eq!(created["record"]["client_id"], client);
    let exchange = ("'\"$SIMBEE_API_KEY\"'", created["raw_key"].as_str().unwrap());
    let (status, exchanged) = curl("simbee_exchange", &[exchange]).unwrap();
    assert_eq!(status, 200, "{exchanged}");
    verify(exchanged["data"]["token"].as_str().unwrap(), created["record"]["id"].as_str().unwrap(), client);

    for (file, who) in [("simbee_email_login", mine), ("simbee_programmatic_login", (CLIENT, client))] {
        let (status, answer) = curl(file, &[who]).unwrap();
        assert_eq!(status, 200, "{file}: {answer}");
        assert_eq!(answer["user"], signed_up["user"], "{file}");
        assert_eq!((&answer["client"]["id"], &answer["expires_in"]), (&json!(client), &json!(900)), "{file}");
        let token = answer["token"].as_str().unwrap();
        verify(token, user, client);
        let (status, users) = curl("simbee_list_users", &[(TOKEN, token)]).unwrap();
        assert_eq!((status, &users["caller"]["client_id"]), (200, &json!(client)), "{file}");
        let wrong = curl(file, &[who, (PASSWORD, "a-wrong-password")]).unwrap();
        assert_eq!(wrong, (401, unauthorized()), "{file}");
    }
}

/// By the document's own verifying code.
#[track_caller]
fn verify(token: &str, subject: &str, client: &str) {
    let sample = document("node/simbee_verify.mjs", &[(SITE, &system().demo.base_url), ("EdDSA", "ES256")]);
    let script = format!("const token = process.env.TOKEN;\n{sample}");
    let printed = run_node("accounts-verify", &script, &[("TOKEN", token)]).expect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), [subject, client]);
}

async fn rotate(http: &Http, key: &NewKey, body: &Value) -> Answer {
    http.post(&format!("{}/{}/rotate", http.keys_path(), key.id), http.admin(), body).await
}

fn raw_key(answer: &Answer) -> String {
    answer.expect(201)["raw_key"].as_str().unwrap().to_owned()
}

/// Waits until the gateway answers a token with `status`.
async fn becomes(http: &Http, token: &str, status: u16) -> Value {
    let since = Stopwatch::start();
    loop {
        let sent = since.elapsed();
        let answer = http.get(INSIGHTS, Credential::Bearer(token)).await;
        if answer.status == status {
            return answer.json();
        }
        assert!(sent < BOUND + SLACK, "{sent:?} after the change: {answer:?}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

#[tokio::test]
async fn both_strings_of_a_rotated_key_count_until_the_overlap_ends_and_then_only_the_new_one() {
    let http = Http::new(system());
    let key = http.create_key("rotated", &["insights:read"]).await;
    let second = raw_key(&rotate(&http, &key, &json!({"overlap_seconds": 3600})).await);
    assert_ne!(second, key.raw);
    let (old, newer) = (http.token(&key.raw).await, http.token(&second).await);
    for credential in [&key.raw, &second, &old, &newer] {
        http.get(INSIGHTS, Credential::Bearer(credential)).await.expect(200);
    }
    rotate(&http, &key, &json!({"overlap_seconds": 3600})).await.expect(409);

    let third = raw_key(&rotate(&http, &key, &json!({"overlap_seconds": 0})).await);
    for refused in [&key.raw, &second] {
        assert_eq!(http.simbee_exchange(refused).await.expect(401), unauthorized());
    }
    let newest = http.token(&third).await;
    for ended in [&old, &newer, &key.raw, &second] {
        assert_eq!(becomes(&http, ended, 401).await, unauthorized());
    }
    http.get(INSIGHTS, Credential::Bearer(&newest)).await.expect(200);
}

#[tokio::test]
async fn a_scope_that_a_key_loses_is_lost_to_its_tokens_within_five_seconds() {
    let http = Http::new(system());
    let key = http.create_key("narrowed", &["insights:read", "plans:read"]).await;
    let token = http.token(&key.raw).await;
    http.get(INSIGHTS, Credential::Bearer(&token)).await.expect(200);
    let path = format!("{}/{}", http.keys_path(), key.id);
    let request = http.request(Method::PATCH, &path).json(&json!({"scopes": ["plans:read"]}));
    http.send(http.admin().show(request)).await.expect(200);
    assert_eq!(becomes(&http, &token, 403).await, lacks_scope());
}
