//! Codes redeemed (O5, O6; RFC 6749, section 4.1.3; RFC 7636).

use domain::{AppId, GrantId, Outcome, Resource, Role, UserStatus};
use serde_json::{Value, json};
use store::audit::AuditFilter;
use testkit::{Fault, REDIRECT_URI, VERIFIER, change_client, change_user, change_workspace, now};

use crate::oauth_setup::{is_inactive, redemption};
use crate::setup::Setup;

const RESOURCE: &str = "https://mcp.example/mcp";

#[tokio::test]
async fn a_code_is_redeemed_for_what_was_granted() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read write logs:read", false).await;
    let code = setup.code(&app, &setup.account.owner, "read write", |_| ()).await;
    let answer = setup.redeem(&app, &code, 0.0).await;
    assert_eq!((answer.text("token_type"), answer.text("scope")), ("Bearer".to_owned(), "read write".to_owned()));
    assert_eq!(answer.body["expires_in"], 900);
    assert!(answer.text("refresh_token").starts_with("refresh_tok_"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    let claims = setup.claims(&answer.body["access_token"]).await;
    assert_eq!((&claims.app_id, claims.sub.as_str()), (&Some(app.id.clone()), setup.account.owner.id.as_str()));
    assert_eq!((&claims.client_id, claims.aud.as_str()), (&setup.client.id, setup.client.id.as_str()));
    assert_eq!((claims.key_id, claims.act, claims.parent_jti), (None, None, None));
    assert_eq!(claims.exp - claims.iat, 900);
    let grant = setup.test.store.grant_by_id(&claims.grant_id.unwrap()).await.unwrap().unwrap();
    assert_eq!((grant.scopes.to_string(), grant.user_id), ("read write".to_owned(), setup.account.owner.id.clone()));
    assert_eq!(setup.introspected(&answer.text("access_token"), 0.0).await["active"], true);
}

#[tokio::test]
async fn only_an_app_that_is_registered_for_them_gets_refresh_tokens() {
    let setup = Setup::new().await;
    change_client(&setup.test.store, &setup.client, |client| client.settings.token_lifetime = Some(120)).await;
    let mut app = testkit::app(Some(&setup.client), Some("read"), None);
    app.grant_types = vec![domain::GrantType::AuthorizationCode];
    let app = setup.stored(app).await;
    let answer = setup.tokens(&app, "read").await;
    assert_eq!((answer.status, &answer.body["refresh_token"]), (200, &Value::Null));
    assert_eq!(answer.body["expires_in"], 120);
    let id = GrantId::parse(answer.claims()["grant_id"].as_str().unwrap()).unwrap();
    let grant = setup.test.store.grant_by_id(&id).await.unwrap().unwrap();
    assert_eq!((grant.refresh, grant.expires_at), (None, now().plus(120)), "it ends with its only token");
}

#[tokio::test]
async fn a_token_is_bound_to_the_resource_that_was_granted() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let resource = Resource::parse(RESOURCE);
    let code = setup.code(&app, &setup.account.owner, "read", |code| code.resource = resource.clone()).await;
    for other in ["https://mcp.example/other", "https://mcp.example", "not a url", "https://mcp.example/mcp#f"] {
        let fields: Vec<_> = redemption(&app, &code).into_iter().chain([("resource", other)]).collect();
        assert_eq!(setup.form("/oauth/token", &fields, 0.0).await.error(), "invalid_target", "{other}");
    }
    let fields: Vec<_> = redemption(&app, &code).into_iter().chain([("resource", RESOURCE)]).collect();
    assert_eq!(setup.form("/oauth/token", &fields, 0.0).await.claims()["aud"], RESOURCE);
    assert_eq!(setup.tokens_for(&app, "read", RESOURCE).await.claims()["aud"], RESOURCE, "left out, it stays");
    let unbound = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    let fields: Vec<_> = redemption(&app, &unbound).into_iter().chain([("resource", RESOURCE)]).collect();
    assert_eq!(setup.form("/oauth/token", &fields, 0.0).await.error(), "invalid_target", "nobody has granted that");
}

