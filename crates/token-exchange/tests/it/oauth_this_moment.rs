//! What was taken away a moment ago is in no new token (decision 0039), although this function has what was there before in its
//! caches.

use domain::{Action, App, Deed, Role, ScopeSet, User, UserStatus, WorkspaceStatus};
use serde_json::json;
use testkit::{TestKey, act, change_user, change_workspace};

use crate::oauth_setup::{SECRET, basic, form, form_from};
use crate::setup::Setup;

/// The moment in which everything below happens: warm, and long before the feed would be read by itself.
const SOON: f64 = 0.5;

/// What is taken away.
#[derive(Clone, Copy, Debug)]
enum Loss {
    Role,
    AppScopes,
    User,
    Workspace,
}

impl Loss {
    const ALL: [Self; 4] = [Self::Role, Self::AppScopes, Self::User, Self::Workspace];

    async fn happen(self, setup: &Setup, app: &App, user: &User) {
        let store = &setup.test.store;
        match self {
            Self::Role => change_user(store, user, |user| user.role = Role::Member).await,
            Self::User => change_user(store, user, |user| user.status = UserStatus::Invited).await,
            Self::AppScopes => {
                let narrowed = App { scopes: ScopeSet::parse("read"), ..app.clone() };
                let deed = Deed::new(Action::AppUpdated, &app.id);
                store.app_change(&setup.client.id, app, &narrowed, deed, &act()).await.unwrap();
            }
            Self::Workspace => {
                let suspended = |it: &mut domain::Workspace| it.status = WorkspaceStatus::Suspended;
                change_workspace(store, &setup.account.workspace, suspended).await;
            }
        }
    }

    /// What is left: scopes, or an error.
    fn left(self) -> Result<&'static str, &'static str> {
        match self {
            Self::Role | Self::AppScopes => Ok("read"),
            Self::User | Self::Workspace => Err("invalid_grant"),
        }
    }
}

#[tokio::test]
async fn a_refresh_gives_nothing_that_was_taken_away_a_moment_ago() {
    for loss in Loss::ALL {
        let setup = Setup::new().await;
        let app = setup.oauth_app("read write", false).await;
        let user = setup.account.user(&setup.test.store, Role::Admin).await;
        let code = setup.code(&app, &user, "read write", |_| ()).await;
        let token = setup.redeem(&app, &code, 0.0).await.text("refresh_token");
        let token = setup.refresh(&app, &token, &[], 0.0).await.text("refresh_token");
        loss.happen(&setup, &app, &user).await;
        let answer = setup.refresh(&app, &token, &[], SOON).await;
        match loss.left() {
            Ok(scopes) => assert_eq!(answer.text("scope"), scopes, "{loss:?}"),
            Err(error) => assert_eq!(answer.error(), error, "{loss:?}"),
        }
    }
}

#[tokio::test]
async fn a_code_gives_nothing_that_was_taken_away_a_moment_ago() {
    for loss in Loss::ALL {
        let setup = Setup::new().await;
        let app = setup.oauth_app("read write", false).await;
        let user = setup.account.user(&setup.test.store, Role::Admin).await;
        let [first, second, last] = [0; 3].map(|_| setup.code(&app, &user, "read write", |_| ()));
        for code in [first.await, second.await] {
            assert_eq!(setup.redeem(&app, &code, 0.0).await.text("scope"), "read write");
        }
        let code = last.await;
        loss.happen(&setup, &app, &user).await;
        let answer = setup.redeem(&app, &code, SOON).await;
        match loss.left() {
            Ok(scopes) => assert_eq!(answer.text("scope"), scopes, "{loss:?}"),
            Err(error) => assert_eq!(answer.error(), error, "{loss:?}"),
        }
    }
}

/// Exchanges a token for one that is for a resource, which would not take the token itself.
async fn exchanged(setup: &Setup, subject: &str, more: &[(&str, &str)]) -> crate::oauth_setup::Answer {
    let mut fields = vec![
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", subject),
        ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ("resource", "https://mcp.example/mcp"),
    ];
    fields.extend(more);
    setup.form("/oauth/token", &fields, SOON).await
}

async fn key_token(setup: &Setup, key: &TestKey) -> String {
    let (_, body) = setup.post("/auth/exchange", &json!({"api_key": key.plain.expose()}).to_string()).await;
    body["data"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_token_of_a_key_that_was_revoked_a_moment_ago_has_no_children() {
    let setup = Setup::new().await;
    let (key, acting) = (setup.key("read").await, setup.key("read").await);
    let (token, actor) = (key_token(&setup, &key).await, key_token(&setup, &acting).await);
    let by_actor =
        [("actor_token", actor.as_str()), ("actor_token_type", "urn:ietf:params:oauth:token-type:access_token")];
    assert_eq!(exchanged(&setup, &token, &by_actor).await.status, 200);
    setup.test.store.key_revoke(&setup.client.id, &acting.record.id, &act()).await.unwrap();
    assert_eq!(exchanged(&setup, &token, &by_actor).await.error(), "invalid_request");
    let of_key = [
        ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
        ("subject_token", key.plain.expose()),
        ("subject_token_type", "urn:keygate:params:oauth:token-type:api_key"),
    ];
    let with_actor: Vec<_> = of_key.into_iter().chain(by_actor).collect();
    assert_eq!(setup.form("/oauth/token", &with_actor, SOON).await.error(), "invalid_request");
    assert_eq!(exchanged(&setup, &token, &[]).await.status, 200);
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &act()).await.unwrap();
    assert_eq!(exchanged(&setup, &token, &[]).await.error(), "invalid_request");
}

#[tokio::test]
async fn whoever_was_revoked_a_moment_ago_is_told_of_no_token() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let token = key_token(&setup, &key).await;
    let asked = async |authorization: &str| {
        let headers = [("authorization", authorization)];
        setup.oauth(form_from("192.0.2.7", "/oauth/introspect", &headers, &form(&[("token", &token)])), SOON).await
    };
    let ways = [format!("Bearer {}", admin.plain.expose()), basic(setup.client.id.as_str(), admin.plain.expose())];
    for way in &ways {
        assert_eq!(asked(way).await.body["active"], true);
    }
    setup.test.store.key_revoke(&setup.client.id, &admin.record.id, &act()).await.unwrap();
    for way in &ways {
        assert_eq!(asked(way).await.error(), "invalid_client");
    }
    assert_eq!(asked(&basic(setup.oauth_app("read", true).await.id.as_str(), SECRET)).await.body["active"], true);
}
