//! Changes reach functions that have everything cached within five seconds.

use domain::{Environment, KeyRefusal, Role, Scope, Unreachable};
use identity::{Call, Credential, Identity, Named, Principal, Refusal, RefusalReason};
use serde_json::{Value, json};
use testkit::{TestKey, audience, moment};

use crate::setup::Setup;

/// A function elsewhere, as warm as can be.
struct Elsewhere {
    identity: Identity,
}

impl Elsewhere {
    fn new(setup: &Setup) -> Self {
        Self { identity: Identity::new(setup.test.another_connection(), audience()) }
    }

    async fn by_key(&self, key: &TestKey, at: f64) -> Result<Principal, Refusal> {
        self.by_token(key.plain.expose(), at).await
    }

    async fn by_token(&self, token: &str, at: f64) -> Result<Principal, Refusal> {
        let header = format!("Bearer {token}");
        let credential = Credential::from_authorization(&header).unwrap();
        self.identity.principal(&Call { credential, address: None, workspace: Named::None }, moment(at)).await
    }
}

async fn change(setup: &Setup, method: &str, path: &str, body: Option<Value>) {
    let (status, answer) = setup.call(&setup.owner(), method, path, body).await;
    assert!((200..300).contains(&status), "{answer}");
}

fn reason<T: std::fmt::Debug>(outcome: Result<T, Refusal>) -> RefusalReason {
    match outcome {
        Err(Refusal::Unauthorized { reason, .. }) => reason,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn personal_keys_that_are_switched_off_stop_within_five_seconds() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let (personal, shared) = (setup.personal_key(&bob, "read").await, TestKey::new(&setup.account.client, "read"));
    let shared = shared.stored(&setup.test.store).await;
    let elsewhere = Elsewhere::new(&setup);
    for at in [0.0, 4.0] {
        assert!(elsewhere.by_key(&personal, at).await.unwrap().workspace().is_ok());
    }
    let path = format!("/workspaces/{}", setup.account.workspace.id);
    change(&setup, "PATCH", &path, Some(json!({"personal_keys_allowed": false}))).await;
    assert!(elsewhere.by_key(&personal, 7.9).await.unwrap().workspace().is_ok(), "not told yet");
    let off = elsewhere.by_key(&personal, 8.0).await.unwrap();
    assert_eq!(off.workspace().unwrap_err(), Unreachable::PersonalKeysOff);
    assert!(elsewhere.by_key(&shared, 8.0).await.unwrap().workspace().is_ok(), "a workspace's own go on");
    change(&setup, "PATCH", &path, Some(json!({"personal_keys_allowed": true}))).await;
    assert!(elsewhere.by_key(&personal, 12.0).await.unwrap().workspace().is_ok());
}

#[tokio::test]
async fn a_suspended_workspace_is_closed_within_five_seconds_to_keys_and_people() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let (personal, login) = (setup.personal_key(&bob, "read").await, setup.login(&bob));
    let shared = TestKey::new(&setup.account.client, "read").stored(&setup.test.store).await;
    let elsewhere = Elsewhere::new(&setup);
    for at in [0.0, 4.0] {
        elsewhere.by_key(&personal, at).await.unwrap();
        elsewhere.by_key(&shared, at).await.unwrap();
        elsewhere.by_token(&login, at).await.unwrap();
    }
    let path = format!("/workspaces/{}", setup.account.workspace.id);
    change(&setup, "PATCH", &path, Some(json!({"status": "suspended"}))).await;
    for principal in [
        elsewhere.by_key(&personal, 8.0).await.unwrap(),
        elsewhere.by_key(&shared, 8.0).await.unwrap(),
        elsewhere.by_token(&login, 8.0).await.unwrap(),
    ] {
        assert_eq!(principal.workspace().unwrap_err(), Unreachable::Suspended);
    }
}

#[tokio::test]
async fn a_removed_user_is_gone_within_five_seconds_with_tokens_and_personal_keys() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Admin).await;
    let (personal, login) = (setup.personal_key(&bob, "read").await, setup.login(&bob));
    let elsewhere = Elsewhere::new(&setup);
    for at in [0.0, 4.0] {
        elsewhere.by_key(&personal, at).await.unwrap();
        elsewhere.by_token(&login, at).await.unwrap();
    }
    change(&setup, "DELETE", &format!("/users/{}", bob.id), None).await;
    assert_eq!(reason(elsewhere.by_token(&login, 8.0).await), RefusalReason::UnknownUser);
    let reason = reason(elsewhere.by_key(&personal, 8.0).await);
    assert!([KeyRefusal::Revoked.into(), KeyRefusal::UserGone.into()].contains(&reason), "{reason:?}");
}

#[tokio::test]
async fn another_role_narrows_tokens_and_personal_keys_within_five_seconds() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Admin).await;
    let (personal, login) = (setup.personal_key(&bob, "write read").await, setup.login(&bob));
    let elsewhere = Elsewhere::new(&setup);
    let write = Scope::parse("write").unwrap();
    for at in [0.0, 4.0] {
        assert!(elsewhere.by_key(&personal, at).await.unwrap().covers(&write));
        assert!(elsewhere.by_token(&login, at).await.unwrap().covers(&write));
    }
    change(&setup, "PATCH", &format!("/users/{}", bob.id), Some(json!({"role": "member"}))).await;
    for principal in [elsewhere.by_key(&personal, 8.0).await.unwrap(), elsewhere.by_token(&login, 8.0).await.unwrap()] {
        assert!(!principal.covers(&write));
        assert!(principal.covers(&Scope::parse("read").unwrap()));
        assert_eq!(principal.environment(), Environment::Live);
    }
}

#[tokio::test]
async fn a_member_that_is_taken_out_and_scopes_that_are_taken_back_are_known_within_five_seconds() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let path = format!("/workspaces/{}", setup.account.workspace.id);
    change(&setup, "PATCH", &path, Some(json!({"member_scopes": ["insights:read"]}))).await;
    let personal = setup.personal_key(&bob, "insights:read read").await;
    let elsewhere = Elsewhere::new(&setup);
    let insights = Scope::parse("insights:read").unwrap();
    for at in [0.0, 4.0] {
        assert!(elsewhere.by_key(&personal, at).await.unwrap().covers(&insights));
    }
    change(&setup, "PATCH", &path, Some(json!({"member_scopes": null}))).await;
    let narrowed = elsewhere.by_key(&personal, 8.0).await.unwrap();
    assert!(!narrowed.covers(&insights) && narrowed.workspace().is_ok());
    change(&setup, "DELETE", &format!("{path}/members/{}", bob.id), None).await;
    let out = elsewhere.by_key(&personal, 12.0).await.unwrap();
    assert_eq!(out.workspace().unwrap_err(), Unreachable::NotReached);
}

#[tokio::test]
async fn another_token_lifetime_is_known_within_five_seconds() {
    let setup = Setup::new().await;
    let elsewhere = Elsewhere::new(&setup);
    let lifetime = async |at| {
        let client = elsewhere.identity.client(&setup.account.client.id, moment(at)).await.unwrap().unwrap();
        client.settings.token_lifetime
    };
    assert_eq!((lifetime(0.0).await, lifetime(4.0).await), (None, None));
    change(&setup, "PATCH", "", Some(json!({"token_lifetime": 60}))).await;
    assert_eq!(lifetime(8.0).await, Some(60));
}
