//! Revocation (O9; RFC 7009).

use serde_json::{Value, json};
use store::revoked::ENDS_PER_HOUR;
use testkit::{Fault, ImportedKey, TestAgent, TestKey, act, now};

use crate::oauth_setup::{Answer, SECRET, changed, is_inactive};
use crate::setup::Setup;

async fn revoke(setup: &Setup, token: &str, more: &[(&str, &str)], seconds: f64) -> Answer {
    let mut fields = vec![("token", token)];
    fields.extend(more);
    setup.form("/oauth/revoke", &fields, seconds).await
}

/// That the answer is 200 with nothing in it.
fn is_done(answer: &Answer) -> bool {
    answer.status == 200 && answer.body == Value::Null && answer.header("cache-control") == Some("no-store")
}

async fn is_active(setup: &Setup, token: &str, seconds: f64) -> bool {
    let body = setup.introspected(token, seconds).await;
    assert!(body["active"] == true || is_inactive(&body));
    body["active"] == true
}

async fn key_token(setup: &Setup, key: &TestKey) -> String {
    let (_, body) = setup.post("/auth/exchange", &json!({"api_key": key.plain.expose()}).to_string()).await;
    body["data"]["token"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refresh_token_ends_all_of_its_grant_when_its_app_shows_it() {
    let setup = Setup::new().await;
    let (public, confidential) = (setup.oauth_app("read", false).await, setup.oauth_app("read", true).await);
    for hint in [&[][..], &[("token_type_hint", "access_token")], &[("token_type_hint", "nonsense")]] {
        let tokens = setup.tokens(&public, "read").await;
        let fields: Vec<_> = [("client_id", public.id.as_str())].into_iter().chain(hint.iter().copied()).collect();
        assert!(is_done(&revoke(&setup, &tokens.text("refresh_token"), &fields, 0.0).await));
        assert!(!is_active(&setup, &tokens.text("access_token"), 5.0).await);
        assert_eq!(setup.refresh(&public, &tokens.text("refresh_token"), &[], 0.0).await.error(), "invalid_grant");
    }
    let code = setup.code(&confidential, &setup.account.owner, "read", |_| ()).await;
    let redemption = [
        ("grant_type", "authorization_code"),
        ("code", code.as_str()),
        ("redirect_uri", testkit::REDIRECT_URI),
        ("code_verifier", testkit::VERIFIER),
    ];
    let refresh = setup.form_by(&confidential, "/oauth/token", &redemption, 0.0).await.text("refresh_token");
    let named = [("client_id", confidential.id.as_str())];
    assert_eq!(revoke(&setup, &refresh, &named, 0.0).await.error(), "invalid_client", "it must prove itself");
    assert!(is_done(&setup.form_by(&confidential, "/oauth/revoke", &[("token", &refresh)], 0.0).await));
}

#[tokio::test]
async fn a_refresh_token_that_was_used_ends_its_grant_too() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let tokens = setup.tokens(&app, "read").await;
    let next = setup.refresh(&app, &tokens.text("refresh_token"), &[], 0.0).await;
    let named = [("client_id", app.id.as_str())];
    assert!(is_done(&revoke(&setup, &tokens.text("refresh_token"), &named, 60.0).await));
    assert_eq!(setup.refresh(&app, &next.text("refresh_token"), &[], 60.0).await.error(), "invalid_grant");
}

#[tokio::test]
async fn another_app_ends_nothing_and_who_is_none_is_told_so() {
    let setup = Setup::new().await;
    let (app, other) = (setup.oauth_app("read", false).await, setup.oauth_app("read", true).await);
    let tokens = setup.tokens(&app, "read").await;
    let wrong = changed(SECRET);
    for token in [tokens.text("access_token"), tokens.text("refresh_token")] {
        assert!(is_done(&setup.form_by(&other, "/oauth/revoke", &[("token", &token)], 0.0).await));
        for nobody in [
            &[][..],
            &[("client_id", "oc_0123456789abcdef")],
            &[("client_id", other.id.as_str()), ("client_secret", wrong.as_str())],
            &[("client_id", app.id.as_str()), ("client_secret", SECRET)],
        ] {
            assert_eq!(revoke(&setup, &token, nobody, 0.0).await.error(), "invalid_client", "{nobody:?}");
        }
    }
    let key = setup.key("admin").await;
    let by_key = [("client_id", setup.client.id.as_str()), ("client_secret", key.plain.expose())];
    assert_eq!(revoke(&setup, &tokens.text("access_token"), &by_key, 0.0).await.error(), "invalid_client");
    assert!(is_active(&setup, &tokens.text("access_token"), 5.0).await);
    assert_eq!(setup.refresh(&app, &tokens.text("refresh_token"), &[], 5.0).await.status, 200);
}

#[tokio::test]
async fn an_apps_access_token_ends_alone() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let tokens = setup.tokens(&app, "read").await;
    let second = setup.refresh(&app, &tokens.text("refresh_token"), &[], 0.0).await;
    assert!(is_done(&revoke(&setup, &tokens.text("access_token"), &[("client_id", app.id.as_str())], 0.0).await));
    assert!(!is_active(&setup, &tokens.text("access_token"), 5.0).await);
    assert!(is_active(&setup, &second.text("access_token"), 5.0).await);
    let own = setup.oauth_app("read", true).await;
    let token =
        setup.form_by(&own, "/oauth/token", &[("grant_type", "client_credentials")], 5.0).await.text("access_token");
    assert!(is_done(&setup.form_by(&own, "/oauth/revoke", &[("token", &token)], 5.0).await));
    assert!(!is_active(&setup, &token, 10.0).await);
}

