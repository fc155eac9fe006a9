use domain::{Role, UserStatus};
use serde_json::json;
use testkit::{change_client, change_user};

use crate::setup::Setup;

#[tokio::test]
async fn the_last_owner_stays() {
    let setup = Setup::new().await;
    let admin = setup.login(&setup.user(Role::Admin).await);
    let one = format!("/users/{}", setup.account.owner.id);
    // Its own workspace would hold it too.
    let demotion = |role| setup.call(&admin, "PATCH", &one, Some(json!({"role": role})));
    for role in ["admin", "member"] {
        let (status, body) = demotion(role).await;
        assert_eq!(status, 409, "{body}");
        assert!(body["message"].as_str().unwrap().contains("last owner"));
    }
    let invited = json!({"email": "bob@example.com", "role": "owner"});
    assert_eq!(setup.call(&admin, "POST", "/users", Some(invited)).await.0, 201);
    assert_eq!(demotion("member").await.0, 409, "whoever is invited may never come");

    setup.user(Role::Owner).await;
    assert_eq!(demotion("member").await.0, 200);
    assert_eq!(setup.stored_client().await.owners, 1);
}

#[tokio::test]
async fn the_last_owner_is_not_removed_either() {
    let setup = Setup::new().await;
    let second = setup.user(Role::Owner).await;
    let admin = setup.login(&setup.user(Role::Admin).await);
    let (first, second) = (format!("/users/{}", setup.account.owner.id), format!("/users/{}", second.id));
    assert_eq!(setup.call(&admin, "PATCH", &first, Some(json!({"role": "member"}))).await.0, 200);
    let (status, body) = setup.call(&admin, "DELETE", &second, None).await;
    assert_eq!(status, 409, "{body}");
    assert!(body["message"].as_str().unwrap().contains("last owner"));
    assert_eq!(setup.call(&admin, "PATCH", &first, Some(json!({"role": "owner"}))).await.0, 200);
    assert_eq!(setup.call(&admin, "DELETE", &second, None).await.0, 204);
    assert_eq!(setup.stored_client().await.owners, 1);
}

#[tokio::test]
async fn owners_are_counted_as_they_come_and_go() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Member).await;
    let invited = json!({"email": "carol@example.com", "role": "owner"});
    let (_, carol) = setup.call(&owner, "POST", "/users", Some(invited)).await;
    let bob = format!("/users/{}", bob.id);
    let carol = format!("/users/{}", carol["user"]["id"].as_str().unwrap());
    let role = |name: &str| Some(json!({"role": name}));
    for (path, method, body, owners) in [
        (&bob, "PATCH", role("owner"), 2),
        (&bob, "PATCH", role("owner"), 2),
        (&bob, "PATCH", role("admin"), 1),
        (&bob, "PATCH", role("owner"), 2),
        (&carol, "PATCH", role("member"), 2),
        (&carol, "PATCH", role("owner"), 2),
        (&carol, "DELETE", None, 2),
        (&bob, "DELETE", None, 1),
    ] {
        let (status, answer) = setup.call(&owner, method, path, body.clone()).await;
        assert!((200..300).contains(&status), "{method} {body:?}: {answer}");
        assert_eq!(setup.stored_client().await.owners, owners, "{method} {body:?}");
    }
}

#[tokio::test]
async fn another_owner_takes_the_place_of_the_one_that_the_word_means() {
    for leaves in [false, true] {
        let setup = Setup::new().await;
        let heir = setup.user(Role::Owner).await;
        // Neither an admin nor an owner who has not come yet fits.
        let admin = setup.user(Role::Admin).await;
        let invited = setup.user(Role::Owner).await;
        change_user(&setup.test.store, &invited, |user| user.status = UserStatus::Invited).await;
        change_client(&setup.test.store, &setup.account.client, |client| client.owners = 2).await;
        let by = setup.login(&admin);
        // Free of what holds it: a workspace of its own.
        let workspace = format!("/workspaces/{}", setup.account.workspace.id);
        let handed_on = setup.call(&by, "PATCH", &workspace, Some(json!({"owner_user_id": admin.id}))).await;
        assert_eq!(handed_on.0, 200, "{}", handed_on.1);
        let one = format!("/users/{}", setup.account.owner.id);
        let outcome = if leaves {
            setup.call(&by, "DELETE", &one, None).await
        } else {
            setup.call(&by, "PATCH", &one, Some(json!({"role": "admin"}))).await
        };
        assert!((200..300).contains(&outcome.0), "{}", outcome.1);
        let client = setup.stored_client().await;
        assert_eq!((client.owner_user_id, client.owners), (heir.id.clone(), 1));
        assert_eq!(setup.stored_user(&heir.id).await.unwrap(), heir, "the heir itself is as it was");
    }
}

#[tokio::test]
async fn an_owner_of_workspaces_leaves_only_by_handing_them_on() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Admin).await;
    let (status, made) = setup.call(&setup.login(&bob), "POST", "/workspaces", Some(json!({"name": "bob's"}))).await;
    assert_eq!((status, &made["owner_user_id"]), (201, &json!(bob.id)));
    let workspace = made["id"].as_str().unwrap();
    let one = format!("/users/{}", bob.id);
    let (status, body) = setup.call(&owner, "DELETE", &one, None).await;
    assert_eq!(status, 409);
    assert!(body["message"].as_str().unwrap().contains(workspace), "{body}");
    assert!(setup.stored_user(&bob.id).await.is_some());

    let path = format!("/workspaces/{workspace}");
    let member = format!("{path}/members/{}", setup.account.owner.id);
    assert_eq!(setup.call(&owner, "PUT", &member, Some(json!({"role": "member"}))).await.0, 200);
    let heir = json!({"owner_user_id": setup.account.owner.id});
    assert_eq!(setup.call(&owner, "PATCH", &path, Some(heir)).await.0, 200);
    assert_eq!(setup.call(&owner, "DELETE", &one, None).await.0, 204);
    assert_eq!(setup.get(&owner, &format!("{path}/members")).await.1["data"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_user_who_leaves_takes_the_personal_keys_along_and_no_others() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let (bob, carol) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let mut theirs = Vec::new();
    for _ in 0..3 {
        theirs.push(setup.personal_key(&bob, "read").await.record.id);
    }
    let revoked_before = theirs.pop().unwrap();
    let revoked = setup.test.store.key_revoke(&bob.client_id, &revoked_before, &testkit::act()).await;
    revoked.unwrap();
    let others = [setup.personal_key(&carol, "read").await.record.id, {
        let key = testkit::TestKey::new(&setup.account.client, "read").stored(&setup.test.store).await;
        key.record.id
    }];
    let before = setup.events().await.len();
    assert_eq!(setup.call(&owner, "DELETE", &format!("/users/{}", bob.id), None).await.0, 204);
    for id in &theirs {
        assert!(setup.test.store.key_by_id(id).await.unwrap().unwrap().revoked_at.is_some());
    }
    for id in &others {
        assert_eq!(setup.test.store.key_by_id(id).await.unwrap().unwrap().revoked_at, None);
    }
    assert_eq!(setup.actions_since(before).await, ["user.removed", "key.revoked", "key.revoked"]);
    let by: Vec<_> = setup.events().await.into_iter().skip(before).map(|event| event.actor.id).collect();
    assert!(by.iter().all(|actor| *actor == setup.account.owner.id.as_str()), "{by:?}");
}
