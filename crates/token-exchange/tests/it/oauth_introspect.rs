//! Introspection (O9; RFC 7662).

use domain::{Action, App, Deed, Environment, GrantType, Role, WorkspaceStatus};
use serde_json::{Value, json};
use testkit::{TestAccount, TestAgent, TestKey, change_user, change_workspace};

use crate::oauth_setup::{Answer, SECRET, basic, changed, claims_of, form, form_from, is_inactive};
use crate::setup::Setup;

async fn asked_by(setup: &Setup, headers: &[(&str, &str)], fields: &[(&str, &str)]) -> Answer {
    setup.oauth(form_from("198.51.100.1", "/oauth/introspect", headers, &form(fields)), 0.0).await
}

async fn key_token(setup: &Setup, key: &TestKey) -> String {
    let (_, body) = setup.post("/auth/exchange", &json!({"api_key": key.plain.expose()}).to_string()).await;
    body["data"]["token"].as_str().unwrap().to_owned()
}

async fn login(setup: &Setup, account: &TestAccount) -> String {
    let body = json!({"email": account.owner.email, "password": testkit::PASSWORD}).to_string();
    setup.post("/auth/token", &body).await.1["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_that_counts_is_described() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let token = key_token(&setup, &key).await;
    let body = setup.introspected(&token, 0.0).await;
    let said = claims_of(&token);
    for same in [
        "scope",
        "client_id",
        "exp",
        "iat",
        "nbf",
        "sub",
        "aud",
        "iss",
        "jti",
        "key_id",
        "workspace_id",
        "env",
        "billed_to",
    ] {
        assert_eq!(body[same], said[same], "{same}");
    }
    assert_eq!((&body["active"], &body["token_type"]), (&json!(true), &json!("Bearer")));
    assert_eq!(body.as_object().unwrap().len(), 15, "{body}");
}

#[tokio::test]
async fn the_client_of_an_apps_token_is_the_app() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read write", false).await;
    let tokens = setup.tokens(&app, "read").await;
    let body = setup.introspected(&tokens.text("access_token"), 0.0).await;
    assert_eq!((&body["client_id"], &body["app_id"]), (&json!(app.id), &json!(app.id)));
    assert_eq!((&body["sub"], &body["scope"]), (&json!(setup.account.owner.id), &json!("read")));
    assert_eq!(body["grant_id"], tokens.claims()["grant_id"]);

    let body = setup.introspected(&tokens.text("refresh_token"), 0.0).await;
    let grant = domain::RefreshToken::parse(&tokens.text("refresh_token")).unwrap().grant();
    let grant = setup.test.store.grant_by_id(&grant).await.unwrap().unwrap();
    let expected = json!({
        "active": true, "scope": "read", "client_id": app.id, "sub": setup.account.owner.id,
        "exp": grant.expires_at.unix(), "iat": grant.created_at.unix(),
    });
    assert_eq!(body, expected);
    let next = setup.refresh(&app, &tokens.text("refresh_token"), &[], 0.0).await;
    assert!(is_inactive(&setup.introspected(&tokens.text("refresh_token"), 0.0).await), "it was used");
    assert_eq!(setup.introspected(&next.text("refresh_token"), 0.0).await["active"], true);
    let end = [("token", next.body["refresh_token"].as_str().unwrap()), ("client_id", app.id.as_str())];
    setup.form("/oauth/revoke", &end, 0.0).await;
    assert!(is_inactive(&setup.introspected(&next.text("refresh_token"), 0.0).await));
}

#[tokio::test]
async fn a_token_for_another_resource_is_described_to_who_serves_it() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let token = setup.tokens_for(&app, "read", "https://mcp.example/mcp").await.text("access_token");
    let body = setup.introspected(&token, 0.0).await;
    assert_eq!((&body["active"], &body["aud"]), (&json!(true), &json!("https://mcp.example/mcp")));
}