/// Each of these is `invalid_grant`, or no request, and leaves the code as it was: whoever has seen a code and no more can
/// neither use it nor use it up, before it is redeemed or after.
#[tokio::test]
async fn who_has_a_code_and_not_all_that_belongs_to_it_changes_nothing() {
    let setup = Setup::new().await;
    let (app, other) = (setup.oauth_app("read", false).await, setup.oauth_app("read", false).await);
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    let good = redemption(&app, &code);
    let with = |name: &'static str, value: &'static str| {
        let mut fields = good;
        fields.iter_mut().filter(|field| field.0 == name).for_each(|field| field.1 = value);
        fields
    };
    let mut foreign = good;
    foreign[4].1 = other.id.as_str();
    let wrong = [
        foreign,
        with("code", "0000000000000000000000000000000000000000000"),
        with("redirect_uri", "https://app.example/callback/"),
        with("redirect_uri", "https://app.example/Callback"),
        with("code_verifier", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXkk"),
        with("code_verifier", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        with("code_verifier", "short"),
    ];
    let missing = ["code", "redirect_uri", "code_verifier"].map(|name| with(name, ""));
    let try_all = || async {
        for fields in &wrong {
            assert_eq!(setup.form("/oauth/token", fields, 0.0).await.error(), "invalid_grant", "{fields:?}");
        }
        for fields in &missing {
            assert_eq!(setup.form("/oauth/token", fields, 0.0).await.error(), "invalid_request", "{fields:?}");
        }
    };
    try_all().await;
    let answer = setup.redeem(&app, &code, 0.0).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    try_all().await;
    assert_eq!(setup.introspected(&answer.text("access_token"), 5.0).await["active"], true, "no lever after it either");
}

#[tokio::test]
async fn a_code_lives_for_a_minute() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let (late, in_time) = (
        setup.code(&app, &setup.account.owner, "read", |_| ()).await,
        setup.code(&app, &setup.account.owner, "read", |_| ()).await,
    );
    assert_eq!(setup.redeem(&app, &in_time, 59.0).await.status, 200);
    assert_eq!(setup.redeem(&app, &late, 60.0).await.error(), "invalid_grant");
}

#[tokio::test]
async fn a_replay_ends_what_was_issued_even_after_the_codes_minute() {
    for seconds in [0.5, 3600.0] {
        let setup = Setup::new().await;
        let app = setup.oauth_app("read", false).await;
        let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
        change_client(&setup.test.store, &setup.client, |client| client.settings.token_lifetime = Some(3600)).await;
        let answer = setup.redeem(&app, &code, 0.0).await;
        let refresh = answer.text("refresh_token");
        assert_eq!(setup.redeem(&app, &code, seconds).await.error(), "invalid_grant");
        assert_eq!(setup.refresh(&app, &refresh, &[], seconds).await.error(), "invalid_grant");
        assert!(is_inactive(&setup.introspected(&answer.text("access_token"), seconds + 5.0).await));
    }
}

#[tokio::test]
async fn a_replay_is_noted_once_as_whoever_was_robbed_must_learn_of_it() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    let grant = setup.redeem(&app, &code, 0.0).await.claims()["grant_id"].clone();
    let noted = async || {
        let filter = AuditFilter { action: Some("app.code_replayed".to_owned()), ..AuditFilter::default() };
        setup.test.store.audit_list(&setup.client.id, &filter, 100, None).await.unwrap().events
    };
    let mut guess = redemption(&app, &code);
    guess[3].1 = "another-verifier-of-the-right-length-0123456789";
    assert_eq!(setup.form("/oauth/token", &guess, 1.0).await.error(), "invalid_grant");
    assert!(noted().await.is_empty(), "who has the code alone changes nothing");
    for _ in 0..3 {
        assert_eq!(setup.redeem(&app, &code, 1.0).await.error(), "invalid_grant");
    }
    let [event] = &noted().await[..] else { panic!("{:?}", noted().await) };
    assert_eq!((event.object.id.as_str(), &event.details["grant_id"]), (app.id.as_str(), &grant));
    assert_eq!(event.details["user_id"], setup.account.owner.id.as_str());
    assert_eq!((event.outcome, &event.hash), (Outcome::Refused, &None));
}

