//! Refresh tokens (O8; RFC 6749, section 6; RFC 9700, section 4.14.2).

use std::collections::BTreeSet;
use std::sync::Arc;

use domain::app_grant::GRANT_LIFETIME;
use domain::{App, Role};
use store::audit::AuditFilter;
use testkit::{Fault, change_user};

use crate::oauth_setup::{changed, is_inactive};
use crate::setup::Setup;

async fn app(setup: &Setup) -> App {
    setup.oauth_app("read write", false).await
}

async fn first(setup: &Setup, app: &App) -> String {
    setup.tokens(app, "read write").await.text("refresh_token")
}

/// How often the audit log says that a refresh token of the app's was used twice.
async fn noted(setup: &Setup, app: &App) -> usize {
    let filter = AuditFilter { action: Some("app.refresh_reused".to_owned()), ..AuditFilter::default() };
    let events = setup.test.store.audit_list(&setup.client.id, &filter, 100, None).await.unwrap().events;
    assert!(events.iter().all(|event| event.object.id == app.id.as_str() && event.hash.is_none()));
    assert!(events.iter().all(|event| event.details["user_id"] == setup.account.owner.id.as_str()));
    events.len()
}

#[tokio::test]
async fn each_refresh_gives_the_next_token_and_a_new_access_token() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let (mut token, mut seen) = (first(&setup, &app).await, BTreeSet::new());
    for round in 0_u8..4 {
        let answer = setup.refresh(&app, &token, &[], 60.0 * f64::from(round)).await;
        assert_eq!((answer.text("scope"), &answer.body["expires_in"]), ("read write".to_owned(), &900.into()));
        let next = answer.text("refresh_token");
        assert_ne!(next, token);
        assert!(seen.insert(answer.claims()["jti"].as_str().unwrap().to_owned()));
        token = next;
    }
    assert_eq!(noted(&setup, &app).await, 0);
}

#[tokio::test]
async fn a_scope_narrows_the_access_token_alone_and_never_widens() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    for wider in ["read write logs:read", "admin", "no:such", "read  write", "read:*", "\"", " "] {
        let answer = setup.refresh(&app, &token, &[("scope", wider)], 0.0).await;
        assert_eq!(answer.error(), "invalid_scope", "{wider}");
    }
    let narrow = setup.refresh(&app, &token, &[("scope", "read")], 0.0).await;
    assert_eq!((narrow.text("scope"), &narrow.claims()["scope"]), ("read".to_owned(), &"read".into()));
    let wide = setup.refresh(&app, &narrow.text("refresh_token"), &[], 0.0).await;
    assert_eq!(wide.text("scope"), "read write", "the grant is what it was");
}

#[tokio::test]
async fn the_resource_stays_the_granted_one() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = setup.tokens_for(&app, "read", "https://mcp.example/mcp").await.text("refresh_token");
    let other = setup.refresh(&app, &token, &[("resource", "https://other.example")], 0.0).await;
    assert_eq!(other.error(), "invalid_target");
    let same = setup.refresh(&app, &token, &[("resource", "https://mcp.example/mcp")], 0.0).await;
    assert_eq!(same.claims()["aud"], "https://mcp.example/mcp");
    let left_out = setup.refresh(&app, &same.text("refresh_token"), &[], 0.0).await;
    assert_eq!(left_out.claims()["aud"], "https://mcp.example/mcp");
    let unbound = first(&setup, &app).await;
    let asked = setup.refresh(&app, &unbound, &[("resource", "https://mcp.example/mcp")], 0.0).await;
    assert_eq!(asked.error(), "invalid_target");
}

#[tokio::test]
async fn a_lost_answer_is_given_again_for_ten_seconds() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let lost = setup.refresh(&app, &token, &[], 100.0).await;
    for seconds in [100.0, 105.0, 109.9] {
        let again = setup.refresh(&app, &token, &[], seconds).await;
        assert_eq!(again.text("refresh_token"), lost.text("refresh_token"), "the very same successor");
    }
    let next = setup.refresh(&app, &lost.text("refresh_token"), &[], 109.9).await;
    assert_eq!(next.status, 200, "and it counts");
    assert_eq!(noted(&setup, &app).await, 0);
}

