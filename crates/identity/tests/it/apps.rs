//! Tokens of apps, and tokens that were ended one by one: on what they stand, and when they stop.

use domain::{Action, App, AppGrant, AuthorizationCode, Claims, Deed, GrantId, Issue, Role, Scope, ScopeSet};
use identity::{Refusal, RefusalReason};
use testkit::{ISSUER, change_user, moment, now};

use crate::setup::Setup;

fn scopes(text: &str) -> ScopeSet {
    ScopeSet::parse(text).unwrap()
}

/// An app of the client's, with a secret.
async fn app(setup: &Setup, held: &str) -> App {
    let app = testkit::app(Some(&setup.client), Some(held), Some("secret"));
    let deed = Deed::new(Action::AppCreated, &app.id);
    setup.test.store.app_create(&setup.client.id, &app, deed, &testkit::act(), None).await.unwrap();
    app
}

fn issue(setup: &Setup) -> Issue<'_> {
    Issue {
        issuer: ISSUER,
        client_id: &setup.client.id,
        workspace_id: &setup.account.workspace.id,
        at: now(),
        ends: now().plus(900),
    }
}

/// What the owner has granted to `app`.
async fn grant(setup: &Setup, app: &App, granted: &str) -> AppGrant {
    let plain = AuthorizationCode::random();
    let code = testkit::authorization_code(&plain, app, &setup.account.owner, &setup.client, granted);
    let (grant, _) = testkit::grant_of(&code);
    setup.test.store.code_create(&code).await.unwrap();
    setup.test.store.code_redeem(&code, &grant).await.unwrap();
    grant
}