#[tokio::test]
async fn a_replay_that_cannot_be_noted_ends_the_grant_all_the_same() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    let refresh = setup.redeem(&app, &code, 0.0).await.text("refresh_token");
    setup.test.faults.always("PutItem", Fault::InternalError);
    assert_eq!(setup.redeem(&app, &code, 1.0).await.error(), "invalid_grant");
    setup.test.faults.heal();
    assert_eq!(setup.refresh(&app, &refresh, &[], 1.0).await.error(), "invalid_grant");
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_redemptions_at_once_one_succeeds_and_the_others_are_its_replays() {
    let setup = std::sync::Arc::new(Setup::new().await);
    let app = setup.oauth_app("read", false).await;
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    let mut racing = Vec::new();
    for _ in 0..20 {
        let (setup, app, code) = (setup.clone(), app.clone(), code.clone());
        racing.push(tokio::spawn(async move { setup.redeem(&app, &code, 0.0).await }));
    }
    let (mut won, mut refused) = (Vec::new(), 0);
    for call in racing {
        let answer = call.await.unwrap();
        match answer.status {
            200 => won.push(answer.text("access_token")),
            // Who meets the others too often is told to try again.
            503 => assert_eq!(answer.error(), "temporarily_unavailable"),
            _ => {
                assert_eq!(answer.error(), "invalid_grant");
                refused += 1;
            }
        }
    }
    let [token] = &won[..] else { panic!("{} of 20 succeeded", won.len()) };
    assert!(refused > 0);
    assert!(is_inactive(&setup.introspected(token, 5.0).await), "two had the code: nobody keeps what it gave");
}

#[tokio::test]
async fn who_is_gone_or_has_lost_it_all_grants_nothing() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let app = setup.oauth_app("read logs:read", false).await;
    let user = setup.account.user(store, Role::Admin).await;
    let codes = [
        setup.code(&app, &user, "read logs:read", |_| ()).await,
        setup.code(&app, &user, "logs:read", |_| ()).await,
        setup.code(&app, &user, "read", |_| ()).await,
    ];
    change_user(store, &user, |user| user.role = Role::Member).await;
    assert_eq!(setup.redeem(&app, &codes[0], 4.0).await.text("scope"), "read", "a member holds no more");
    assert_eq!(setup.redeem(&app, &codes[1], 4.0).await.error(), "invalid_grant");
    change_user(store, &user, |user| user.status = UserStatus::Invited).await;
    assert_eq!(setup.redeem(&app, &codes[2], 8.0).await.error(), "invalid_grant");

    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    let deed = domain::Deed::new(domain::Action::ClientUpdated, &app.id);
    store.app_remove(&setup.client.id, &app, deed, &testkit::act()).await.unwrap();
    assert_eq!(setup.redeem(&app, &code, 8.0).await.error(), "invalid_client", "the app is gone at once");
}

#[tokio::test]
async fn a_suspended_workspace_gives_no_tokens() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let tokens = setup.tokens(&app, "read").await;
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    change_workspace(&setup.test.store, &setup.account.workspace, |it| {
        it.status = domain::WorkspaceStatus::Suspended;
    })
    .await;
    assert_eq!(setup.redeem(&app, &code, 5.0).await.error(), "invalid_grant");
    assert_eq!(setup.refresh(&app, &tokens.text("refresh_token"), &[], 5.0).await.error(), "invalid_grant");
}

