//! Simbee: its document from sign-up to verified token, with its own command lines, its own class that logs in anew, and its
//! own verifying code.

use serde_json::{Value, json};

use crate::support::account::{unused_email, unused_password};
use crate::support::clients::{document, run_curl, run_node, source};
use crate::support::http::unauthorized;
use crate::support::system;

const SITE: &str = "https://api.simbee.io";
const TOKEN: &str = "eyJhbGciOiJFZERTQSIs...";
const EMAIL: &str = "alice@example.com";
const PASSWORD: &str = "a-strong-password";
const CLIENT: &str = "cl_abc123";

/// Runs a command line of the document with `changes` made; status and body.
fn curl(file: &str, changes: &[(&str, &str)]) -> Option<(u16, Value)> {
    let changes = [&[(SITE, system().demo.base_url.as_str())], changes].concat();
    let line = document(&format!("curl/{file}.sh"), &changes);
    let printed = run_curl(&format!("{} -s -w '\\n%{{http_code}}'", line.trim_end()), &[])?.expect();
    let (body, status) = printed.rsplit_once('\n').unwrap();
    Some((status.parse().unwrap(), serde_json::from_str(body).unwrap()))
}

/// By the document's own verifying code. It is given an algorithm that its library can verify.
#[track_caller]
fn verify(token: &str, subject: &str, client: &str) {
    let sample = document("node/simbee_verify.mjs", &[(SITE, &system().demo.base_url), ("EdDSA", "ES256")]);
    let script = format!("const token = process.env.TOKEN;\n{sample}");
    let printed = run_node("accounts-verify", &script, &[("TOKEN", token)]).expect();
    assert_eq!(printed.lines().collect::<Vec<_>>(), [subject, client]);
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_else(|| panic!("{value} is no text"))
}

#[test]
fn simbees_document_leads_from_sign_up_to_verified_tokens() {
    let email = unused_email();
    let mine = (EMAIL, email.as_str());
    let Some((status, signed_up)) = curl("simbee_signup", &[mine]) else { return };
    assert_eq!(status, 201, "{signed_up}");
    let (client, user, owner) =
        (text(&signed_up["client"]["id"]), text(&signed_up["user"]["id"]), text(&signed_up["token"]));
    let slug = text(&signed_up["client"]["slug"]);
    let tier = text(&signed_up["client"]["tier"]);
    let shown = json!({
        "client": {"id": client, "slug": slug, "name": "Acme Corp", "status": "active", "tier": tier},
        "user": {"id": user, "email": email, "role": "owner"},
        "token": owner,
        "scopes": ["admin", "read", "write"],
        "expires_in": 900,
    });
    assert_eq!(signed_up, shown, "the document's members and no others");
    assert!(slug.starts_with("acme-corp") && client.starts_with("cl_") && user.starts_with("cu_"), "{signed_up}");
    verify(owner, user, client);
    let (status, conflict) = curl("simbee_signup", &[mine]).unwrap();
    assert_eq!((status, &conflict["error"]), (409, &json!("Conflict")));

    let (status, created) = curl("simbee_create_key", &[(CLIENT, client), (TOKEN, owner)]).unwrap();
    assert_eq!(status, 201, "{created}");
    let record = &created["record"];
    assert_eq!((&record["client_id"], &record["name"]), (&json!(client), &json!("production")));
    assert_eq!(record["revoked"], false);
    assert!(text(&record["fingerprint"]).starts_with("fp_") && text(&record["id"]).starts_with("ak_"), "{record}");
    let key = ("'\"$SIMBEE_API_KEY\"'", text(&created["raw_key"]));
    let (status, exchanged) = curl("simbee_exchange", &[key]).unwrap();
    assert_eq!(status, 200, "{exchanged}");
    let exchanged = text(&exchanged["data"]["token"]);
    // No user stands behind a workspace's key: the subject is the key.
    verify(exchanged, text(&record["id"]), client);
    let (status, users) = curl("simbee_list_users", &[(TOKEN, exchanged)]).unwrap();
    assert_eq!((status, &users["caller"]["client_id"]), (200, &json!(client)));
    let (status, refused) = curl("simbee_create_user", &[(TOKEN, exchanged)]).unwrap();
    assert_eq!((status, &refused["error"]), (403, &json!("Forbidden")), "a key that was given nothing else reads");

    for (file, who) in [("simbee_email_login", mine), ("simbee_programmatic_login", (CLIENT, client))] {
        let (status, answer) = curl(file, &[who]).unwrap();
        assert_eq!(status, 200, "{file}: {answer}");
        let token = text(&answer["token"]);
        let shown = json!({
            "token": token,
            "scopes": ["admin", "read", "write"],
            "expires_in": 900,
            "user": {"id": user, "email": email, "role": "owner"},
            "client": {"id": client, "slug": slug, "name": "Acme Corp"},
        });
        assert_eq!(answer, shown, "{file}");
        verify(token, user, client);
        for (call, expected) in [("simbee_list_users", 200), ("simbee_create_user", 201)] {
            let (status, answer) = curl(call, &[(TOKEN, token)]).unwrap();
            assert_eq!((status, &answer["caller"]["client_id"]), (expected, &json!(client)), "{file}, {call}");
        }
        let wrong = curl(file, &[who, (PASSWORD, "a-wrong-password")]).unwrap();
        assert_eq!(wrong, (401, unauthorized()), "{file}");
    }
}

#[test]
fn simbees_own_class_keeps_its_token_until_a_minute_before_the_end_and_logs_in_anew() {
    let (email, password) = (unused_email(), unused_password());
    let changes = [(EMAIL, email.as_str()), (PASSWORD, password.as_str())];
    let Some((_, signed_up)) = curl("simbee_signup", &changes) else { return };
    let (user, client) = (text(&signed_up["user"]["id"]), text(&signed_up["client"]["id"]));
    let class = document("node/simbee_auth.ts", &[(SITE, &system().demo.base_url)]);
    let environment =
        [("CLASS", class.as_str()), ("BASE_URL", &system().demo.base_url), ("EMAIL", &email), ("PASSWORD", &password)];
    let report = run_node("simbee-auth", &source("node/simbee_auth.mjs"), &environment).json();
    assert_eq!(
        report["logins"],
        json!({"first": 1, "again": 1, "a_minute_and_a_half_before": 1, "a_minute_before": 2})
    );
    assert_eq!(report["kept"], true, "{report}");
    assert_eq!(report["users"], json!({"first": 200, "garbage": 401, "retried": 200}));
    for token in report["tokens"].as_array().unwrap() {
        verify(text(token), user, client);
    }
}
