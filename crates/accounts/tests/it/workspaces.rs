use domain::{Role, User, UserStatus, WorkspaceId, WorkspaceRole};
use serde_json::{Value, json};
use testkit::{change_client, change_user, now};

use crate::setup::Setup;

#[tokio::test]
async fn a_workspace_is_made_shown_and_changed() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let (status, body) = setup.call(&owner, "POST", "/workspaces", Some(json!({"name": " research "}))).await;
    assert_eq!(status, 201, "{body}");
    let id = WorkspaceId::parse(body["id"].as_str().unwrap()).unwrap();
    let mut expected = json!({
        "id": id, "client_id": setup.client_id(), "name": "research", "owner_user_id": setup.account.owner.id,
        "personal_keys_allowed": true, "member_scopes": null, "status": "active", "created_at": now(),
    });
    assert_eq!(body, expected);
    let path = format!("/workspaces/{id}");
    assert_eq!(setup.get(&owner, &path).await, (200, expected.clone()));
    let held = setup.stored_user(&setup.account.owner.id).await.unwrap().workspaces;
    assert_eq!(held.get(&id), Some(&WorkspaceRole::Owner));

    let change = json!({
        "name": "lab", "personal_keys_allowed": false, "member_scopes": ["insights:read", "write"],
        "status": "suspended",
    });
    for (member, value) in change.as_object().unwrap() {
        expected[member] = value.clone();
    }
    assert_eq!(setup.call(&owner, "PATCH", &path, Some(change)).await, (200, expected.clone()));
    assert_eq!(setup.call(&owner, "PATCH", &path, Some(json!({}))).await, (200, expected.clone()), "nothing is given");
    assert_eq!(setup.get(&owner, &path).await, (200, expected.clone()));

    expected["member_scopes"] = Value::Null;
    for none in [json!([]), json!(null)] {
        let restored = json!({"member_scopes": ["write"]});
        assert_eq!(setup.call(&owner, "PATCH", &path, Some(restored)).await.0, 200);
        let change = json!({"member_scopes": none});
        assert_eq!(setup.call(&owner, "PATCH", &path, Some(change)).await, (200, expected.clone()));
    }
}

#[tokio::test]
async fn a_workspace_belongs_to_the_user_behind_the_caller_or_to_the_clients_owner() {
    let setup = Setup::new().await;
    let (admin, heir) = (setup.user(Role::Admin).await, setup.user(Role::Owner).await);
    let personal = setup.personal_key(&admin, "admin").await.plain.expose().to_owned();
    let shared = setup.key("admin").await;
    change_client(&setup.test.store, &setup.account.client, |client| client.owner_user_id = heir.id.clone()).await;
    for (bearer, owner) in [(&setup.login(&admin), &admin), (&personal, &admin), (&shared, &heir)] {
        let (status, body) = setup.call(bearer, "POST", "/workspaces", Some(json!({"name": "x"}))).await;
        assert_eq!((status, &body["owner_user_id"]), (201, &json!(owner.id)));
    }
}

#[tokio::test]
async fn the_default_workspace_keeps_its_name() {
    let setup = Setup::new().await;
    let path = format!("/workspaces/{}", setup.account.workspace.id);
    let renamed = json!({"name": "other", "personal_keys_allowed": false});
    assert_eq!(setup.call(&setup.owner(), "PATCH", &path, Some(renamed)).await.0, 409);
    assert!(setup.stored_workspace(&setup.account.workspace.id).await.personal_keys_allowed, "all or nothing");
    let same = json!({"name": "default", "personal_keys_allowed": false});
    assert_eq!(setup.call(&setup.owner(), "PATCH", &path, Some(same)).await.0, 200);
}

#[tokio::test]
async fn a_workspace_is_handed_on_with_both_roles() {
    let setup = Setup::new().await;
    let id = &setup.account.workspace.id;
    let path = format!("/workspaces/{id}");
    let (bob, outsider, invited) =
        (setup.user(Role::Member).await, setup.user(Role::Admin).await, setup.user(Role::Member).await);
    change_user(&setup.test.store, &outsider, |user| user.workspaces.clear()).await;
    change_user(&setup.test.store, &invited, |user| user.status = UserStatus::Invited).await;
    let hand_to = |user: &User| Some(json!({"owner_user_id": user.id}));
    let owner = setup.owner();
    for user in [&outsider, &invited, &User { id: domain::UserId::random(), ..bob.clone() }] {
        assert_eq!(setup.call(&owner, "PATCH", &path, hand_to(user)).await.0, 409);
    }
    let (status, body) = setup.call(&owner, "PATCH", &path, hand_to(&bob)).await;
    assert_eq!((status, &body["owner_user_id"]), (200, &json!(bob.id)));
    let role_of = async |user: &User| setup.stored_user(&user.id).await.unwrap().workspaces.get(id).copied();
    assert_eq!(role_of(&bob).await, Some(WorkspaceRole::Owner));
    assert_eq!(role_of(&setup.account.owner).await, Some(WorkspaceRole::Admin));
    let (_, members) = setup.get(&owner, &format!("{path}/members")).await;
    let listed = members["data"].as_array().unwrap();
    assert!(listed.contains(&json!({"user_id": bob.id, "role": "owner"})), "{members}");
    assert!(listed.contains(&json!({"user_id": setup.account.owner.id, "role": "admin"})), "{members}");

    // The present owner, though no admin of the client, hands it on; the former one's role does not.
    setup.pass();
    let back = hand_to(&setup.account.owner);
    assert_eq!(setup.call(&setup.login(&bob), "PATCH", &path, back).await.0, 200);
    assert_eq!(role_of(&bob).await, Some(WorkspaceRole::Admin));
    setup.pass();
    assert_eq!(setup.call(&setup.login(&bob), "PATCH", &path, hand_to(&bob)).await.0, 403);
}