#[tokio::test]
async fn whoever_has_a_token_of_a_key_or_a_login_ends_it() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let login = json!({"email": setup.account.owner.email, "password": testkit::PASSWORD}).to_string();
    let login = setup.post("/auth/token", &login).await.1["token"].as_str().unwrap().to_owned();
    let (token, kept) = (key_token(&setup, &key).await, key_token(&setup, &key).await);
    for token in [&token, &login] {
        assert!(is_active(&setup, token, 0.0).await);
        assert!(is_done(&revoke(&setup, token, &[], 0.0).await));
        assert!(!is_active(&setup, token, 5.0).await);
    }
    assert!(is_active(&setup, &kept, 5.0).await, "one token is one token");
    let by_key = [("client_id", setup.client.id.as_str()), ("client_secret", key.plain.expose())];
    assert!(is_done(&revoke(&setup, &kept, &by_key, 5.0).await), "as a client may, too");
    assert!(!is_active(&setup, &kept, 10.0).await);
}

#[tokio::test]
async fn a_tokens_end_reaches_another_process_within_five_seconds() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = key_token(&setup, &key).await;
    let other = identity::Identity::new(setup.test.another_connection(), testkit::audience());
    let judge = |seconds| {
        let (other, token) = (&other, &token);
        async move {
            let bearer = format!("Bearer {token}");
            let call = identity::Call::from_headers([("authorization", bearer.as_str())], None).unwrap();
            other.principal(&call, testkit::moment(seconds)).await.is_ok()
        }
    };
    assert!(judge(0.0).await);
    assert!(is_done(&revoke(&setup, &token, &[], 1.0).await));
    assert!(!judge(5.0).await);
    let cold = identity::Identity::new(setup.test.another_connection(), testkit::audience());
    let bearer = format!("Bearer {token}");
    let call = identity::Call::from_headers([("authorization", bearer.as_str())], None).unwrap();
    assert!(cold.principal(&call, testkit::moment(1.0)).await.is_err(), "nor does one that begins take it");
}

#[tokio::test]
async fn what_is_none_or_over_is_answered_as_if_it_were_ended() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = key_token(&setup, &key).await;
    let (head, signature) = token.rsplit_once('.').unwrap();
    let forged = format!("{}.{signature}", changed(head));
    for text in ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30.", head, &forged, "agent_tok_0", "0123456789"] {
        assert!(is_done(&revoke(&setup, text, &[], 0.0).await), "{text}");
    }
    assert!(is_done(&revoke(&setup, &token, &[], 900.0).await), "it is over by itself");
    assert!(
        setup.test.store.revoked_list(&setup.client.id, now()).await.unwrap().is_empty(),
        "and nothing is kept of all that"
    );
    let app = setup.oauth_app("read", false).await;
    let unknown = domain::RefreshToken::first(&domain::GrantId::random());
    assert!(is_done(&revoke(&setup, unknown.expose(), &[("client_id", app.id.as_str())], 0.0).await));
    for missing in [&[][..], &[("token", "")], &[("token_type_hint", "access_token")]] {
        assert_eq!(setup.form("/oauth/revoke", missing, 0.0).await.error(), "invalid_request");
    }
}

#[tokio::test]
async fn knowing_a_grants_id_ends_nothing() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let refresh = setup.tokens(&app, "read").await.text("refresh_token");
    let forged = domain::RefreshToken::first(&domain::RefreshToken::parse(&refresh).unwrap().grant());
    assert!(is_done(&revoke(&setup, forged.expose(), &[("client_id", app.id.as_str())], 0.0).await));
    assert_eq!(setup.refresh(&app, &refresh, &[], 5.0).await.status, 200);
}

#[tokio::test]
async fn a_key_is_not_seemingly_ended() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    setup.test.faults.reset_counts();
    let answer = revoke(&setup, key.plain.expose(), &[], 0.0).await;
    assert_eq!((answer.status, answer.error()), (400, "unsupported_token_type"));
    assert!(setup.test.faults.counts().is_empty(), "by its form alone");
}