fn reason(outcome: Result<identity::Principal, Refusal>) -> RefusalReason {
    match outcome {
        Err(Refusal::Unauthorized { reason, key: None }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_granted_token_speaks_of_its_user_and_of_no_role() {
    let setup = Setup::new().await;
    let app = app(&setup, "read write").await;
    let grant = grant(&setup, &app, "read").await;
    let token = setup.signer.sign(&Claims::of_grant(issue(&setup), &grant, scopes("read"))).unwrap();
    let principal = setup.by_token(&token, moment(0.0)).await.unwrap();
    assert_eq!(principal.user_id(), Some(&setup.account.owner.id));
    assert!(principal.logged_in().is_none() && principal.key().is_none());
    assert!(principal.covers(&Scope::parse("read").unwrap()));
    assert!(!principal.covers(&Scope::parse("write").unwrap()) && !principal.covers(&Scope::parse("admin").unwrap()));
    setup.calls();
    setup.by_token(&token, moment(0.1)).await.unwrap();
    assert_eq!(setup.calls(), [], "warm and fresh it costs no call");
}

#[tokio::test]
async fn a_granted_token_ends_with_its_grant_its_app_and_its_user() {
    for ended in ["grant", "app", "user"] {
        let setup = Setup::new().await;
        let app = app(&setup, "read write").await;
        let grant = grant(&setup, &app, "read").await;
        let token = setup.signer.sign(&Claims::of_grant(issue(&setup), &grant, scopes("read"))).unwrap();
        setup.by_token(&token, moment(0.0)).await.unwrap();
        let (store, act) = (&setup.test.store, testkit::act());
        match ended {
            "grant" => store.grant_end(&grant.id, &act).await.unwrap(),
            "app" => {
                let deed = Deed::new(Action::AppRemoved, &app.id);
                store.app_remove(&setup.client.id, &app, deed, &act).await.unwrap();
            }
            _ => {
                change_user(store, &setup.account.owner, |user| user.status = domain::UserStatus::Invited).await;
            }
        }
        setup.by_token(&token, moment(3.9)).await.unwrap();
        let refused = reason(setup.by_token(&token, moment(4.0)).await);
        let expected = if ended == "user" { RefusalReason::UnknownUser } else { RefusalReason::GrantEnded };
        assert_eq!(refused, expected, "{ended}");
    }
}

#[tokio::test]
async fn a_granted_token_holds_what_its_user_and_its_app_still_hold() {
    let setup = Setup::new().await;
    let app = app(&setup, "read write").await;
    let grant = grant(&setup, &app, "read write").await;
    let token = setup.signer.sign(&Claims::of_grant(issue(&setup), &grant, scopes("read write"))).unwrap();
    let held = async |seconds| setup.by_token(&token, moment(seconds)).await.unwrap().scopes().len();
    assert_eq!(held(0.0).await, 2);
    change_user(&setup.test.store, &setup.account.owner, |user| user.role = Role::Member).await;
    assert_eq!(held(4.0).await, 1, "a member holds `read` alone");
    let narrowed = App { scopes: Some(scopes("write")), ..app.clone() };
    let deed = Deed::new(Action::AppUpdated, &app.id);
    setup.test.store.app_change(&setup.client.id, &app, &narrowed, deed, &testkit::act()).await.unwrap();
    assert_eq!(held(8.0).await, 0, "and the app may not have that any more");
}

#[tokio::test]
async fn a_grant_that_says_otherwise_than_the_token_is_none() {
    let setup = Setup::new().await;
    let (app, other) = (app(&setup, "read").await, app(&setup, "read").await);
    let grant = grant(&setup, &app, "read").await;
    let claims = Claims::of_grant(issue(&setup), &grant, scopes("read"));
    let stranger = setup.test.account().await;
    for wrong in [
        Claims { grant_id: Some(GrantId::random()), ..claims.clone() },
        Claims { app_id: Some(other.id.clone()), ..claims.clone() },
        Claims { sub: stranger.owner.id.to_string(), ..claims.clone() },
    ] {
        let token = setup.signer.sign(&wrong).unwrap();
        assert_eq!(reason(setup.by_token(&token, moment(0.0)).await), RefusalReason::GrantEnded);
    }
}

#[tokio::test]
async fn an_apps_own_token_is_the_apps_and_ends_with_it() {
    let setup = Setup::new().await;
    let app = app(&setup, "read write").await;
    let claims = Claims::of_app(issue(&setup), &app, scopes("read"), &setup.account.workspace);
    let token = setup.signer.sign(&claims).unwrap();
    let principal = setup.by_token(&token, moment(0.0)).await.unwrap();
    assert_eq!((principal.actor(), principal.user_id()), (app.id.as_str(), None));
    assert_eq!(principal.payer(&setup.account.workspace), &setup.account.owner.id);
    let deed = Deed::new(Action::AppRemoved, &app.id);
    setup.test.store.app_remove(&setup.client.id, &app, deed, &testkit::act()).await.unwrap();
    assert_eq!(reason(setup.by_token(&token, moment(4.0)).await), RefusalReason::GrantEnded);
}

#[tokio::test]
async fn a_token_that_was_ended_ends_within_five_seconds_with_all_that_was_exchanged_from_it() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let parent = setup.claims(&key);
    let child = parent.child(issue(&setup), scopes("read")).unwrap();
    let grandchild = child.child(issue(&setup), scopes("read")).unwrap();
    let sign = |claims: &Claims| setup.signer.sign(claims).unwrap();
    let (other, own) = (setup.token(&key), sign(&parent));
    let all = [own, sign(&child), sign(&grandchild)];
    for token in &all {
        setup.by_token(token, moment(0.0)).await.unwrap();
    }
    setup.end_token(&parent.jti).await;
    for token in &all {
        assert_eq!(reason(setup.by_token(token, moment(4.0)).await), RefusalReason::TokenEnded);
    }
    setup.by_token(&other, moment(4.0)).await.unwrap();
    // An instance that begins now knows it too.
    let cold = identity::Identity::new(setup.test.store.clone(), testkit::audience());
    let header = format!("Bearer {}", all[2]);
    let call = crate::setup::call(identity::Credential::from_authorization(&header).unwrap());
    assert_eq!(reason(cold.principal(&call, moment(4.0)).await), RefusalReason::TokenEnded);
}

#[tokio::test]
async fn a_token_that_was_exchanged_from_a_login_carries_no_role() {
    let setup = Setup::new().await;
    let login = testkit::login_claims(&setup.account.owner, &setup.account.workspace, scopes("admin read write"));
    let child = login.child(issue(&setup), scopes("read")).unwrap();
    let by = async |claims: &Claims| setup.by_token(&setup.signer.sign(claims).unwrap(), moment(0.0)).await.unwrap();
    assert!(by(&login).await.logged_in().is_some());
    let child = by(&child).await;
    assert!(child.logged_in().is_none() && child.user_id().is_some());
}
