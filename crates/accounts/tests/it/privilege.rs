use domain::{KeyKind, Outcome, Role, UserId, WorkspaceId, WorkspaceRole, WorkspaceStatus};
use serde_json::{Value, json};
use testkit::{TestKey, change_user, change_workspace};

use crate::setup::Setup;

/// Every call, with a body that is right.
fn calls(setup: &Setup, workspace: &WorkspaceId, user: &UserId) -> Vec<(&'static str, String, Option<Value>)> {
    let one_user = format!("/users/{user}");
    let one_workspace = format!("/workspaces/{workspace}");
    let members = format!("{one_workspace}/members");
    let member = format!("{members}/{user}");
    assert!(setup.path("").ends_with(setup.client_id()));
    vec![
        ("GET", String::new(), None),
        ("PATCH", String::new(), Some(json!({"name": "x"}))),
        ("GET", "/users".to_owned(), None),
        ("POST", "/users".to_owned(), Some(json!({"email": "bob@example.com", "role": "member"}))),
        ("GET", one_user.clone(), None),
        ("PATCH", one_user.clone(), Some(json!({"role": "admin"}))),
        ("DELETE", one_user, None),
        ("GET", "/workspaces".to_owned(), None),
        ("POST", "/workspaces".to_owned(), Some(json!({"name": "x"}))),
        ("GET", one_workspace.clone(), None),
        ("PATCH", one_workspace, Some(json!({"personal_keys_allowed": false}))),
        ("GET", members, None),
        ("GET", member.clone(), None),
        ("PUT", member.clone(), Some(json!({"role": "admin"}))),
        ("DELETE", member, None),
    ]
}

/// The answers to every call; nothing has changed where none of them is a 2xx.
async fn statuses(setup: &Setup, bearer: &str, workspace: &WorkspaceId, user: &UserId) -> Vec<(String, u16)> {
    let mut statuses = Vec::new();
    for (method, path, body) in calls(setup, workspace, user) {
        let (status, _) = setup.call(bearer, method, &path, body).await;
        let path = path.replace(workspace.as_str(), "W").replace(user.as_str(), "U");
        statuses.push((format!("{method} {path}"), status));
    }
    statuses
}

fn expect(statuses: &[(String, u16)], expected: [u16; 15], who: &str) {
    let names: Vec<_> = statuses.iter().map(|(name, _)| name.clone()).collect();
    let found: Vec<_> = statuses.iter().map(|(_, status)| *status).collect();
    assert_eq!(found, expected, "{who}: {names:?}");
}

#[tokio::test]
async fn each_caller_reaches_what_is_its_own_and_no_more() {
    let setup = Setup::new().await;
    let (bob, carol) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let (_, workspace_admin) = setup.workspace_admin().await;
    let personal = setup.personal_key(&bob, "read").await.plain.expose().to_owned();
    let own = &setup.account.workspace.id;
    let elsewhere = setup.workspace("elsewhere").await;
    let shared = setup.key("read write keys:manage usage:read insights:*").await;
    let test_keys = [setup.test_key("admin").await, setup.test_key("read").await];
    let before = setup.events().await.len();

    let member = setup.login(&bob);
    let managers_own = "it is its own: shown, and managed by nobody without `admin` or a role in it";
    for (who, bearer) in [("a member", &member), ("a member's personal key", &personal), ("a workspace's key", &shared)]
    {
        let statuses = statuses(&setup, bearer, own, &carol.id).await;
        let expected = [200, 403, 403, 403, 403, 403, 403, 200, 403, 200, 403, 403, 403, 403, 403];
        expect(&statuses, expected, &format!("{who}: {managers_own}"));
    }
    for (who, bearer) in
        [("a member", &member), ("a member's personal key", &personal), ("workspace admin", &workspace_admin)]
    {
        let statuses = statuses(&setup, bearer, &elsewhere, &carol.id).await;
        let expected = [200, 403, 403, 403, 403, 403, 403, 200, 403, 404, 404, 404, 404, 404, 404];
        expect(&statuses, expected, &format!("{who}, where it does not belong"));
    }
    for test_key in &test_keys {
        let statuses = statuses(&setup, test_key, own, &carol.id).await;
        let expected = [200, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403, 403];
        expect(&statuses, expected, "a test key, even with `admin`");
    }
    assert_eq!(setup.events().await.len(), before, "nothing has changed");

    let statuses = statuses(&setup, &workspace_admin, own, &carol.id).await;
    let expected = [200, 403, 403, 403, 403, 403, 403, 200, 403, 200, 200, 200, 200, 200, 204];
    expect(&statuses, expected, "a workspace's admin");
}