#[tokio::test]
async fn an_app_that_a_document_describes_redeems_the_codes_that_it_was_given() {
    let setup = Setup::new().await;
    let mut app = testkit::app(None, None, None);
    app.id = AppId::parse("https://app.example/oauth/client.json").unwrap();
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    let mut foreign = redemption(&app, &code);
    foreign[4].1 = "https://evil.example/client.json";
    assert_eq!(setup.form("/oauth/token", &foreign, 0.0).await.error(), "invalid_grant");
    let answer = setup.redeem(&app, &code, 0.0).await;
    assert_eq!(answer.claims()["app_id"], json!(app.id));
    let next = setup.refresh(&app, &answer.text("refresh_token"), &[], 0.0).await;
    assert_eq!(next.text("scope"), "read");
    let secret = [("grant_type", "client_credentials"), ("client_id", app.id.as_str()), ("client_secret", "x")];
    assert_eq!(setup.form("/oauth/token", &secret, 0.0).await.error(), "invalid_client");
    let own = [("grant_type", "client_credentials"), ("client_id", app.id.as_str())];
    assert_eq!(setup.form("/oauth/token", &own, 0.0).await.error(), "unauthorized_client");
}

#[tokio::test]
async fn a_confidential_app_redeems_with_its_secret_alone() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", true).await;
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    assert_eq!(setup.redeem(&app, &code, 0.0).await.error(), "invalid_client");
    let fields = [
        ("grant_type", "authorization_code"),
        ("code", &code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
    ];
    assert_eq!(setup.form_by(&app, "/oauth/token", &fields, 0.0).await.status, 200);
}

#[tokio::test]
async fn an_answer_of_the_store_that_was_lost_is_no_replay() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    // The last: its own repetition finds the transaction under way, which was made all the same.
    for faults in
        [&[Fault::LostAnswer][..], &[Fault::TransactionConflict], &[Fault::LostAnswer, Fault::TransactionConflict]]
    {
        let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
        for fault in faults {
            setup.test.faults.once("TransactWriteItems", *fault);
        }
        let answer = setup.redeem(&app, &code, 0.0).await;
        assert_eq!(answer.status, 200, "{faults:?}: {answer:?}");
        assert_eq!(setup.introspected(&answer.text("access_token"), 5.0).await["active"], true);
    }
}

/// The token's answer is lost behind the transaction: nobody can tell the client's repetition from a thief's.
#[tokio::test]
async fn a_redemption_whose_answer_never_came_is_a_replay_when_it_is_repeated() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    for _ in 0..3 {
        setup.test.faults.once("TransactWriteItems", Fault::LostAnswer);
    }
    let answer = setup.redeem(&app, &code, 0.0).await;
    assert_eq!((answer.status, answer.error()), (503, "temporarily_unavailable"));
    setup.test.faults.heal();
    assert_eq!(setup.redeem(&app, &code, 1.0).await.error(), "invalid_grant");
    let led_to = setup.test.store.code_find(&domain::HashedKey::of_text(&code)).await.unwrap().unwrap().redeemed_for;
    let grant = setup.test.store.grant_by_id(&led_to.unwrap()).await.unwrap().unwrap();
    assert!(grant.ended_at.is_some(), "and leaves nothing behind that counts");
}

#[tokio::test]
async fn a_warm_redemption_is_two_reads_the_feed_and_one_transaction() {
    let setup = Setup::new().await;
    let app = setup.oauth_app("read", false).await;
    for _ in 0..2 {
        setup.tokens(&app, "read").await;
    }
    let code = setup.code(&app, &setup.account.owner, "read", |_| ()).await;
    setup.test.faults.reset_counts();
    assert_eq!(setup.redeem(&app, &code, 0.0).await.status, 200);
    let counts = setup.test.faults.counts();
    assert_eq!(format!("{counts:?}"), r#"{"GetItem": 2, "Query": 1, "TransactWriteItems": 1}"#);
}
