//! `client_credentials` (RFC 6749, section 4.4): apps by their secrets, keys as secrets.

use domain::{App, WorkspaceStatus};
use serde_json::{Value, json};
use testkit::{TestKey, change_client, change_workspace, event, moment, now, request_of};

use crate::oauth_setup::{Answer, Fields, changed, form, form_from};
use crate::setup::Setup;

async fn by_key(setup: &Setup, id: &str, key: &str, more: Fields<'_>, seconds: f64) -> Answer {
    let mut fields = vec![("grant_type", "client_credentials"), ("client_id", id), ("client_secret", key)];
    fields.extend(more);
    setup.form("/oauth/token", &fields, seconds).await
}

async fn by_app(setup: &Setup, app: &App, more: Fields<'_>, seconds: f64) -> Answer {
    let mut fields = vec![("grant_type", "client_credentials")];
    fields.extend(more);
    setup.form_by(app, "/oauth/token", &fields, seconds).await
}

#[tokio::test]
async fn an_app_has_what_it_is_registered_for_or_less() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read insights:*", true).await;
    let answer = by_app(&setup, &app, &[], 0.0).await;
    assert_eq!((answer.text("scope"), &answer.body["expires_in"]), ("read insights:*".to_owned(), &json!(900)));
    assert_eq!(answer.body["refresh_token"], Value::Null, "never one here");
    let claims = setup.claims(&answer.body["access_token"]).await;
    assert_eq!((claims.sub.as_str(), &claims.app_id), (app.id.as_str(), &Some(app.id.clone())));
    assert_eq!((claims.client_id, claims.grant_id), (setup.client.id.clone(), None));
    assert_eq!(claims.billed_to, setup.account.workspace.owner_user_id);
    assert_eq!(claims.workspace_id, setup.client.default_workspace_id);
    let narrow = by_app(&setup, &app, &[("scope", "insights:read")], 0.0).await;
    assert_eq!(narrow.claims()["scope"], "insights:read");
    for wider in ["write", "admin", "read write", "no:such", "insights:a:b", "read,write"] {
        assert_eq!(by_app(&setup, &app, &[("scope", wider)], 0.0).await.error(), "invalid_scope", "{wider}");
    }
    let bound = by_app(&setup, &app, &[("resource", "https://mcp.example/mcp")], 0.0).await;
    assert_eq!(bound.claims()["aud"], "https://mcp.example/mcp");
    for bad in ["mcp", "http://mcp.example", "https://mcp.example#f"] {
        assert_eq!(by_app(&setup, &app, &[("resource", bad)], 0.0).await.error(), "invalid_target", "{bad}");
    }
}

#[tokio::test]
async fn an_app_without_a_secret_or_a_client_has_nothing_of_its_own() {
    let setup = Setup::new().await;
    let public = setup.oauth_app("read", false).await;
    let nobodys = setup.stored(testkit::app(None, None, None)).await;
    for app in [&public, &nobodys] {
        let fields = [("grant_type", "client_credentials"), ("client_id", app.id.as_str())];
        assert_eq!(setup.form("/oauth/token", &fields, 0.0).await.error(), "unauthorized_client");
    }
    let odd = setup.stored(testkit::app(None, Some("read"), Some(crate::oauth_setup::SECRET))).await;
    assert_eq!(by_app(&setup, &odd, &[], 0.0).await.error(), "unauthorized_client");
}

#[tokio::test]
async fn a_closed_workspace_and_the_clients_lifetime_count_for_apps_and_keys() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", true).await;
    let key = setup.key("read").await;
    change_client(&setup.test.store, &setup.client, |client| client.settings.token_lifetime = Some(60)).await;
    let id = setup.client.id.as_str();
    assert_eq!(by_app(&setup, &app, &[], 5.0).await.body["expires_in"], 60);
    assert_eq!(by_key(&setup, id, key.plain.expose(), &[], 5.0).await.body["expires_in"], 60);
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.status = WorkspaceStatus::Suspended).await;
    assert_eq!(by_app(&setup, &app, &[], 10.0).await.error(), "unauthorized_client");
    assert_eq!(by_key(&setup, id, key.plain.expose(), &[], 10.0).await.error(), "unauthorized_client");
}

#[tokio::test]
async fn a_key_is_the_secret_of_its_client_and_of_itself() {
    let setup = Setup::new().await;
    let key = setup.key("read insights:read").await;
    for id in [setup.client.id.as_str(), key.record.id.as_str()] {
        let answer = by_key(&setup, id, key.plain.expose(), &[], 0.0).await;
        assert_eq!((answer.text("scope"), &answer.body["expires_in"]), ("read insights:read".to_owned(), &json!(900)));
        assert_eq!(answer.body["refresh_token"], Value::Null);
        let claims = setup.claims(&answer.body["access_token"]).await;
        assert_eq!((claims.key_id, claims.app_id), (Some(key.record.id.clone()), None));
    }
    let narrow = by_key(&setup, setup.client.id.as_str(), key.plain.expose(), &[("scope", "read")], 0.0).await;
    assert_eq!(narrow.text("scope"), "read");
    for wider in ["write", "admin", "insights:*", "no:such"] {
        let answer = by_key(&setup, setup.client.id.as_str(), key.plain.expose(), &[("scope", wider)], 0.0).await;
        assert_eq!(answer.error(), "invalid_scope", "{wider}");
    }
    let bound =
        by_key(&setup, setup.client.id.as_str(), key.plain.expose(), &[("resource", "https://mcp.example/")], 0.0)
            .await;
    assert_eq!(bound.claims()["aud"], "https://mcp.example");
}

