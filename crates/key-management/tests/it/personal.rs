//! Sim's table of key types, a test for each row.
//!
//! | | Personal keys | Workspace keys |
//! |---|---|---|
//! | Billed to | Your individual account | Workspace owner |
//! | Scope | Across workspaces you have access to | Shared across the workspace |
//! | Managed by | Each user individually | Workspace admins |
//! | Permissions | Must be enabled at workspace level | Require admin permissions |

use domain::{Role, WorkspaceRole};
use serde_json::{Value, json};
use store::account_change::{AccountChange, AccountChanged, Edit};
use testkit::{TestKey, act, change_workspace};

use crate::setup::{Bearer, Setup};

fn personal(name: &str) -> Value {
    json!({"name": name, "type": "personal"})
}

impl Setup {
    async fn shown(&self, by: &impl Bearer, id: &Value) -> Value {
        let (status, one) = self.call(by, "GET", &self.path(&format!("/{}", id.as_str().unwrap())), None).await;
        let (_, list) = self.call(by, "GET", &self.path(""), None).await;
        let listed = list["data"].as_array().unwrap().iter().find(|record| record["id"] == *id);
        assert_eq!((status, Some(&one)), (200, listed), "a list shows what is shown of the one");
        one
    }
}

#[tokio::test]
async fn billed_to_your_individual_account_or_the_workspace_owner() {
    let setup = Setup::new().await;
    let (owner, lead) = (&setup.account.owner, setup.member_of(&setup.account.workspace, WorkspaceRole::Admin).await);
    let login = setup.login(&lead).await;
    let own = setup.made(&login, personal("own")).await;
    let shared = setup.made(&login, json!({"name": "shared"})).await;
    for (made, user, workspace, payer) in [
        (&own, json!(lead.id), json!(null), &lead.id),
        (&shared, json!(null), json!(setup.account.workspace.id), &owner.id),
    ] {
        let record = &made["record"];
        assert_eq!((&record["owner_user_id"], &record["workspace_id"]), (&user, &workspace));
        assert_eq!((&record["billed_to"], &record["created_by"]), (&json!(payer), &json!(lead.id)));
        assert_eq!(setup.shown(&login, &record["id"]).await, *record);
    }

    // The workspace is handed on.
    let store = &setup.test.store;
    let workspace = store.workspace_by_id(&setup.client.id, &setup.account.workspace.id).await.unwrap().unwrap();
    let mut edit = AccountChange::default();
    for (user, role) in [(owner, WorkspaceRole::Admin), (&lead, WorkspaceRole::Owner)] {
        let before = store.user_by_id(&setup.client.id, &user.id).await.unwrap().unwrap();
        let mut after = before.clone();
        after.workspaces.insert(workspace.id.clone(), role);
        edit.users.push(Edit::Changed { before, after });
    }
    let mut after = workspace.clone();
    after.owner_user_id = lead.id.clone();
    let deed = domain::Deed::new(domain::Action::WorkspaceUpdated, &workspace.id);
    edit.workspaces.push(Edit::Changed { before: workspace, after });
    let changed = store.account_change(&setup.client.id, &edit, vec![deed], &act(), None).await.unwrap();
    assert_eq!(changed, AccountChanged::Done);
    setup.pass();
    assert_eq!(setup.shown(&login, &shared["record"]["id"]).await["billed_to"], json!(lead.id), "its owner now");
    let next = setup.made(&login, json!({"name": "next"})).await;
    assert_eq!(next["record"]["billed_to"], json!(lead.id));
}

#[tokio::test]
async fn scope_across_workspaces_you_have_access_to_or_shared_across_the_workspace() {
    let setup = Setup::new().await;
    let admin = setup.user(Role::Admin).await;
    let (mine, others) = (setup.workspace(&admin).await, setup.workspace(&setup.account.owner).await);
    let default = &setup.account.workspace;
    let own = setup.personal_key(&admin, "keys:manage").await;
    let of_default = setup.key("keys:manage").await;
    for (key, workspace, expected) in [
        (&own, Some(&mine), 200),
        (&own, Some(default), 200),
        (&own, None, 200),
        (&own, Some(&others), 403),
        (&of_default, Some(default), 200),
        (&of_default, None, 200),
        (&of_default, Some(&mine), 403),
    ] {
        let named: Vec<_> = workspace.iter().map(|workspace| ("x-workspace-id", workspace.id.as_str())).collect();
        let (status, body) = setup.call_with(key, &named, "GET", &setup.path(""), None).await;
        assert_eq!(status, expected, "{named:?}: {body}");
    }

    // Shared: whoever manages the workspace manages its keys, whoever has made them.
    let (one, two) =
        (setup.member_of(&mine, WorkspaceRole::Admin).await, setup.member_of(&mine, WorkspaceRole::Admin).await);
    let made = setup.made(&setup.login(&one).await, json!({"name": "x", "workspace_id": mine.id})).await;
    let path = setup.path(&format!("/{}", made["record"]["id"].as_str().unwrap()));
    assert_eq!(setup.call(&setup.login(&two).await, "DELETE", &path, None).await.0, 204);
}

