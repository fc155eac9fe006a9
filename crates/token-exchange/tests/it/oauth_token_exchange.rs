//! Token exchange (O10; RFC 8693).

use domain::{App, Claims, Role, ScopeSet, WorkspaceStatus};
use serde_json::{Value, json};
use testkit::{TestKey, change_client, change_user, change_workspace};

use crate::oauth_setup::{Answer, Fields, SECRET, changed, claims_of, form, form_from, is_inactive};
use crate::setup::Setup;

const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
const API_KEY: &str = "urn:keygate:params:oauth:token-type:api_key";
const RESOURCE: &str = "https://mcp.example/mcp";

async fn exchange(setup: &Setup, subject: &str, kind: &str, more: Fields<'_>, seconds: f64) -> Answer {
    let mut fields = vec![("grant_type", GRANT_TYPE), ("subject_token", subject), ("subject_token_type", kind)];
    fields.extend(more);
    setup.form("/oauth/token", &fields, seconds).await
}

async fn of_token(setup: &Setup, subject: &str, more: Fields<'_>) -> Answer {
    exchange(setup, subject, ACCESS_TOKEN, more, 0.0).await
}

/// A token of a key's.
async fn token(setup: &Setup, key: &TestKey) -> String {
    exchange(setup, key.plain.expose(), API_KEY, &[], 0.0).await.text("access_token")
}

async fn login(setup: &Setup) -> String {
    let body = json!({"email": setup.account.owner.email, "password": testkit::PASSWORD}).to_string();
    setup.post("/auth/token", &body).await.1["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_key_is_exchanged_as_at_its_own_door() {
    let setup = Setup::new().await;
    let key = setup.key("read insights:*").await;
    let answer = exchange(&setup, key.plain.expose(), API_KEY, &[("requested_token_type", ACCESS_TOKEN)], 0.0).await;
    assert_eq!(
        (answer.text("issued_token_type"), answer.text("token_type")),
        (ACCESS_TOKEN.to_owned(), "Bearer".to_owned())
    );
    assert_eq!((answer.text("scope"), &answer.body["expires_in"]), ("read insights:*".to_owned(), &json!(900)));
    assert_eq!(answer.body["refresh_token"], Value::Null);
    let claims = setup.claims(&answer.body["access_token"]).await;
    assert_eq!((claims.key_id, claims.parent_jti, claims.act), (Some(key.record.id.clone()), None, None));
    let narrow = exchange(&setup, key.plain.expose(), API_KEY, &[("scope", "insights:read")], 0.0).await;
    assert_eq!(narrow.text("scope"), "insights:read");
    for wider in ["write", "admin", "no:such"] {
        let answer = exchange(&setup, key.plain.expose(), API_KEY, &[("scope", wider)], 0.0).await;
        assert_eq!(answer.error(), "invalid_scope", "{wider}");
    }
}

#[tokio::test]
async fn a_child_says_what_its_parent_says_and_no_more() {
    let setup = Setup::new().await;
    let key = setup.key("read insights:*").await;
    let parent = token(&setup, &key).await;
    let answer = of_token(&setup, &parent, &[("scope", "insights:read")]).await;
    assert_eq!(
        (answer.text("scope"), answer.text("issued_token_type")),
        ("insights:read".to_owned(), ACCESS_TOKEN.to_owned())
    );
    let (said, child) = (claims_of(&parent), answer.claims());
    for same in
        ["iss", "sub", "aud", "client_id", "key_id", "secret_version", "workspace_id", "env", "billed_to", "exp"]
    {
        assert_eq!(child[same], said[same], "{same}");
    }
    assert_eq!(child["parent_jti"], said["jti"]);
    assert_ne!(child["jti"], said["jti"]);
    let grandchild = of_token(&setup, &answer.text("access_token"), &[]).await;
    let both = format!("{} {}", child["jti"].as_str().unwrap(), said["jti"].as_str().unwrap());
    assert_eq!(grandchild.claims()["parent_jti"], both.as_str(), "bound to all of them");
    assert_eq!(grandchild.text("scope"), "insights:read");
    for wider in ["read", "insights:*", "insights:read read", "admin"] {
        let refused = of_token(&setup, &answer.text("access_token"), &[("scope", wider)]).await;
        assert_eq!(refused.error(), "invalid_scope", "{wider}: the key has it, the token has not");
    }
}

#[tokio::test]
async fn a_child_never_outlives_its_parent() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let parent = token(&setup, &key).await;
    change_client(&setup.test.store, &setup.client, |client| client.settings.token_lifetime = Some(3600)).await;
    let late = exchange(&setup, &parent, ACCESS_TOKEN, &[], 800.0).await;
    assert_eq!(late.body["expires_in"], 100);
    assert_eq!(late.claims()["exp"], claims_of(&parent)["exp"]);
    assert_eq!(exchange(&setup, &parent, ACCESS_TOKEN, &[], 900.0).await.error(), "invalid_request");
    let mut short = TestKey::new(&setup.client, "read");
    short.record.expires_at = Some(testkit::now().plus(1000));
    let short = short.stored(&setup.test.store).await;
    let answer = exchange(&setup, short.plain.expose(), API_KEY, &[], 800.0).await;
    assert_eq!(answer.body["expires_in"], 200, "nor does a key's token the key");
}