#[tokio::test]
async fn a_token_used_after_its_moment_ends_the_grant_for_both_holders() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let answer = setup.refresh(&app, &token, &[], 0.0).await;
    assert_eq!(setup.introspected(&answer.text("access_token"), 0.0).await["active"], true);
    assert_eq!(setup.refresh(&app, &token, &[], 10.0).await.error(), "invalid_grant");
    assert_eq!(setup.refresh(&app, &answer.text("refresh_token"), &[], 10.0).await.error(), "invalid_grant");
    assert!(is_inactive(&setup.introspected(&answer.text("access_token"), 15.0).await));
    for _ in 0..3 {
        assert_eq!(setup.refresh(&app, &token, &[], 15.0).await.error(), "invalid_grant");
    }
    assert_eq!(noted(&setup, &app).await, 1, "once, whoever goes on trying");
}

#[tokio::test]
async fn a_predecessor_is_dead_once_its_successor_was_used() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let second = setup.refresh(&app, &token, &[], 0.0).await.text("refresh_token");
    let third = setup.refresh(&app, &second, &[], 1.0).await.text("refresh_token");
    assert_eq!(setup.refresh(&app, &token, &[], 2.0).await.error(), "invalid_grant");
    assert_eq!(setup.refresh(&app, &third, &[], 2.0).await.error(), "invalid_grant", "two had the first one");
    assert_eq!(noted(&setup, &app).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_refreshes_at_once_get_one_and_the_same_successor() {
    let setup = Arc::new(Setup::new().await);
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let mut racing = Vec::new();
    for _ in 0..20 {
        let (setup, app, token) = (setup.clone(), app.clone(), token.clone());
        racing.push(tokio::spawn(async move { setup.refresh(&app, &token, &[], 1.0).await }));
    }
    let mut successors = BTreeSet::new();
    for call in racing {
        let answer = call.await.unwrap();
        if answer.status == 503 {
            // Who meets the others too often is told to try again.
            assert_eq!(answer.error(), "temporarily_unavailable");
            continue;
        }
        successors.insert(answer.text("refresh_token"));
    }
    assert_eq!(successors.len(), 1, "{successors:?}");
    let next = setup.refresh(&app, successors.first().unwrap(), &[], 2.0).await;
    assert_eq!(next.status, 200, "a client that asks twice at once has not reused anything");
    assert_eq!(noted(&setup, &app).await, 0);
}

#[tokio::test]
async fn what_is_not_this_apps_or_not_known_changes_nothing() {
    let setup = Setup::new().await;
    let (app, other) = (app(&setup).await, app(&setup).await);
    let token = first(&setup, &app).await;
    assert_eq!(setup.refresh(&other, &token, &[], 0.0).await.error(), "invalid_grant");
    let used = token.clone();
    let token = setup.refresh(&app, &token, &[], 0.0).await.text("refresh_token");
    assert_eq!(setup.refresh(&other, &used, &[], 60.0).await.error(), "invalid_grant", "nor by another's used one");
    // The grant's id is in the token and in each access token: knowing it must end nothing.
    let named = format!("{}{}", &token[..28], "0".repeat(token.len() - 28));
    for unknown in
        [named.as_str(), "", "refresh_tok_", &token[1..], "x", &format!("{token}0"), &changed("refresh_tok_0")]
    {
        let answer = setup.refresh(&app, unknown, &[], 60.0).await;
        let expected = if unknown.is_empty() { "invalid_request" } else { "invalid_grant" };
        assert_eq!(answer.error(), expected, "{unknown}");
    }
    assert_eq!(setup.refresh(&app, &token, &[], 60.0).await.status, 200);
}

#[tokio::test]
async fn the_end_of_a_grant_is_never_put_off() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let mut token = first(&setup, &app).await;
    #[expect(clippy::cast_precision_loss, reason = "90 days in seconds are few")]
    let end = GRANT_LIFETIME as f64;
    for seconds in [end / 2.0, end - 100.0] {
        token = setup.refresh(&app, &token, &[], seconds).await.text("refresh_token");
    }
    let last = setup.refresh(&app, &token, &[], end - 50.0).await;
    assert_eq!(last.body["expires_in"], 50, "no token outlives it");
    assert_eq!(setup.refresh(&app, &last.text("refresh_token"), &[], end).await.error(), "invalid_grant");
}

#[tokio::test]
async fn what_the_user_has_lost_the_next_token_lacks() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let app = setup.oauth_app("read write", false).await;
    let user = setup.account.user(store, Role::Admin).await;
    let code = setup.code(&app, &user, "read write", |_| ()).await;
    let token = setup.redeem(&app, &code, 0.0).await.text("refresh_token");
    change_user(store, &user, |user| user.role = Role::Member).await;
    let answer = setup.refresh(&app, &token, &[("scope", "write")], 5.0).await;
    assert_eq!(answer.error(), "invalid_scope");
    let answer = setup.refresh(&app, &token, &[], 5.0).await;
    assert_eq!(answer.text("scope"), "read");
    change_user(store, &user, |user| user.role = Role::Admin).await;
    let again = setup.refresh(&app, &answer.text("refresh_token"), &[], 10.0).await;
    assert_eq!(again.text("scope"), "read write", "and has again what the user has again");
}

