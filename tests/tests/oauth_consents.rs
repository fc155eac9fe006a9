//! What people have allowed to apps, and taking it back; and an app's secret, replaced. At the real pages and functions.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::bound::{Way, all_answer, all_become};
use crate::support::consent::{ConsentApp, Visitor};
use crate::support::http::Credential;
use crate::support::system;

#[tokio::test]
async fn what_is_taken_back_from_an_app_opens_nothing_within_five_seconds() {
    let account = Account::sign_up(system(), "Consents").await;
    let member = account.join("member").await;
    let app = ConsentApp::new(&account, "Assistant", &["read"]).await;
    let mut visitor = Visitor::new(&account, &member).await;
    let tokens = app.is_allowed(&account, &mut visitor, "read").await;
    let kept = app.is_allowed(&account, &mut visitor, "read").await;
    let text = |tokens: &Value, name: &str| tokens[name].as_str().unwrap().to_owned();
    let (access, refresh) = (text(&tokens, "access_token"), text(&tokens, "refresh_token"));

    let grants = format!("/users/{}/grants", member.id);
    let listed = account.list(member.login(), &grants, "").await;
    assert_eq!(listed.len(), 2, "{listed:?}");
    let named = |grant: &Value| (grant["app_id"].clone(), grant["app_name"].clone(), grant["scopes"].clone());
    assert!(listed.iter().all(|grant| named(grant) == (json!(app.id), json!("Assistant"), json!(["read"]))));
    assert_eq!(account.list(account.owner.login(), &grants, "").await, listed);

    let own = account.path("");
    let ways = [
        Way::get("a protected route", "/api/v1/users", Credential::Bearer(&access)),
        Way::get("managing", &own, Credential::Bearer(&access)),
    ];
    all_answer(&account.http, &ways, 200).await;
    account.manage(Credential::Bearer(&access), Method::GET, &grants, &Value::Null, 403).await;

    let id = claim(&access, "grant_id");
    let one = format!("{grants}/{id}");
    account.manage(member.login(), Method::DELETE, &one, &Value::Null, 204).await;
    let next = [("grant_type", "refresh_token"), ("refresh_token", refresh.as_str())];
    let (status, answer) = app.token(&account, &next).await;
    assert_eq!((status, &answer["error"]), (400, &json!("invalid_grant")), "the refresh token ends at once");
    all_become(&account.http, &ways, 401).await;

    let left = account.list(member.login(), &grants, "").await;
    assert_eq!(left, listed.into_iter().filter(|grant| grant["id"] != id).collect::<Vec<_>>());
    account.http.get(&own, Credential::Bearer(&text(&kept, "access_token"))).await.expect(200);
    account.manage(member.login(), Method::DELETE, &one, &Value::Null, 204).await;
    let events = account.list(account.owner.login(), "/audit_events", "&action=app.grant_ended").await;
    let told: Vec<_> = events.iter().filter(|event| event["outcome"] == "done").collect();
    let [event] = &told[..] else { panic!("{events:?}") };
    assert_eq!((&event["actor"]["id"], &event["object"]["id"]), (&json!(member.id), &json!(app.id)));
    assert_eq!(event["details"], json!({"grant_id": id, "user_id": member.id, "scopes": ["read"]}));
}

#[tokio::test]
async fn a_replaced_secret_of_an_app_proves_nothing_at_once() {
    let account = Account::sign_up(system(), "Secrets of apps").await;
    let before = ConsentApp::new(&account, "Reports", &["read"]).await;
    let own = [("grant_type", "client_credentials")];
    let (status, tokens) = before.token(&account, &own).await;
    assert_eq!(status, 200, "{tokens}");
    let path = format!("/apps/{}/rotate_secret", before.id);
    let rotated = account.manage(account.owner.login(), Method::POST, &path, &Value::Null, 201).await;
    let after = ConsentApp { secret: rotated["client_secret"].as_str().unwrap().to_owned(), ..before.clone() };
    assert_ne!(after.secret, before.secret);
    let (status, answer) = before.token(&account, &own).await;
    assert_eq!((status, &answer["error"]), (401, &json!("invalid_client")));
    assert_eq!(after.token(&account, &own).await.0, 200);
    // What was given for the secret of before lives on.
    let token = Credential::Bearer(tokens["access_token"].as_str().unwrap());
    account.http.get("/api/v1/users", token).await.expect(200);
}

/// A claim of a token, which others verify.
fn claim(token: &str, name: &str) -> String {
    use base64::Engine as _;
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims[name].as_str().unwrap_or_else(|| panic!("no {name}: {claims}")).to_owned()
}