#[tokio::test]
async fn owners_admins_and_keys_with_admin_manage_all_of_it() {
    for who in ["owner", "admin", "key", "personal key", "token"] {
        let setup = Setup::new().await;
        let (admin, carol) = (setup.user(Role::Admin).await, setup.user(Role::Member).await);
        let elsewhere = setup.workspace("elsewhere").await;
        change_user(&setup.test.store, &carol, |carol| {
            carol.workspaces.insert(elsewhere.clone(), WorkspaceRole::Member);
        })
        .await;
        let bearer = match who {
            "owner" => setup.owner(),
            "admin" => setup.login(&admin),
            "key" => setup.key("admin").await,
            "personal key" => setup.personal_key(&admin, "admin").await.plain.expose().to_owned(),
            _ => setup.login_holding(&admin, "admin"),
        };
        for (method, path, body) in calls(&setup, &elsewhere, &carol.id) {
            // At the end: it takes the user from the calls behind it.
            if (method, path.as_str()) != ("DELETE", format!("/users/{}", carol.id).as_str()) {
                let (status, answer) = setup.call(&bearer, method, &path, body).await;
                assert!((200..300).contains(&status), "{who}: {method} {path}: {answer}");
            }
        }
        assert_eq!(setup.call(&bearer, "DELETE", &format!("/users/{}", carol.id), None).await.0, 204, "{who}");
    }
}

#[tokio::test]
async fn a_role_counts_only_in_a_login_and_no_further_than_its_token() {
    let setup = Setup::new().await;
    let (admin, carol) = (setup.user(Role::Admin).await, setup.user(Role::Member).await);
    let narrow = setup.personal_key(&admin, "read insights:read").await.plain.expose().to_owned();
    let narrowed = setup.login_holding(&admin, "read");
    let widened = setup.login_holding(&carol, "admin");
    for (who, bearer) in [("personal key", &narrow), ("narrowed token", &narrowed), ("token of before", &widened)] {
        for (method, path, body) in calls(&setup, &setup.account.workspace.id, &setup.account.owner.id) {
            let is_open = method == "GET" && (path.is_empty() || path.ends_with(setup.account.workspace.id.as_str()));
            let expected = if is_open || (method, path.as_str()) == ("GET", "/workspaces") { 200 } else { 403 };
            let (status, answer) = setup.call(bearer, method, &path, body).await;
            assert_eq!(status, expected, "{who}: {method} {path}: {answer}");
        }
    }
    // A personal key of somebody who manages the workspace is no login either.
    let (manager, _) = setup.workspace_admin().await;
    let key = setup.personal_key(&manager, "read").await.plain.expose().to_owned();
    let workspace = format!("/workspaces/{}", setup.account.workspace.id);
    assert_eq!(setup.call(&key, "PATCH", &workspace, Some(json!({"name": "default"}))).await.0, 403);
}

#[tokio::test]
async fn every_user_sees_itself() {
    let setup = Setup::new().await;
    let (bob, carol) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let (status, body) = setup.get(&setup.login(&bob), &format!("/users/{}", bob.id)).await;
    assert_eq!((status, &body["email"]), (200, &json!(bob.email)));
    let (_, unknown) = setup.get(&setup.login(&bob), "/users/cu_0123456789abcdef").await;
    let (status, other) = setup.get(&setup.login(&bob), &format!("/users/{}", carol.id)).await;
    assert_eq!((status, other), (403, unknown), "whether there is another is not told");
}

#[tokio::test]
async fn members_list_the_workspaces_that_they_are_in() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let (one, two) = (setup.workspace("one").await, setup.workspace("two").await);
    setup.workspace("not theirs").await;
    change_user(&setup.test.store, &bob, |bob| {
        bob.workspaces.insert(one.clone(), WorkspaceRole::Member);
        bob.workspaces.insert(two.clone(), WorkspaceRole::Admin);
    })
    .await;
    let default = &setup.account.workspace.id;
    let mut expected = vec![default.to_string(), one.to_string(), two.to_string()];
    expected.sort();
    assert_eq!(crate::life::walk(&setup, &setup.login(&bob), "/workspaces", "id").await, expected);
    let key = setup.key("read").await;
    assert_eq!(crate::life::walk(&setup, &key, "/workspaces", "id").await, [default.to_string()]);
}

#[tokio::test]
async fn another_clients_things_do_not_exist() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let key = setup.key("admin").await;
    let theirs = setup.test.account().await;
    let missing = setup.get(&owner, "/users/cu_0123456789abcdef").await;
    assert_eq!(missing.0, 404);
    let own = &setup.account.workspace.id;
    let nobody = UserId::random();
    for bearer in [&owner, &key] {
        for (workspace, user) in [(&theirs.workspace.id, &theirs.owner.id), (own, &theirs.owner.id), (own, &nobody)] {
            for (method, path, body) in calls(&setup, workspace, user) {
                if path.contains(user.as_str()) || path.contains(theirs.workspace.id.as_str()) {
                    assert_eq!(setup.call(bearer, method, &path, body).await, missing, "{method} {path}");
                }
            }
        }
        // Their client, with their things and with its own.
        for (workspace, user) in [(&theirs.workspace.id, &theirs.owner.id), (own, &setup.account.owner.id)] {
            for (method, path, body) in calls(&setup, workspace, user) {
                let bearer = format!("Bearer {bearer}");
                let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
                let path = format!("/api/v1/clients/{}{path}", theirs.client.id);
                let body = body.map(|body| body.to_string()).unwrap_or_default();
                let answer = setup.answer(testkit::request(method, &path, &headers, body)).await;
                assert_eq!(answer, missing, "{method} {path}");
            }
        }
    }
    let store = &setup.test.store;
    assert_eq!(store.client_by_id(&theirs.client.id).await.unwrap().unwrap().name, theirs.client.name);
    let owner = store.user_by_id(&theirs.client.id, &theirs.owner.id).await.unwrap().unwrap();
    assert_eq!(owner, theirs.owner);
}