#[tokio::test]
async fn who_may_ask_is_a_confidential_app_or_an_admin_credential() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = key_token(&setup, &key).await;
    let asks = [("token", token.as_str())];
    let (app, admin) = (setup.oauth_app("read", true).await, setup.key("admin").await);
    let by_app = basic(app.id.as_str(), SECRET);
    let by_key = basic(setup.client.id.as_str(), admin.plain.expose());
    let bearer = format!("Bearer {}", admin.plain.expose());
    let by_token = format!("Bearer {}", key_token(&setup, &admin).await);
    let by_login = format!("bearer {}", login(&setup, &setup.account).await);
    for authorization in [&by_app, &by_key, &bearer, &by_token, &by_login] {
        let answer = asked_by(&setup, &[("authorization", authorization)], &asks).await;
        assert_eq!((answer.status, &answer.body["active"]), (200, &json!(true)), "{authorization}");
    }
    let answer = asked_by(&setup, &[("x-api-key", admin.plain.expose())], &asks).await;
    assert_eq!(answer.body["active"], true);
    let in_body = [asks[0], ("client_id", app.id.as_str()), ("client_secret", SECRET)];
    assert_eq!(asked_by(&setup, &[], &in_body).await.body["active"], true);

    let public = setup.oauth_app("read", false).await;
    let nobodys = setup.stored(testkit::app(None, None, None)).await;
    let member = setup.account.user(&setup.test.store, Role::Member).await;
    let member = json!({"email": member.email, "password": testkit::PASSWORD}).to_string();
    let member = setup.post("/auth/token", &member).await.1["token"].as_str().unwrap().to_owned();
    let too_little = format!("Bearer {token}");
    let wrong_key = format!("Bearer {}", changed(admin.plain.expose()));
    for (headers, fields) in [
        (vec![], vec![]),
        (vec![], vec![("client_id", public.id.as_str())]),
        (vec![], vec![("client_id", nobodys.id.as_str())]),
        (vec![], vec![("client_id", app.id.as_str())]),
        (vec![("authorization", basic(app.id.as_str(), "wrong"))], vec![]),
        (vec![("authorization", basic(setup.client.id.as_str(), key.plain.expose()))], vec![]),
        (vec![("authorization", too_little)], vec![]),
        (vec![("authorization", format!("Bearer {member}"))], vec![]),
        (vec![("authorization", wrong_key)], vec![]),
        (vec![("authorization", "Bearer x".to_owned())], vec![]),
        (vec![("x-api-key", "x".to_owned())], vec![]),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let fields: Vec<_> = asks.into_iter().chain(fields).collect();
        let answer = asked_by(&setup, &headers, &fields).await;
        assert_eq!((answer.status, answer.error()), (401, "invalid_client"), "{headers:?} {fields:?}");
        let scheme = if headers.iter().any(|(_, value)| !value.starts_with("Basic")) { "Bearer " } else { "Basic " };
        assert!(answer.header("www-authenticate").unwrap().starts_with(scheme), "{headers:?}: {answer:?}");
    }
    for (headers, fields) in [
        (vec![("authorization", bearer.as_str()), ("x-api-key", admin.plain.expose())], vec![]),
        (vec![("authorization", bearer.as_str())], vec![("client_id", app.id.as_str()), ("client_secret", SECRET)]),
        (vec![("authorization", by_app.as_str())], vec![("client_id", app.id.as_str()), ("client_secret", SECRET)]),
    ] {
        let fields: Vec<_> = asks.into_iter().chain(fields).collect();
        assert_eq!(asked_by(&setup, &headers, &fields).await.error(), "invalid_request", "{headers:?}");
    }
    assert_eq!(asked_by(&setup, &[("authorization", &by_app)], &[]).await.error(), "invalid_request", "no token");
}