#[tokio::test]
async fn a_childs_end_comes_with_any_of_its_ancestors() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let parent = token(&setup, &key).await;
    let child = of_token(&setup, &parent, &[]).await.text("access_token");
    let grandchild = of_token(&setup, &child, &[]).await.text("access_token");
    assert_eq!(setup.introspected(&grandchild, 0.0).await["active"], true);
    assert_eq!(setup.form("/oauth/revoke", &[("token", &parent)], 0.0).await.status, 200);
    for (seconds, token) in [(5.0, &parent), (5.0, &child), (5.0, &grandchild)] {
        assert!(is_inactive(&setup.introspected(token, seconds).await));
        assert_eq!(exchange(&setup, token, ACCESS_TOKEN, &[], seconds).await.error(), "invalid_request");
    }
    let other = exchange(&setup, key.plain.expose(), API_KEY, &[], 5.0).await;
    assert_eq!(other.status, 200, "the key itself lives on");
}

#[tokio::test]
async fn tokens_are_exchanged_eight_times_one_after_the_other() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let mut current = token(&setup, &key).await;
    for _ in 0..Claims::MAX_ANCESTORS {
        current = of_token(&setup, &current, &[]).await.text("access_token");
    }
    assert_eq!(of_token(&setup, &current, &[]).await.error(), "invalid_request");
}

#[tokio::test]
async fn a_token_that_is_bound_to_a_resource_stays_so() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let client = setup.client.id.as_str();
    let free = token(&setup, &key).await;
    for (asked, aud) in [
        (&[][..], client),
        (&[("resource", RESOURCE)], RESOURCE),
        (&[("audience", RESOURCE)], RESOURCE),
        (&[("audience", client)], client),
        (&[("audience", RESOURCE), ("resource", RESOURCE)], RESOURCE),
    ] {
        assert_eq!(of_token(&setup, &free, asked).await.claims()["aud"], aud, "{asked:?}");
        let by_key = exchange(&setup, key.plain.expose(), API_KEY, asked, 0.0).await;
        assert_eq!(by_key.claims()["aud"], aud, "{asked:?}");
    }
    let bound = of_token(&setup, &free, &[("resource", RESOURCE)]).await.text("access_token");
    for same in [&[][..], &[("resource", RESOURCE)], &[("audience", RESOURCE)]] {
        assert_eq!(of_token(&setup, &bound, same).await.claims()["aud"], RESOURCE, "{same:?}");
    }
    for other in [
        &[("resource", "https://other.example")][..],
        &[("resource", "https://mcp.example")],
        &[("audience", client)],
        &[("audience", testkit::ISSUER)],
        &[("resource", RESOURCE), ("audience", client)],
    ] {
        assert_eq!(of_token(&setup, &bound, other).await.error(), "invalid_target", "{other:?}");
    }
    for bad in [&[("audience", "api")][..], &[("resource", "urn:x")], &[("resource", RESOURCE), ("audience", client)]] {
        assert_eq!(of_token(&setup, &free, bad).await.error(), "invalid_target", "{bad:?}");
    }
}