#[tokio::test]
async fn managed_by_each_user_individually_or_workspace_admins() {
    let setup = Setup::new().await;
    let default = &setup.account.workspace;
    let user = setup.user(Role::Member).await;
    let lead = setup.member_of(default, WorkspaceRole::Admin).await;
    let elsewhere = setup.workspace(&setup.account.owner).await;
    let other_lead = setup.member_of(&elsewhere, WorkspaceRole::Owner).await;
    let admin = setup.user(Role::Admin).await;
    // What a key of the user's own may do is what the user still holds of its scopes; an admin's covers `keys:manage`.
    let own_key = setup.personal_key(&admin, "keys:manage read").await;
    let manager = setup.key("keys:manage read").await;

    // By whom, and how GET, PATCH, rotation and DELETE are answered.
    let to_nobody = [404, 404, 404, 404];
    let to_all = [200, 200, 201, 204];
    let to_a_manager_of_keys = [200, 403, 403, 204];
    let users_key = |by: String, expected| (by, &user, expected);
    for (by, of, expected) in [
        users_key(setup.login(&user).await, to_all),
        users_key(setup.login(&lead).await, to_nobody),
        users_key(setup.login(&admin).await, to_a_manager_of_keys),
        users_key(manager.plain.expose().to_owned(), to_a_manager_of_keys),
        users_key(own_key.plain.expose().to_owned(), to_a_manager_of_keys),
        (own_key.plain.expose().to_owned(), &admin, to_all),
        (setup.login(&admin).await, &admin, to_all),
    ] {
        let key = setup.personal_key(of, "read").await;
        assert_eq!(setup.statuses(&by, &key).await, expected, "a personal key");
    }
    for (by, expected) in [
        (setup.login(&user).await, to_nobody),
        (setup.login(&lead).await, to_all),
        (setup.login(&other_lead).await, to_nobody),
        (setup.login(&admin).await, to_all),
        (manager.plain.expose().to_owned(), to_all),
        (own_key.plain.expose().to_owned(), to_all),
    ] {
        let key = setup.key("read").await;
        assert_eq!(setup.statuses(&by, &key).await, expected, "a workspace's key");
    }
}

impl Setup {
    /// How GET, PATCH, rotation and DELETE are answered.
    async fn statuses(&self, by: &String, key: &TestKey) -> [u16; 4] {
        [
            self.get(by, key).await.0,
            self.patch(by, key, json!({"name": "renamed"})).await.0,
            self.rotate(by, key, None).await.0,
            self.revoke(by, key).await.0,
        ]
    }
}

#[tokio::test]
async fn permissions_must_be_enabled_at_workspace_level_or_require_admin_permissions() {
    let setup = Setup::new().await;
    let (member, admin) = (setup.user(Role::Member).await, setup.user(Role::Admin).await);
    let own = setup.personal_key(&admin, "keys:manage").await;
    assert_eq!(setup.call(&own, "GET", &setup.path(""), None).await.0, 200);
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.personal_keys_allowed = false).await;
    setup.pass();
    let (status, body) = setup.call(&own, "GET", &setup.path(""), None).await;
    assert_eq!((status, &body["message"]), (403, &json!("Personal keys are switched off in this workspace")));
    let shared = setup.key("keys:manage").await;
    assert_eq!(setup.call(&shared, "GET", &setup.path(""), None).await.0, 200, "workspace keys can be used");

    let (status, body) = setup.create(&setup.login(&member).await, json!({"name": "x"})).await;
    assert_eq!((status, &body["message"]), (403, &json!("A workspace's keys are managed by its admins")));
    let lead = setup.member_of(&setup.account.workspace, WorkspaceRole::Admin).await;
    setup.made(&setup.login(&lead).await, json!({"name": "x"})).await;
}