#[tokio::test]
async fn whatever_does_not_count_is_inactive_and_nothing_more() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let gone = setup.key("read").await;
    let of_gone = key_token(&setup, &gone).await;
    let over = key_token(&setup, &setup.key("read").await).await;
    let user = setup.account.user(store, Role::Admin).await;
    let personal = TestKey::personal(&setup.client, &user, "write").stored(store).await;
    let of_personal = key_token(&setup, &personal).await;
    let key = setup.key("read").await;
    let token = key_token(&setup, &key).await;
    assert_eq!(setup.introspected(&of_gone, 0.0).await["active"], true);
    store.key_revoke(&setup.client.id, &gone.record.id, &testkit::act()).await.unwrap();
    assert!(is_inactive(&setup.introspected(&of_gone, 5.0).await));
    assert!(is_inactive(&setup.introspected(&over, 900.0).await));
    assert_eq!(setup.introspected(&of_personal, 5.0).await["active"], true);
    change_user(store, &user, |user| user.role = Role::Member).await;
    assert!(is_inactive(&setup.introspected(&of_personal, 10.0).await), "nothing is left of what it says");
    let (head, signature) = token.rsplit_once('.').unwrap();
    for text in [
        "x",
        "a.b.c",
        head,
        &format!("{}.{signature}", changed(head)),
        key.plain.expose(),
        "agent_tok_0",
        "refresh_tok_0",
    ] {
        assert!(is_inactive(&setup.introspected(text, 10.0).await), "{text}");
    }
    let unknown = domain::RefreshToken::first(&domain::GrantId::random());
    assert!(is_inactive(&setup.introspected(unknown.expose(), 10.0).await));
    let app = setup.oauth_app("read", true).await;
    change_workspace(store, &setup.account.workspace, |it| it.status = WorkspaceStatus::Suspended).await;
    let answer = setup.form_by(&app, "/oauth/introspect", &[("token", &token)], 15.0).await;
    assert!(is_inactive(&answer.body), "a workspace that is closed opens no resource: {answer:?}");
}

#[tokio::test]
async fn a_refresh_token_that_gives_nothing_now_is_inactive() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let app = setup.oauth_app("read", false).await;
    let token = setup.tokens(&app, "read").await.text("refresh_token");
    assert_eq!(setup.introspected(&token, 0.0).await["active"], true);
    let change = async |before: &App, after: &App| {
        let deed = Deed::new(Action::AppUpdated, &app.id);
        store.app_change(&setup.client.id, before, after, deed, &testkit::act()).await.unwrap();
        store.app_by_id(&app.id).await.unwrap().unwrap()
    };
    let without = App { grant_types: vec![GrantType::AuthorizationCode], ..app.clone() };
    let without = change(&app, &without).await;
    assert!(is_inactive(&setup.introspected(&token, 0.0).await), "its app may not refresh any more");
    change(&without, &App { grant_types: app.grant_types.clone(), ..without.clone() }).await;
    assert_eq!(setup.introspected(&token, 0.0).await["active"], true);
    let asker = setup.oauth_app("read", true).await;
    change_workspace(store, &setup.account.workspace, |it| it.status = WorkspaceStatus::Suspended).await;
    let answer = setup.form_by(&asker, "/oauth/introspect", &[("token", &token)], 0.0).await;
    assert!(is_inactive(&answer.body), "nor does a closed workspace: {answer:?}");
}

#[tokio::test]
async fn an_agents_token_is_described_as_what_it_is_and_who_acts() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let key = setup.key("read write").await;
    let parent = TestAgent::new(&key, "parent", "read write").stored(store).await;
    let agent = parent.below(&key, "my-analysis-agent", "read").with(|grant| {
        grant.tools = domain::NameList::new(["search".to_owned()]);
        grant.expires_at = testkit::now().plus(600);
    });
    let agent = agent.stored(store).await;
    let expected = json!({
        "active": true, "scope": "read", "client_id": setup.client.id, "token_type": "Bearer", "sub": key.record.id,
        "exp": testkit::now().plus(600).unix(), "iat": testkit::now().unix(), "jti": agent.token.id,
        "agent_id": "my-analysis-agent", "tools": ["search"], "key_id": key.record.id,
        "workspace_id": setup.client.default_workspace_id, "env": "live",
    });
    assert_eq!(setup.introspected(agent.plain.expose(), 0.0).await, expected);
    let user = setup.account.user(store, Role::Member).await;
    let personal = TestKey::personal(&setup.client, &user, "read").stored(store).await;
    let theirs = TestAgent::new(&personal, "theirs", "read")
        .with(|grant| grant.workspace_id = setup.client.default_workspace_id.clone());
    let theirs = theirs.stored(store).await;
    assert_eq!(setup.introspected(theirs.plain.expose(), 0.0).await["sub"], json!(user.id));

    let stranger = setup.test.account().await;
    let foreign_app = setup.stored(testkit::app(Some(&stranger.client), Some("read"), Some(SECRET))).await;
    let asked = [("token", agent.plain.expose())];
    assert!(is_inactive(&setup.form_by(&foreign_app, "/oauth/introspect", &asked, 0.0).await.body));
    let mixed = changed(agent.plain.expose());
    let unknown = TestAgent::new(&key, "parent", "read");
    for text in [mixed.as_str(), unknown.plain.expose()] {
        assert!(is_inactive(&setup.introspected(text, 0.0).await));
    }
    assert!(is_inactive(&setup.introspected(agent.plain.expose(), 600.0).await), "it is over");
    store.agent_end(&setup.client.id, parent.id(), &testkit::act()).await.unwrap();
    assert!(is_inactive(&setup.introspected(agent.plain.expose(), 0.0).await), "the one above was ended");
}

