//! Exchanges of keys that stand on more than their record: a user, a workspace, an address, their client's settings.

use domain::{Role, ScopeSet, WorkspaceRole, WorkspaceStatus};
use edge::Request;
use serde_json::{Value, json};
use testkit::{TestKey, change_client, change_user, change_workspace, moment, now, parts, request_of};
use token_exchange::handle;

use crate::setup::Setup;

fn from(address: Option<&str>, body: &Value) -> Request {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": "/auth/exchange", "rawQueryString": "",
        "headers": {"content-type": "application/json", "x-forwarded-for": "192.0.2.7"},
        "requestContext": {"http": {"method": "POST", "path": "/auth/exchange"}, "stage": "$default"},
        "body": body.to_string(), "isBase64Encoded": false,
    });
    if let Some(address) = address {
        event["requestContext"]["http"]["sourceIp"] = json!(address);
    }
    request_of(&event.to_string())
}

impl Setup {
    async fn exchange(&self, key: &TestKey, more: Value, seconds: f64) -> (u16, Value) {
        let mut body = json!({"api_key": key.plain.expose()});
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        match handle(self.app.clone(), from(Some("192.0.2.7"), &body), moment(seconds)).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(testkit::ISSUER)),
        }
    }
}

#[tokio::test]
async fn a_personal_key_is_exchanged_for_its_users_token_in_a_workspace() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let key = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    let default = json!(setup.client.default_workspace_id);
    for more in [json!({}), json!({"workspace_id": default})] {
        let (status, body) = setup.exchange(&key, more, 0.0).await;
        assert_eq!(status, 200, "{body}");
        let claims = setup.claims(&body["data"]["token"]).await;
        assert_eq!((claims.sub.as_str(), &claims.billed_to), (user.id.as_str(), &user.id));
        assert_eq!((json!(claims.workspace_id), claims.key_id), (default.clone(), Some(key.record.id.clone())));
    }
    let elsewhere = setup.test.account().await.workspace;
    for other in [json!(elsewhere.id), json!("ws_0123456789abcdef")] {
        let (status, body) = setup.exchange(&key, json!({"workspace_id": other}), 0.0).await;
        assert_eq!((status, &body["message"]), (403, &json!("The credential does not reach this workspace")));
    }
    for malformed in [json!("default"), json!(""), json!(7)] {
        assert_eq!(setup.exchange(&key, json!({"workspace_id": malformed}), 0.0).await.0, 400, "{malformed}");
    }
}

#[tokio::test]
async fn what_changes_around_a_key_reaches_its_exchanges_within_five_seconds() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Admin).await;
    let personal = TestKey::personal(&setup.client, &user, "read logs:read").stored(&setup.test.store).await;
    let shared = setup.key("read").await;
    for key in [&personal, &shared] {
        assert_eq!(setup.exchange(key, json!({}), 0.0).await.0, 200);
    }
    let store = &setup.test.store;
    change_user(store, &user, |user| user.role = Role::Member).await;
    change_client(store, &setup.client, |client| client.settings.token_lifetime = Some(60)).await;
    let (status, body) = setup.exchange(&personal, json!({}), 4.0).await;
    assert_eq!((status, &body["data"]["scopes"]), (200, &json!(["read"])), "a member holds no more");
    assert_eq!(body["data"]["expires_in"], 60);
    let asked = json!({"scopes": ["logs:read"]});
    assert_eq!(setup.exchange(&personal, asked, 4.0).await.0, 403);

    change_workspace(store, &setup.account.workspace, |it| it.personal_keys_allowed = false).await;
    let (status, body) = setup.exchange(&personal, json!({}), 8.0).await;
    assert_eq!((status, &body["message"]), (403, &json!("Personal keys are switched off in this workspace")));
    assert_eq!(setup.exchange(&shared, json!({}), 8.0).await.0, 200);

    change_workspace(store, &setup.account.workspace, |it| {
        it.personal_keys_allowed = true;
        it.status = WorkspaceStatus::Suspended;
    })
    .await;
    for key in [&personal, &shared] {
        let (status, body) = setup.exchange(key, json!({}), 12.0).await;
        assert_eq!((status, &body["message"]), (403, &json!("The workspace is suspended")));
    }
    change_user(store, &user, |user| user.workspaces.clear()).await;
    assert_eq!(setup.exchange(&personal, json!({}), 16.0).await.0, 403);
}

#[tokio::test]
async fn a_keys_addresses_bind_its_exchange_by_what_the_gateway_has_seen() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read");
    key.record.allowed_ips = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    let key = key.stored(&setup.test.store).await;
    let body = json!({"api_key": key.plain.expose()});
    for (address, expected) in [(Some("192.0.2.7"), 200), (Some("198.51.100.7"), 401), (None, 401)] {
        let answer = setup.answer(from(address, &body)).await;
        assert_eq!(answer.0, expected, "{address:?}: {}", answer.1);
        if expected == 401 {
            assert_eq!(answer.1["message"], "Bearer token is missing or has expired", "like any other");
        }
    }
}

#[tokio::test]
async fn a_login_gives_members_what_their_workspaces_give() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let login = json!({"email": user.email, "password": testkit::PASSWORD}).to_string();
    let (_, body) = setup.post("/auth/token", &login).await;
    assert_eq!(body["scopes"], json!(["read"]));
    let mut second = domain::Workspace::new(setup.client.id.clone(), "two".to_owned(), user.id.clone(), now());
    second.member_scopes = ScopeSet::parse("chat:completions");
    let change = store::account_change::AccountChange {
        workspaces: vec![store::account_change::Edit::New(second.clone())],
        ..Default::default()
    };
    let deed = domain::Deed::new(domain::Action::WorkspaceCreated, &second.id);
    setup.test.store.account_change(&setup.client.id, &change, vec![deed], &testkit::act(), None).await.unwrap();
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.member_scopes = ScopeSet::parse("logs:read"))
        .await;
    change_user(&setup.test.store, &user, |user| {
        user.workspaces.insert(second.id.clone(), WorkspaceRole::Member);
    })
    .await;
    let later = testkit::request("POST", "/auth/token", &[("content-type", "application/json")], login.as_str());
    let (_, body) = parts(handle(setup.app.clone(), later, moment(4.0)).await.unwrap());
    let mut scopes: Vec<_> = body["scopes"].as_array().unwrap().iter().map(|it| it.as_str().unwrap()).collect();
    scopes.sort_unstable();
    assert_eq!(scopes, ["chat:completions", "logs:read", "read"]);
}
