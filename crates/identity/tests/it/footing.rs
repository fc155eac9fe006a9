//! What a credential stands on: the user behind it, the workspace that it is used in, the address that it comes from.

use std::net::IpAddr;

use domain::{
    AllowedAddresses, KeyRefusal, PresentedKey, Role, Scope, ScopeSet, Unreachable, UserStatus, Workspace, WorkspaceId,
    WorkspaceRole, WorkspaceStatus,
};
use identity::{Call, Credential, FEED_INTERVAL, Named, Principal, Refusal, RefusalReason};
use store::account_change::{AccountChange, AccountChanged, Edit};
use testkit::{TestKey, act, change_user, change_workspace, moment, now};

use crate::setup::Setup;

fn reason(outcome: Result<Principal, Refusal>) -> RefusalReason {
    match outcome.unwrap_err() {
        Refusal::Unauthorized { reason, .. } => reason,
        Refusal::Unavailable(error) => panic!("{error}"),
    }
}

fn held(principal: &Principal) -> Vec<String> {
    principal.scopes().iter().map(ToString::to_string).collect()
}

fn later() -> domain::Moment {
    moment(FEED_INTERVAL.as_secs_f64())
}

impl Setup {
    /// Another workspace of the client, with nobody in it but the owner.
    async fn workspace(&self) -> Workspace {
        let owner = &self.account.owner;
        let workspace = Workspace::new(self.client.id.clone(), "second".to_owned(), owner.id.clone(), now());
        let change = AccountChange { workspaces: vec![Edit::New(workspace.clone())], ..AccountChange::default() };
        let deed = domain::Deed::new(domain::Action::WorkspaceCreated, &workspace.id);
        let changed = self.test.store.account_change(&self.client.id, &change, vec![deed], &act(), None).await.unwrap();
        assert_eq!(changed, AccountChanged::Done);
        workspace
    }
}

#[tokio::test]
async fn a_personal_key_works_in_every_workspace_that_its_user_is_in() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let second = setup.workspace().await;
    let key = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    let reached =
        |outcome: Result<Principal, Refusal>| outcome.unwrap().workspace().map(|workspace| workspace.id.clone());

    assert_eq!(reached(setup.by_key(&key, moment(0.0)).await), Ok(setup.client.default_workspace_id.clone()));
    let not_reached = Err(Unreachable::NotReached);
    assert_eq!(reached(setup.by_key_in(&key, second.id.as_str(), moment(0.0)).await), not_reached);
    assert_eq!(reached(setup.by_key_in(&key, "default", moment(0.0)).await), not_reached, "no id");
    assert_eq!(reached(setup.by_key_in(&key, WorkspaceId::random().as_str(), moment(0.0)).await), not_reached);

    change_user(&setup.test.store, &user, |user| {
        user.workspaces.insert(second.id.clone(), WorkspaceRole::Member);
    })
    .await;
    assert_eq!(reached(setup.by_key_in(&key, second.id.as_str(), later()).await), Ok(second.id.clone()));
    let token = setup.token_in(&key, &second);
    assert_eq!(reached(setup.by_token(&token, later()).await), Ok(second.id.clone()), "a token is bound to one");

    change_user(&setup.test.store, &user, |user| {
        user.workspaces.remove(&second.id);
    })
    .await;
    let at = moment(2.0 * FEED_INTERVAL.as_secs_f64());
    assert_eq!(reached(setup.by_token(&token, at).await), not_reached);
    assert_eq!(reached(setup.by_key_in(&key, second.id.as_str(), at).await), not_reached);
}

#[tokio::test]
async fn another_workspace_than_the_bound_one_is_not_reached() {
    let setup = Setup::new().await;
    let second = setup.workspace().await;
    let key = setup.key("read").await;
    let own = setup.by_key_in(&key, setup.client.default_workspace_id.as_str(), moment(0.0)).await.unwrap();
    assert!(own.workspace().is_ok());
    let other = setup.by_key_in(&key, second.id.as_str(), moment(0.0)).await.unwrap();
    assert_eq!(other.workspace().unwrap_err(), Unreachable::NotReached);
}

#[tokio::test]
async fn personal_keys_that_are_switched_off_stop_within_five_seconds_and_workspace_keys_go_on() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let personal = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    let shared = setup.key("read").await;
    let token = setup.token(&personal);
    for outcome in [setup.by_key(&personal, moment(0.0)).await, setup.by_token(&token, moment(0.0)).await] {
        assert!(outcome.unwrap().workspace().is_ok());
    }
    setup.by_key(&shared, moment(0.0)).await.unwrap();
    change_workspace(&setup.test.store, &setup.account.workspace, |workspace| workspace.personal_keys_allowed = false)
        .await;
    for outcome in [setup.by_key(&personal, later()).await, setup.by_token(&token, later()).await] {
        assert_eq!(outcome.unwrap().workspace().unwrap_err(), Unreachable::PersonalKeysOff);
    }
    assert!(setup.by_key(&shared, later()).await.unwrap().workspace().is_ok());
}

#[tokio::test]
async fn a_suspended_workspace_stops_its_keys_within_five_seconds() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let token = setup.token(&key);
    setup.by_key(&key, moment(0.0)).await.unwrap();
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.status = WorkspaceStatus::Suspended).await;
    for outcome in [setup.by_key(&key, later()).await, setup.by_token(&token, later()).await] {
        assert_eq!(outcome.unwrap().workspace().unwrap_err(), Unreachable::Suspended);
    }
}