#[tokio::test]
async fn a_key_that_does_not_count_or_is_anothers_is_no_client() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("read").await);
    let foreign = setup.test.account().await.client;
    let foreign_key = TestKey::new(&foreign, "read").stored(&setup.test.store).await;
    let gone = setup.key("read").await;
    setup.test.store.key_revoke(&setup.client.id, &gone.record.id, &testkit::act()).await.unwrap();
    let own = setup.client.id.as_str();
    let mut bodies = Vec::new();
    for (id, secret) in [
        (own, gone.plain.expose()),
        (own, foreign_key.plain.expose()),
        (foreign.id.as_str(), key.plain.expose()),
        (other.record.id.as_str(), key.plain.expose()),
        (own, "x"),
        (own, ""),
        (own, &changed(key.plain.expose())),
        ("cl_0123456789abcdef", key.plain.expose()),
        (key.plain.expose(), key.plain.expose()),
    ] {
        let answer = by_key(&setup, id, secret, &[], 0.0).await;
        assert_eq!(answer.error(), "invalid_client", "{id}");
        bodies.push(answer.body);
    }
    assert!(bodies.windows(2).all(|pair| pair[0] == pair[1]), "one answer for all");
}

#[tokio::test]
async fn a_keys_addresses_bind_it_here_too() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read");
    key.record.allowed_ips = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    let key = key.stored(&setup.test.store).await;
    let fields = form(&[
        ("grant_type", "client_credentials"),
        ("client_id", setup.client.id.as_str()),
        ("client_secret", key.plain.expose()),
    ]);
    let inside = setup.oauth(form_from("192.0.2.7", "/oauth/token", &[], &fields), 0.0).await;
    assert_eq!(inside.status, 200);
    let forwarded = [("x-forwarded-for", "192.0.2.7")];
    let outside = setup.oauth(form_from("198.51.100.7", "/oauth/token", &forwarded, &fields), 0.0).await;
    assert_eq!(outside.error(), "invalid_client");
}

#[tokio::test]
async fn a_personal_key_names_its_workspace_and_gives_what_its_user_holds() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, domain::Role::Member).await;
    let key = TestKey::personal(&setup.client, &user, "read write").stored(&setup.test.store).await;
    let id = setup.client.id.as_str();
    let workspace = setup.client.default_workspace_id.as_str();
    let answer = by_key(&setup, id, key.plain.expose(), &[("workspace_id", workspace)], 0.0).await;
    assert_eq!((answer.text("scope"), &answer.claims()["sub"]), ("read".to_owned(), &json!(user.id)));
    let elsewhere = setup.test.account().await.workspace;
    let answer = by_key(&setup, id, key.plain.expose(), &[("workspace_id", elsewhere.id.as_str())], 0.0).await;
    assert_eq!(answer.error(), "unauthorized_client");
    let answer = by_key(&setup, id, key.plain.expose(), &[("workspace_id", "default")], 0.0).await;
    assert_eq!(answer.error(), "invalid_request");
}

#[tokio::test]
async fn an_exchange_here_is_counted_as_any() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    by_key(&setup, setup.client.id.as_str(), key.plain.expose(), &[], 0.0).await.text("access_token");
    by_key(&setup, setup.client.id.as_str(), key.plain.expose(), &[("scope", "write")], 0.0).await.error();
    by_key(&setup, setup.client.id.as_str(), &changed(key.plain.expose()), &[], 0.0).await.error();
    setup.app.usage.flush_or_warn(moment(0.0)).await;
    let hours = setup.test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
    assert_eq!(hours.into_values().map(|tally| tally.exchanges).collect::<Vec<_>>(), [1]);
}

#[tokio::test]
async fn the_sample_event_is_answered() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let filled = [("REPLACE_WITH_CLIENT_ID", setup.client.id.as_str()), ("REPLACE_WITH_KEY", key.plain.expose())];
    let event = event("token-exchange-oauth-token", &filled);
    assert_eq!(setup.oauth(request_of(&event), 0.0).await.text("scope"), "read");
}

#[tokio::test]
async fn a_warm_token_costs_one_read() {
    let setup = Setup::new().await;
    let (app, key) = (setup.oauth_app("read", true).await, setup.key("read").await);
    for _ in 0..2 {
        setup.test.faults.reset_counts();
        by_key(&setup, setup.client.id.as_str(), key.plain.expose(), &[], 0.0).await.text("access_token");
        by_app(&setup, &app, &[], 0.0).await.text("access_token");
    }
    assert_eq!(format!("{:?}", setup.test.faults.counts()), r#"{"GetItem": 2}"#, "one each");
}