#[tokio::test]
async fn nor_is_another_systems_key() {
    let setup = Setup::new().await;
    let (key, unknown) = (ImportedKey::new(&setup.client, "read"), ImportedKey::new(&setup.client, "read"));
    assert!(is_done(&revoke(&setup, &key.text, &[], 0.0).await), "as long as nobody has imported such keys it is none");
    let key = key.stored(&setup.test.store).await;
    for text in [&key.text, &unknown.text] {
        let answer = revoke(&setup, text, &[], 5.0).await;
        assert_eq!((answer.status, answer.error()), (400, "unsupported_token_type"), "{text}");
    }
    setup.test.faults.reset_counts();
    assert!(is_done(&revoke(&setup, &format!("{}0", key.text), &[], 5.0).await), "no pattern matches");
    assert_eq!(revoke(&setup, &key.text, &[], 5.0).await.status, 400);
    assert!(setup.test.faults.counts().is_empty(), "by the patterns alone, which are cached");
}

#[tokio::test]
async fn whoever_has_an_agents_token_ends_it_and_what_was_made_with_it() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let key = setup.key("read").await;
    let agent = TestAgent::new(&key, "agent", "read").stored(store).await;
    let below = agent.below(&key, "below", "read").stored(store).await;
    let other = TestAgent::of(agent.agent.grant.clone(), 1);
    let again = agent.agent.given(other.token.grant.clone(), &key.record, |_| false);
    store.agent_give(Some(&agent.agent), &again, &other.token, &act(), None).await.unwrap();
    for agent in [&agent, &below, &other] {
        assert!(is_active(&setup, agent.plain.expose(), 0.0).await);
    }
    let (own, foreign) = (agent.plain.expose(), other.plain.expose());
    for none in [changed(own), format!("{own}0"), own[..40].to_owned()] {
        assert!(is_done(&revoke(&setup, &none, &[], 0.0).await));
    }
    assert!(is_active(&setup, own, 0.0).await, "nothing of these was it");
    for _ in 0..2 {
        assert!(is_done(&revoke(&setup, own, &[], 0.0).await));
    }
    assert!(!is_active(&setup, own, 0.0).await);
    assert!(!is_active(&setup, below.plain.expose(), 0.0).await);
    assert!(is_active(&setup, foreign, 0.0).await, "the agent has another one");
    let listed = store.revoked_list(&setup.client.id, now()).await.unwrap();
    assert_eq!(listed, [agent.token.id.to_string()]);
    assert!(is_done(&revoke(&setup, foreign, &[], 3600.0).await), "it is over by itself");
    assert_eq!(store.revoked_list(&setup.client.id, now()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn too_many_ends_are_told_to_wait_and_end_nothing() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("read").await);
    let place = format!("#{}#{}", now().unix() / 3600, key.record.id);
    let count = [("pk", &*format!("REVOKED#{}", setup.client.id)), ("sk", &*place)];
    setup.test.put_raw("KeysTable", &count, &[("ended", u64::from(ENDS_PER_HOUR) - 1)]);
    assert!(is_done(&revoke(&setup, &key_token(&setup, &key).await, &[], 0.0).await), "the last one");
    let (token, others) = (key_token(&setup, &key).await, key_token(&setup, &other).await);
    let agent = TestAgent::new(&key, "agent", "read").stored(&setup.test.store).await;
    for text in [token.as_str(), agent.plain.expose()] {
        let answer = revoke(&setup, text, &[], 0.0).await;
        assert_eq!((answer.status, answer.error()), (429, "temporarily_unavailable"));
        let wait: i64 = answer.header("retry-after").unwrap().parse().unwrap();
        assert!((1..=3600).contains(&wait) && now().plus(wait).unix() % 3600 == 0, "{wait}");
        assert!(is_active(&setup, text, 0.0).await);
    }
    assert!(is_done(&revoke(&setup, &others, &[], 0.0).await), "another key's tokens are not counted with it");
    let ask = [("grant_type", "client_credentials"), ("client_id", key.record.id.as_str())];
    let ask: Vec<_> = ask.into_iter().chain([("client_secret", key.plain.expose())]).collect();
    let late = setup.form("/oauth/token", &ask, 3600.0).await.text("access_token");
    assert!(is_done(&revoke(&setup, &late, &[], 3600.0).await), "nor those of another hour");
    let listed = setup.test.store.revoked_list(&setup.client.id, now()).await.unwrap();
    assert_eq!(listed.len(), 3, "and no count among them: {listed:?}");
}

#[tokio::test]
async fn ended_twice_is_told_once() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = key_token(&setup, &key).await;
    let head = setup.test.store.feed_head().await.unwrap();
    for seconds in [0.0, 0.0, 5.0] {
        assert!(is_done(&revoke(&setup, &token, &[], seconds).await));
    }
    assert_eq!(setup.test.store.feed_head().await.unwrap(), head.next());
}

#[tokio::test]
async fn an_end_that_could_not_be_written_is_a_503_and_no_200() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = key_token(&setup, &key).await;
    setup.test.faults.always("TransactWriteItems", Fault::InternalError);
    let answer = revoke(&setup, &token, &[], 0.0).await;
    assert_eq!((answer.status, answer.error()), (503, "temporarily_unavailable"));
    setup.test.faults.heal();
    setup.test.faults.once("TransactWriteItems", Fault::LostAnswer);
    assert!(is_done(&revoke(&setup, &token, &[], 0.0).await));
    assert!(!is_active(&setup, &token, 5.0).await);
}