#[tokio::test]
async fn a_refresh_whose_answer_was_lost_at_the_store_is_one_rotation() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let mut token = first(&setup, &app).await;
    for faults in [
        &[Fault::LostAnswer][..],
        &[Fault::TransactionConflict],
        &[Fault::Throttle],
        &[Fault::LostAnswer, Fault::TransactionConflict],
    ] {
        for fault in faults {
            setup.test.faults.once("TransactWriteItems", *fault);
        }
        let answer = setup.refresh(&app, &token, &[], 0.0).await;
        let again = setup.refresh(&app, &token, &[], 1.0).await;
        assert_eq!(again.text("refresh_token"), answer.text("refresh_token"), "{faults:?}");
        token = answer.text("refresh_token");
    }
    // All the SDK's tries: the client is told 503 and asks again.
    for _ in 0..3 {
        setup.test.faults.once("TransactWriteItems", Fault::LostAnswer);
    }
    assert_eq!(setup.refresh(&app, &token, &[], 2.0).await.status, 503);
    setup.test.faults.heal();
    let repeated = setup.refresh(&app, &token, &[], 3.0).await;
    assert_eq!(setup.refresh(&app, &repeated.text("refresh_token"), &[], 4.0).await.status, 200);
    assert_eq!(noted(&setup, &app).await, 0);
}

#[tokio::test]
async fn a_note_that_cannot_be_written_holds_up_no_end() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let next = setup.refresh(&app, &token, &[], 0.0).await.text("refresh_token");
    setup.test.faults.always("PutItem", Fault::InternalError);
    assert_eq!(setup.refresh(&app, &token, &[], 20.0).await.error(), "invalid_grant");
    setup.test.faults.heal();
    assert_eq!(setup.refresh(&app, &next, &[], 20.0).await.error(), "invalid_grant");
    assert_eq!(noted(&setup, &app).await, 0);
}

#[tokio::test]
async fn a_reuse_that_cannot_end_the_grant_is_a_503_and_ends_it_later() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let next = setup.refresh(&app, &token, &[], 0.0).await.text("refresh_token");
    setup.test.faults.always("TransactWriteItems", Fault::InternalError);
    assert_eq!(setup.refresh(&app, &token, &[], 20.0).await.status, 503);
    setup.test.faults.heal();
    assert_eq!(setup.refresh(&app, &token, &[], 20.0).await.error(), "invalid_grant");
    assert_eq!(setup.refresh(&app, &next, &[], 20.0).await.error(), "invalid_grant");
}

#[tokio::test]
async fn what_is_kept_of_refresh_tokens_opens_nothing() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let next = setup.refresh(&app, &token, &[], 0.0).await.text("refresh_token");
    let grant = domain::RefreshToken::parse(&token).unwrap().grant();
    let kept = setup.test.store.grant_by_id(&grant).await.unwrap().unwrap().refresh.unwrap();
    let shown = format!("{kept:?}");
    let sealed = kept.predecessor.unwrap().successor;
    for secret in [&token, &next] {
        assert!(!shown.contains(&secret[28..]));
        assert!(!sealed.windows(16).any(|part| secret.as_bytes().windows(16).any(|plain| plain == part)));
    }
}

#[tokio::test]
async fn a_warm_refresh_is_two_reads_the_feed_and_one_write() {
    let setup = Setup::new().await;
    let app = app(&setup).await;
    let token = first(&setup, &app).await;
    let token = setup.refresh(&app, &token, &[], 0.0).await.text("refresh_token");
    setup.test.faults.reset_counts();
    assert_eq!(setup.refresh(&app, &token, &[], 0.0).await.status, 200);
    assert_eq!(format!("{:?}", setup.test.faults.counts()), r#"{"GetItem": 2, "Query": 1, "TransactWriteItems": 1}"#);
    setup.test.faults.reset_counts();
    assert_eq!(setup.refresh(&app, &token, &[], 0.0).await.status, 200);
    assert_eq!(
        format!("{:?}", setup.test.faults.counts()),
        r#"{"GetItem": 2, "Query": 1}"#,
        "the same again writes nothing"
    );
}