#[tokio::test]
async fn an_actor_is_named_when_it_proves_itself_and_those_before_it_inside() {
    let setup = Setup::new().await;
    let (key, one, two) = (setup.key("read").await, setup.key("read").await, setup.key("write").await);
    let by_key = [("actor_token", one.plain.expose()), ("actor_token_type", API_KEY)];
    let first = exchange(&setup, key.plain.expose(), API_KEY, &by_key, 0.0).await;
    assert_eq!(first.claims()["act"], json!({"sub": one.record.id}));
    let second_actor = token(&setup, &two).await;
    let by_token = [("actor_token", second_actor.as_str()), ("actor_token_type", ACCESS_TOKEN)];
    let second = of_token(&setup, &first.text("access_token"), &by_token).await;
    assert_eq!(second.claims()["act"], json!({"sub": two.record.id, "act": {"sub": one.record.id}}));
    assert_eq!(second.claims()["sub"], json!(key.record.id), "the subject is who it was");
    assert_eq!(second.text("scope"), "read", "and the actor adds nothing");
    let third = of_token(&setup, &second.text("access_token"), &[]).await;
    assert_eq!(third.claims()["act"], second.claims()["act"], "who has acted is not forgotten");
    assert_eq!(setup.introspected(&third.text("access_token"), 0.0).await["act"], third.claims()["act"]);
}

#[tokio::test]
async fn an_actor_that_proves_nothing_is_none() {
    let setup = Setup::new().await;
    let (key, actor) = (setup.key("read").await, setup.key("read").await);
    let foreign = setup.test.account().await.client;
    let foreign = TestKey::new(&foreign, "read").stored(&setup.test.store).await;
    let actors_token = token(&setup, &actor).await;
    let bound = of_token(&setup, &actors_token, &[("resource", RESOURCE)]).await.text("access_token");
    let tampered =
        changed(&actors_token[..actors_token.rfind('.').unwrap()]) + &actors_token[actors_token.rfind('.').unwrap()..];
    for actor in [
        &[("actor_token", actor.plain.expose())][..],
        &[("actor_token_type", API_KEY)],
        &[("actor_token", "x"), ("actor_token_type", API_KEY)],
        &[("actor_token", actor.plain.expose()), ("actor_token_type", ACCESS_TOKEN)],
        &[("actor_token", &actors_token), ("actor_token_type", API_KEY)],
        &[("actor_token", &actors_token), ("actor_token_type", "urn:ietf:params:oauth:token-type:jwt")],
        &[("actor_token", &tampered), ("actor_token_type", ACCESS_TOKEN)],
        &[("actor_token", foreign.plain.expose()), ("actor_token_type", API_KEY)],
        // Whoever serves that resource has the token as well.
        &[("actor_token", &bound), ("actor_token_type", ACCESS_TOKEN)],
    ] {
        let answer = exchange(&setup, key.plain.expose(), API_KEY, actor, 0.0).await;
        assert_eq!(answer.error(), "invalid_request", "{actor:?}");
    }
}