#[tokio::test]
async fn members_come_change_and_go() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Member).await;
    let id = setup.workspace("research").await;
    let members = format!("/workspaces/{id}/members");
    let one = format!("{members}/{}", bob.id);
    assert_eq!(setup.get(&owner, &one).await.0, 404, "not in it yet");
    for role in ["member", "admin", "member"] {
        let expected = json!({"user_id": bob.id, "role": role});
        assert_eq!(setup.call(&owner, "PUT", &one, Some(json!({"role": role}))).await, (200, expected.clone()));
        assert_eq!(setup.get(&owner, &one).await, (200, expected.clone()));
        assert!(setup.get(&owner, &members).await.1["data"].as_array().unwrap().contains(&expected));
    }
    assert_eq!(setup.call(&owner, "DELETE", &one, None).await, (204, Value::Null));
    assert_eq!(setup.get(&owner, &one).await.0, 404);
    let left = json!([{"user_id": setup.account.owner.id, "role": "owner"}]);
    assert_eq!(setup.get(&owner, &members).await.1["data"], left);
    assert_eq!(setup.call(&owner, "DELETE", &one, None).await.0, 204, "stays out");

    let unknown = format!("{members}/cu_0123456789abcdef");
    assert_eq!(setup.call(&owner, "PUT", &unknown, Some(json!({"role": "member"}))).await.0, 404);
    assert_eq!(setup.call(&owner, "DELETE", &unknown, None).await.0, 404);
    let nowhere = format!("/workspaces/ws_0123456789abcdef/members/{}", bob.id);
    assert_eq!(setup.call(&owner, "PUT", &nowhere, Some(json!({"role": "member"}))).await.0, 404);
    assert_eq!(setup.call(&owner, "DELETE", &nowhere, None).await.0, 404);
}

#[tokio::test]
async fn the_owner_of_a_workspace_is_neither_demoted_nor_taken_out() {
    let setup = Setup::new().await;
    let one = format!("/workspaces/{}/members/{}", setup.account.workspace.id, setup.account.owner.id);
    let owner = setup.owner();
    let (_, manager) = setup.workspace_admin().await;
    for bearer in [&owner, &manager] {
        for role in ["admin", "member"] {
            assert_eq!(setup.call(bearer, "PUT", &one, Some(json!({"role": role}))).await.0, 409);
        }
        assert_eq!(setup.call(bearer, "DELETE", &one, None).await.0, 409, "not even by itself");
    }
}

#[tokio::test]
async fn a_member_leaves_by_itself() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let id = &setup.account.workspace.id;
    let one = format!("/workspaces/{id}/members/{}", bob.id);
    assert_eq!(setup.call(&setup.login(&bob), "DELETE", &one, None).await.0, 204);
    assert!(setup.stored_user(&bob.id).await.unwrap().workspaces.is_empty());
    setup.pass();
    assert_eq!(setup.get(&setup.login(&bob), &format!("/workspaces/{id}")).await.0, 404);
}

#[tokio::test]
async fn a_user_is_in_forty_workspaces_at_most() {
    let setup = Setup::new().await;
    let (bob, carol) = (setup.user(Role::Admin).await, setup.user(Role::Member).await);
    for user in [&bob, &carol] {
        change_user(&setup.test.store, user, |user| {
            let more = std::iter::repeat_with(|| (WorkspaceId::random(), WorkspaceRole::Member));
            user.workspaces.extend(more.take(User::MAX_WORKSPACES - 1));
        })
        .await;
    }
    let owner = setup.owner();
    let own = setup.call(&setup.login(&bob), "POST", "/workspaces", Some(json!({"name": "x"}))).await;
    assert_eq!(own.0, 409, "{}", own.1);
    let workspace = setup.workspace("x").await;
    let one = format!("/workspaces/{workspace}/members/{}", carol.id);
    assert_eq!(setup.call(&owner, "PUT", &one, Some(json!({"role": "member"}))).await.0, 409);
    let there = format!("/workspaces/{}/members/{}", setup.account.workspace.id, carol.id);
    assert_eq!(setup.call(&owner, "PUT", &there, Some(json!({"role": "admin"}))).await.0, 200, "where it is already");
    // Leaving them all is one transaction.
    let gone = setup.call(&owner, "DELETE", &format!("/users/{}", carol.id), None).await;
    assert_eq!(gone.0, 204, "{}", gone.1);
    assert_eq!(setup.stored_user(&carol.id).await, None);
}
