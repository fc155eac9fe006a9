//! Invitations, accepted.

use std::collections::BTreeMap;

use domain::{Action, ClientId, Deed, Email, HashedKey, Role, User, UserId, UserStatus, WorkspaceRole};
use serde_json::{Value, json};
use store::account_change::{AccountChange, AccountChanged, Edit, InviteEdit};
use store::audit::AuditFilter;
use store::invites::Invite;
use testkit::{Fault, PASSWORD, act, event, moment, now, parts, request_of};
use token_exchange::handle;

use crate::setup::Setup;

const TOKEN: &str = "invite_0123456789012345678901234567890123456789012";

impl Setup {
    /// Somebody who is asked to join as `role`, by [`TOKEN`], for a minute.
    async fn invite(&self, role: Role) -> User {
        let user = User {
            id: UserId::random(),
            client_id: self.client.id.clone(),
            email: Email::parse("bob@example.com").unwrap(),
            role,
            status: UserStatus::Invited,
            workspaces: BTreeMap::from([(self.account.workspace.id.clone(), WorkspaceRole::Member)]),
            created_at: now(),
            revision: 0,
        };
        let invite = Invite {
            hash: HashedKey::of_text(TOKEN),
            client_id: user.client_id.clone(),
            user_id: user.id.clone(),
            expires_at: now().plus(60),
        };
        let change = AccountChange {
            users: vec![Edit::New(user.clone())],
            invite: Some(InviteEdit::New(invite)),
            ..AccountChange::default()
        };
        let deed = Deed::new(Action::UserInvited, &user.id);
        let changed = self.test.store.account_change(&self.client.id, &change, vec![deed], &act(), None).await.unwrap();
        assert_eq!(changed, AccountChanged::Done);
        user
    }

    async fn accept(&self, token: &str, password: &str) -> (u16, Value) {
        self.accept_at(token, password, 0.0).await
    }

    async fn accept_at(&self, token: &str, password: &str, seconds: f64) -> (u16, Value) {
        let text = event("token-exchange-accept-invite", &[("REPLACE_WITH_INVITE", token)]);
        let text = text.replace("a-strong-password", password);
        match handle(self.app.clone(), request_of(&text), moment(seconds)).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(testkit::ISSUER)),
        }
    }

    async fn actions(&self, client: &ClientId) -> Vec<String> {
        let page = self.test.store.audit_list(client, &AuditFilter::default(), 100, None).await.unwrap();
        page.events.into_iter().map(|event| event.action).collect()
    }
}

#[tokio::test]
async fn whoever_is_invited_chooses_a_password_and_is_logged_in() {
    let setup = Setup::new().await;
    let user = setup.invite(Role::Member).await;
    let login = json!({"email": user.email, "password": PASSWORD}).to_string();
    assert_eq!(setup.post("/auth/token", &login).await.0, 401, "there is no password yet");
    let (status, body) = setup.accept(TOKEN, PASSWORD).await;
    assert_eq!(status, 200, "{body}");
    let names: Vec<_> = body.as_object().unwrap().keys().cloned().collect();
    assert_eq!(names, ["client", "expires_in", "scopes", "token", "user"], "as a login answers");
    assert_eq!(body["user"], json!({"id": user.id, "email": user.email, "role": "member"}));
    assert_eq!(setup.claims(&body["token"]).await.sub, user.id.as_str());
    assert_eq!(setup.post("/auth/token", &login).await.0, 200);
    assert_eq!(setup.actions(&setup.client.id).await.iter().filter(|it| *it == "user.joined").count(), 2);

    assert_eq!(setup.accept(TOKEN, PASSWORD).await.0, 401, "once");
}

#[tokio::test]
async fn an_owner_counts_from_the_day_of_coming() {
    let setup = Setup::new().await;
    setup.invite(Role::Owner).await;
    let owners = || async { setup.test.store.client_by_id(&setup.client.id).await.unwrap().unwrap().owners };
    assert_eq!(owners().await, 1);
    assert_eq!(setup.accept(TOKEN, PASSWORD).await.0, 200);
    assert_eq!(owners().await, 2);
}

#[tokio::test]
async fn unknown_expired_and_withdrawn_invitations_are_one_401() {
    let setup = Setup::new().await;
    let user = setup.invite(Role::Member).await;
    for (token, seconds) in [("invite_x", 0.0), ("", 0.0), (TOKEN, 60.0)] {
        assert_eq!(setup.accept_at(token, PASSWORD, seconds).await.0, 401, "{token} at {seconds}");
    }
    assert_eq!(setup.accept(TOKEN, "short").await.0, 400, "the password is judged as at sign-up");
    let change = AccountChange { users: vec![Edit::Removed(user.clone())], ..AccountChange::default() };
    let deed = Deed::new(Action::UserRemoved, &user.id);
    setup.test.store.account_change(&setup.client.id, &change, vec![deed], &act(), None).await.unwrap();
    assert_eq!(setup.accept(TOKEN, PASSWORD).await.0, 401);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_acceptances_at_once_one_counts() {
    let setup = std::sync::Arc::new(Setup::new().await);
    setup.invite(Role::Owner).await;
    let mut calls = Vec::new();
    for number in 0..5 {
        let setup = setup.clone();
        calls.push(tokio::spawn(async move {
            let password = format!("a-strong-password-{number}");
            (setup.accept(TOKEN, &password).await.0, password)
        }));
    }
    let mut accepted = Vec::new();
    for call in calls {
        let (status, password) = call.await.unwrap();
        assert!(matches!(status, 200 | 401), "{status}");
        accepted.extend((status == 200).then_some(password));
    }
    assert_eq!(accepted.len(), 1, "{accepted:?}");
    let login = json!({"email": "bob@example.com", "password": accepted[0]}).to_string();
    assert_eq!(setup.post("/auth/token", &login).await.0, 200, "and it is the password of that one");
    assert_eq!(setup.test.store.client_by_id(&setup.client.id).await.unwrap().unwrap().owners, 2);
}

#[tokio::test]
async fn an_invitation_survives_a_store_that_fails() {
    let setup = Setup::new().await;
    setup.invite(Role::Member).await;
    setup.test.faults.always("TransactWriteItems", Fault::Throttle);
    assert_eq!(setup.accept(TOKEN, PASSWORD).await.0, 503);
    setup.test.faults.heal();
    assert_eq!(setup.accept(TOKEN, PASSWORD).await.0, 200);
}

#[tokio::test]
async fn logins_are_in_the_audit_log_outside_of_the_chain() {
    let setup = Setup::new().await;
    let user = &setup.account.owner;
    for password in ["a-wrong-password", PASSWORD] {
        setup.post("/auth/token", &json!({"email": user.email, "password": password}).to_string()).await;
    }
    let page = setup.test.store.audit_list(&setup.client.id, &AuditFilter::default(), 100, None).await.unwrap();
    let logins: Vec<_> = page.events.iter().filter(|event| event.action.starts_with("login.")).collect();
    let mut seen: Vec<_> = logins.iter().map(|event| (event.action.as_str(), json!(event.outcome))).collect();
    seen.sort_by_key(|(action, _)| *action);
    assert_eq!(seen, [("login.failed", json!("refused")), ("login.succeeded", json!("done"))]);
    for event in logins {
        assert_eq!((event.object.id.as_str(), &event.hash, &event.previous_hash), (user.id.as_str(), &None, &None));
    }
}