#[tokio::test]
async fn nobody_gives_members_what_they_do_not_hold() {
    let setup = Setup::new().await;
    let (_, manager) = setup.workspace_admin().await;
    let path = format!("/workspaces/{}", setup.account.workspace.id);
    for (scopes, expected) in [
        (json!(["read"]), 200),
        (json!(["write"]), 403),
        (json!(["read", "admin"]), 403),
        (json!(["insights:*"]), 403),
        (json!([]), 200),
        (json!(null), 200),
    ] {
        let (status, body) = setup.call(&manager, "PATCH", &path, Some(json!({"member_scopes": scopes}))).await;
        assert_eq!(status, expected, "{scopes}: {body}");
    }
    let by_admin = json!({"member_scopes": ["insights:read", "write"]});
    assert_eq!(setup.call(&setup.owner(), "PATCH", &path, Some(by_admin)).await.0, 200);
}

#[tokio::test]
async fn a_workspaces_admin_neither_suspends_it_nor_hands_it_on_nor_works_while_it_is_suspended() {
    let setup = Setup::new().await;
    let (user, manager) = setup.workspace_admin().await;
    let carol = setup.user(Role::Member).await;
    let path = format!("/workspaces/{}", setup.account.workspace.id);
    for body in [
        json!({"status": "suspended"}),
        json!({"status": "active"}),
        json!({"owner_user_id": user.id}),
        json!({"owner_user_id": carol.id, "name": "default"}),
    ] {
        assert_eq!(setup.call(&manager, "PATCH", &path, Some(body.clone())).await.0, 403, "{body}");
    }
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.status = WorkspaceStatus::Suspended).await;
    setup.pass();
    let member = format!("{path}/members/{}", carol.id);
    for (method, path, body) in [
        ("PATCH", &path, Some(json!({"personal_keys_allowed": false}))),
        ("PUT", &member, Some(json!({"role": "admin"}))),
        ("DELETE", &member, None),
    ] {
        let (status, answer) = setup.call(&manager, method, path, body).await;
        assert_eq!((status, &answer["message"]), (403, &json!("The workspace is suspended")), "{method}");
    }
    assert_eq!(setup.get(&manager, &path).await.1["status"], "suspended", "what has become of it is shown");
    let own = format!("{path}/members/{}", user.id);
    assert_eq!(setup.call(&manager, "DELETE", &own, None).await.0, 204, "and whoever wants to may leave");
    let (status, _) = setup.call(&setup.owner(), "PATCH", &path, Some(json!({"status": "active"}))).await;
    assert_eq!(status, 200, "the client's owner opens it again");
}

#[tokio::test]
async fn refusals_are_noted_beside_the_chain() {
    let setup = Setup::new().await;
    let (bob, carol) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let own = &setup.account.workspace.id;
    let before = setup.events().await;
    statuses(&setup, &setup.login(&bob), own, &carol.id).await;
    assert_eq!(setup.events().await, before);
    let refused: Vec<_> =
        setup.all_events().await.into_iter().filter(|event| event.outcome == Outcome::Refused).collect();
    let mut named: Vec<_> = refused.iter().map(|event| (event.action.as_str(), event.object.id.as_str())).collect();
    named.sort_unstable();
    let client = setup.client_id();
    let mut expected = [
        ("client.updated", client),
        ("user.invited", client),
        ("user.role_changed", carol.id.as_str()),
        ("user.removed", carol.id.as_str()),
        ("workspace.created", client),
        ("workspace.updated", own.as_str()),
        ("workspace.member_set", own.as_str()),
        ("workspace.member_removed", own.as_str()),
    ];
    expected.sort_unstable();
    assert_eq!(named, expected);
    assert!(refused.iter().all(|event| event.actor.id == bob.id.as_str() && event.hash.is_none()));
}

#[tokio::test]
async fn a_suspended_workspaces_key_does_nothing_here() {
    let setup = Setup::new().await;
    let elsewhere = setup.workspace("elsewhere").await;
    let mut key = TestKey::new(&setup.account.client, "admin");
    key.record.kind = KeyKind::Workspace(elsewhere.clone());
    let key = key.stored(&setup.test.store).await.plain.expose().to_owned();
    assert_eq!(setup.get(&key, "/users").await.0, 200);
    let path = format!("/workspaces/{elsewhere}");
    assert_eq!(setup.call(&setup.owner(), "PATCH", &path, Some(json!({"status": "suspended"}))).await.0, 200);
    setup.pass();
    for (method, path, body) in calls(&setup, &elsewhere, &setup.account.owner.id) {
        assert_eq!(setup.call(&key, method, &path, body).await.0, 403, "{method} {path}");
    }
}