#[tokio::test]
async fn a_subject_that_does_not_count_is_an_invalid_request() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let good = token(&setup, &key).await;
    let gone = setup.key("read").await;
    let of_gone = token(&setup, &gone).await;
    setup.test.store.key_revoke(&setup.client.id, &gone.record.id, &testkit::act()).await.unwrap();
    let (head, signature) = good.rsplit_once('.').unwrap();
    let agent = domain::AgentToken::random();
    for (subject, kind) in [
        ("x", ACCESS_TOKEN),
        ("x", API_KEY),
        (key.plain.expose(), ACCESS_TOKEN),
        (good.as_str(), API_KEY),
        (good.as_str(), "urn:ietf:params:oauth:token-type:jwt"),
        (good.as_str(), "access_token"),
        (good.as_str(), ""),
        ("", ACCESS_TOKEN),
        (gone.plain.expose(), API_KEY),
        (of_gone.as_str(), ACCESS_TOKEN),
        (head, ACCESS_TOKEN),
        (&format!("{}.{signature}", changed(head)), ACCESS_TOKEN),
        (agent.expose(), ACCESS_TOKEN),
        (agent.expose(), API_KEY),
    ] {
        let answer = exchange(&setup, subject, kind, &[], 5.0).await;
        assert_eq!((answer.status, answer.error()), (400, "invalid_request"), "{kind}");
    }
    for asked in ["urn:ietf:params:oauth:token-type:refresh_token", "urn:ietf:params:oauth:token-type:jwt", "x"] {
        let answer = of_token(&setup, &good, &[("requested_token_type", asked)]).await;
        assert_eq!(answer.error(), "invalid_request", "{asked}");
    }
}

#[tokio::test]
async fn a_client_that_authenticates_must_be_the_one_and_none_has_to() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let subject = token(&setup, &key).await;
    let app = setup.oauth_app("read", true).await;
    let fields = [("grant_type", GRANT_TYPE), ("subject_token", &subject), ("subject_token_type", ACCESS_TOKEN)];
    assert_eq!(setup.form_by(&app, "/oauth/token", &fields, 0.0).await.status, 200);
    let own = [("client_id", setup.client.id.as_str()), ("client_secret", key.plain.expose())];
    assert_eq!(of_token(&setup, &subject, &own).await.status, 200);
    let wrong = changed(SECRET);
    for (id, secret) in [(app.id.as_str(), wrong.as_str()), (setup.client.id.as_str(), "x"), ("x", SECRET)] {
        let answer = of_token(&setup, &subject, &[("client_id", id), ("client_secret", secret)]).await;
        assert_eq!(answer.error(), "invalid_client", "{id}");
    }
}

#[tokio::test]
async fn a_logins_child_has_its_scopes_and_not_its_role() {
    let setup = Setup::new().await;
    let login = login(&setup).await;
    let child = of_token(&setup, &login, &[]).await;
    assert_eq!(child.text("scope"), "admin read write");
    assert_eq!(child.claims()["parent_jti"], claims_of(&login)["jti"]);
    let narrow = of_token(&setup, &login, &[("scope", "read")]).await;
    assert_eq!(narrow.text("scope"), "read");
    assert_eq!(of_token(&setup, &narrow.text("access_token"), &[("scope", "write")]).await.error(), "invalid_scope");
    for (token, is_login) in [(login, true), (child.text("access_token"), false)] {
        let bearer = format!("Bearer {token}");
        let call = identity::Call::from_headers([("authorization", bearer.as_str())], None).unwrap();
        let principal = setup.app.identity.principal(&call, testkit::moment(0.0)).await.unwrap();
        assert_eq!(principal.logged_in().is_some(), is_login);
    }
}