#[tokio::test]
async fn another_clients_token_is_as_good_as_none() {
    let setup = Setup::new().await;
    let foreign = setup.test.account().await;
    let foreign_login = login(&setup, &foreign).await;
    let foreign_key = TestKey::new(&foreign.client, "read").stored(&setup.test.store).await;
    let foreign_token = key_token(&setup, &foreign_key).await;
    let foreign_app = setup.stored(testkit::app(Some(&foreign.client), Some("read"), Some(SECRET))).await;
    let app = setup.oauth_app("read", false).await;
    let own = setup.tokens(&app, "read").await;
    for token in [&foreign_login, &foreign_token] {
        assert!(is_inactive(&setup.introspected(token, 0.0).await));
    }
    for token in [own.text("access_token"), own.text("refresh_token")] {
        let answer = setup.form_by(&foreign_app, "/oauth/introspect", &[("token", &token)], 0.0).await;
        assert!(answer.status == 200 && is_inactive(&answer.body));
    }
}

#[tokio::test]
async fn the_keys_addresses_are_its_bearers_and_not_the_askers() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read");
    key.record.allowed_ips = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    let key = key.stored(&setup.test.store).await;
    let fields = [
        ("grant_type", "client_credentials"),
        ("client_id", setup.client.id.as_str()),
        ("client_secret", key.plain.expose()),
    ];
    let token = setup.form("/oauth/token", &fields, 0.0).await.text("access_token");
    let app = setup.oauth_app("read", true).await;
    let by_app = basic(app.id.as_str(), SECRET);
    let answer = asked_by(&setup, &[("authorization", &by_app)], &[("token", &token)]).await;
    assert_eq!(answer.body["active"], true, "asked from elsewhere");
    let mut admin = TestKey::new(&setup.client, "admin");
    admin.record.allowed_ips = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    let admin = admin.stored(&setup.test.store).await;
    let bearer = format!("Bearer {}", admin.plain.expose());
    let answer = asked_by(&setup, &[("authorization", &bearer)], &[("token", &token)]).await;
    assert_eq!(answer.error(), "invalid_client", "the asker's own addresses bind it");
}

#[tokio::test]
async fn a_test_key_learns_of_test_tokens_alone() {
    let setup = Setup::new().await;
    let test_key = |scopes| {
        let mut key = TestKey::new(&setup.client, scopes);
        key.record.environment = Environment::Test;
        key
    };
    let admin = test_key("admin").stored(&setup.test.store).await;
    let test = key_token(&setup, &test_key("read").stored(&setup.test.store).await).await;
    let live = key_token(&setup, &setup.key("read").await).await;
    let bearer = format!("Bearer {}", admin.plain.expose());
    let active = |token: String| {
        let (setup, bearer) = (&setup, &bearer);
        async move { asked_by(setup, &[("authorization", bearer)], &[("token", &token)]).await.body["active"].clone() }
    };
    assert_eq!((active(test).await, active(live).await), (Value::Bool(true), Value::Bool(false)));
}