#[tokio::test]
async fn a_personal_key_ends_with_its_user_and_workspace_keys_live_on() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let personal = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    let mut shared = TestKey::new(&setup.client, "read");
    shared.record.created_by = user.id.to_string();
    let shared = shared.stored(&setup.test.store).await;
    let token = setup.token(&personal);
    setup.by_token(&token, moment(0.0)).await.unwrap();

    let gone = setup.test.store.user_by_id(&setup.client.id, &user.id).await.unwrap().unwrap();
    let change = AccountChange { users: vec![Edit::Removed(gone)], ..AccountChange::default() };
    let deed = domain::Deed::new(domain::Action::UserRemoved, &user.id);
    setup.test.store.account_change(&setup.client.id, &change, vec![deed], &act(), None).await.unwrap();

    assert_eq!(reason(setup.by_token(&token, later()).await), KeyRefusal::UserGone.into());
    assert_eq!(reason(setup.by_key(&personal, later()).await), KeyRefusal::UserGone.into());
    assert!(setup.by_key(&shared, later()).await.unwrap().workspace().is_ok());
}

#[tokio::test]
async fn whoever_was_invited_and_has_not_come_has_no_keys() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let key = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    change_user(&setup.test.store, &user, |user| user.status = UserStatus::Invited).await;
    assert_eq!(reason(setup.by_key(&key, moment(0.0)).await), KeyRefusal::UserGone.into());
}

#[tokio::test]
async fn a_personal_key_holds_what_its_user_still_holds() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Admin).await;
    let key = TestKey::personal(&setup.client, &user, "read logs:read plans:read").stored(&setup.test.store).await;
    assert_eq!(held(&setup.by_key(&key, moment(0.0)).await.unwrap()), ["read", "logs:read", "plans:read"]);
    let token = setup.token(&key);

    change_user(&setup.test.store, &user, |user| user.role = Role::Member).await;
    change_workspace(&setup.test.store, &setup.account.workspace, |workspace| {
        workspace.member_scopes = ScopeSet::parse("logs:read chat:completions");
    })
    .await;
    for outcome in [setup.by_key(&key, later()).await, setup.by_token(&token, later()).await] {
        let principal = outcome.unwrap();
        assert_eq!(held(&principal), ["read", "logs:read"], "a member's, and what the workspace gives");
        assert!(!principal.covers(&Scope::parse("chat:completions").unwrap()), "which the key was never given");
    }
}

#[tokio::test]
async fn keys_are_billed_to_their_user_or_to_the_workspaces_present_owner() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let personal = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    let shared = setup.key("read").await;
    let payer = |principal: Principal| principal.payer(principal.workspace().unwrap()).clone();
    assert_eq!(payer(setup.by_key(&personal, moment(0.0)).await.unwrap()), user.id);
    assert_eq!(payer(setup.by_key(&shared, moment(0.0)).await.unwrap()), setup.account.owner.id);
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.owner_user_id = user.id.clone()).await;
    assert_eq!(payer(setup.by_key(&shared, later()).await.unwrap()), user.id, "handed on");
}

#[tokio::test]
async fn an_address_outside_of_the_keys_ranges_is_refused_for_its_tokens_too() {
    let setup = Setup::new().await;
    let mut key = TestKey::new(&setup.client, "read");
    key.record.allowed_ips = serde_json::from_str::<AllowedAddresses>(r#"["192.0.2.0/24","2001:db8::/32"]"#).unwrap();
    let key = key.stored(&setup.test.store).await;
    let token = format!("Bearer {}", setup.token(&key));
    for (address, allowed) in [
        (Some("192.0.2.7"), true),
        (Some("::ffff:192.0.2.7"), true),
        (Some("2001:db8::1"), true),
        (Some("192.0.3.7"), false),
        (Some("2001:db9::1"), false),
        (None, false),
    ] {
        let address = address.map(|text| text.parse::<IpAddr>().unwrap());
        for credential in
            [Credential::Key(PresentedKey::Own(key.plain.clone())), Credential::from_authorization(&token).unwrap()]
        {
            let call = Call { credential, address, workspace: Named::None };
            let outcome = setup.identity.principal(&call, moment(0.0)).await;
            assert_eq!(outcome.is_ok(), allowed, "{address:?}");
            if let Err(Refusal::Unauthorized { reason, key }) = outcome {
                assert_eq!((reason, key.is_some()), (KeyRefusal::Address.into(), true));
            }
        }
    }
}

#[tokio::test]
async fn all_that_a_personal_key_stands_on_is_read_once() {
    let setup = Setup::new().await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let key = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    // At its first read of the feed an instance forgets once more.
    setup.by_key(&key, moment(0.0)).await.unwrap();
    setup.by_key(&key, later()).await.unwrap();
    setup.calls();
    for _ in 0..3 {
        setup.by_key(&key, later()).await.unwrap();
    }
    assert_eq!(setup.calls(), []);
    let second = TestKey::personal(&setup.client, &user, "read").stored(&setup.test.store).await;
    setup.calls();
    setup.by_key(&second, later()).await.unwrap();
    assert_eq!(setup.calls(), [("GetItem".to_owned(), 1)], "its own record; user, client and workspace are known");
}