#[tokio::test]
async fn an_apps_token_is_exchanged_within_what_the_grant_still_gives() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let app: App = setup.oauth_app("read write", false).await;
    let user = setup.account.user(store, Role::Admin).await;
    let code = setup.code(&app, &user, "read write", |_| ()).await;
    let tokens = setup.redeem(&app, &code, 0.0).await;
    let subject = tokens.text("access_token");
    let child = of_token(&setup, &subject, &[("scope", "write")]).await;
    for same in ["app_id", "grant_id", "sub", "exp"] {
        assert_eq!(child.claims()[same], claims_of(&subject)[same], "{same}");
    }
    change_user(store, &user, |user| user.role = Role::Member).await;
    let later = exchange(&setup, &subject, ACCESS_TOKEN, &[], 5.0).await;
    assert_eq!(later.text("scope"), "read");
    let nothing = exchange(&setup, &child.text("access_token"), ACCESS_TOKEN, &[], 5.0).await;
    assert_eq!(nothing.error(), "invalid_scope");
    let revoked = [("token", tokens.body["refresh_token"].as_str().unwrap()), ("client_id", app.id.as_str())];
    assert_eq!(setup.form("/oauth/revoke", &revoked, 5.0).await.status, 200);
    assert_eq!(exchange(&setup, &subject, ACCESS_TOKEN, &[], 10.0).await.error(), "invalid_request");
}

#[tokio::test]
async fn addresses_and_workspaces_bind_a_subject_here_too() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read");
    key.record.allowed_ips = serde_json::from_str(r#"["192.0.2.0/24"]"#).unwrap();
    let key = key.stored(&setup.test.store).await;
    let subject = token(&setup, &key).await;
    for (text, kind) in [(subject.as_str(), ACCESS_TOKEN), (key.plain.expose(), API_KEY)] {
        let fields = form(&[("grant_type", GRANT_TYPE), ("subject_token", text), ("subject_token_type", kind)]);
        let outside = setup.oauth(form_from("198.51.100.7", "/oauth/token", &[], &fields), 0.0).await;
        assert_eq!(outside.error(), "invalid_request");
        assert_eq!(setup.oauth(form_from("192.0.2.9", "/oauth/token", &[], &fields), 0.0).await.status, 200);
    }
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.status = WorkspaceStatus::Suspended).await;
    for (text, kind) in [(subject.as_str(), ACCESS_TOKEN), (key.plain.expose(), API_KEY)] {
        assert_eq!(exchange(&setup, text, kind, &[], 5.0).await.error(), "invalid_request");
    }
}

#[tokio::test]
async fn a_token_is_bound_to_its_workspace_whatever_is_asked_for() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = token(&setup, &key).await;
    let own = setup.account.workspace.id.clone();
    let answer = of_token(&setup, &token, &[("workspace_id", own.as_str())]).await;
    assert_eq!(answer.claims()["workspace_id"], json!(own));
    for other in ["ws_0123456789abcdef", "default", "ws_"] {
        let answer = of_token(&setup, &token, &[("workspace_id", other)]).await;
        assert_eq!((answer.status, answer.error()), (400, "invalid_request"), "{other}");
    }
}

#[tokio::test]
async fn what_a_key_is_narrowed_to_binds_its_tokens_children() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let subject = token(&setup, &key).await;
    let mut narrower = key.record.clone();
    narrower.scopes = ScopeSet::parse("read").unwrap();
    let deed = domain::Deed::new(domain::Action::KeyUpdated, &key.record.id);
    setup.test.store.key_change(&key.record, &narrower, deed, &testkit::act(), None).await.unwrap();
    assert_eq!(exchange(&setup, &subject, ACCESS_TOKEN, &[], 5.0).await.text("scope"), "read");
    assert_eq!(exchange(&setup, &subject, ACCESS_TOKEN, &[("scope", "write")], 5.0).await.error(), "invalid_scope");
}

#[tokio::test]
async fn a_warm_exchange_of_a_token_costs_one_read_of_the_feed() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let subject = token(&setup, &key).await;
    of_token(&setup, &subject, &[]).await.text("access_token");
    setup.test.faults.reset_counts();
    of_token(&setup, &subject, &[]).await.text("access_token");
    assert_eq!(format!("{:?}", setup.test.faults.counts()), r#"{"Query": 1}"#);
}
