use domain::{Role, UserId, WorkspaceRole};
use serde_json::{Value, json};
use testkit::{event, now, request_of};

use crate::setup::Setup;

#[tokio::test]
async fn the_sample_events_do_what_they_say() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let (bob, carol) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let workspace = setup.workspace("first").await;
    for (name, user, expected) in [
        ("client-get", None, 200),
        ("client-update", None, 200),
        ("user-invite", None, 201),
        ("user-list", None, 200),
        ("user-get", Some(&bob), 200),
        ("user-update", Some(&bob), 200),
        ("user-remove", Some(&bob), 204),
        ("user-remove", Some(&bob), 404),
        ("workspace-create", None, 201),
        ("workspace-list", None, 200),
        ("workspace-get", None, 200),
        ("workspace-update", None, 200),
        ("member-set", Some(&carol), 200),
        ("member-get", Some(&carol), 200),
        ("member-list", None, 200),
        ("member-remove", Some(&carol), 204),
        ("member-remove", Some(&carol), 204),
    ] {
        let mut values = vec![("REPLACE_WITH_KEY", owner.as_str()), ("REPLACE_WITH_CLIENT_ID", setup.client_id())];
        if name.starts_with("member") || matches!(name, "workspace-get" | "workspace-update") {
            values.push(("REPLACE_WITH_WORKSPACE_ID", workspace.as_str()));
        }
        if let Some(user) = user {
            values.push(("REPLACE_WITH_USER_ID", user.id.as_str()));
        }
        let (status, body) = setup.answer(request_of(&event(&format!("accounts-{name}"), &values))).await;
        assert_eq!(status, expected, "{name}: {body}");
    }
    let by = setup.events().await.pop().unwrap();
    assert_eq!(by.address.as_deref(), Some("203.0.113.7"), "as the gateway has seen it");
}

#[tokio::test]
async fn a_client_is_shown_and_changed() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let client = &setup.account.client;
    let mut expected = json!({
        "id": client.id, "name": "Acme Corp", "slug": client.slug, "status": "active", "tier": "standard",
        "owner_user_id": client.owner_user_id, "default_workspace_id": client.default_workspace_id,
        "key_prefix": null, "token_lifetime": null, "default_scopes": ["read"], "created_at": now(),
    });
    assert_eq!(setup.get(&owner, "").await, (200, expected.clone()));

    let change = json!({
        "name": "  Acme 株式会社 ", "key_prefix": "sk-sim-", "token_lifetime": 60,
        "default_scopes": ["insights:*", "read"],
    });
    for (member, value) in change.as_object().unwrap() {
        expected[member] = value.clone();
    }
    expected["name"] = json!("Acme 株式会社");
    assert_eq!(setup.call(&owner, "PATCH", "", Some(change)).await, (200, expected.clone()));
    assert_eq!(setup.call(&owner, "PATCH", "", Some(json!({}))).await, (200, expected.clone()), "nothing is given");
    assert_eq!(setup.get(&owner, "").await, (200, expected.clone()));

    let away = json!({"key_prefix": null, "token_lifetime": null});
    (expected["key_prefix"], expected["token_lifetime"]) = (Value::Null, Value::Null);
    assert_eq!(setup.call(&owner, "PATCH", "", Some(away)).await, (200, expected));
}

#[tokio::test]
async fn somebody_is_invited_given_a_role_and_removed() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let form = json!({"email": "Bob@Example.com", "role": "owner"});
    let (status, mut body) = setup.call(&owner, "POST", "/users", Some(form.clone())).await;
    assert_eq!(status, 201, "{body}");
    let token = body["invite_token"].take();
    let id = UserId::parse(body["user"]["id"].as_str().unwrap()).unwrap();
    let user = json!({"id": id, "email": "bob@example.com", "role": "owner", "status": "invited"});
    assert_eq!(body, json!({"user": user, "invite_token": null}));

    let secret = token.as_str().unwrap().strip_prefix("invite_").unwrap();
    assert!(secret.len() == 43 && secret.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let hash = domain::HashedKey::of_text(token.as_str().unwrap());
    let find = |at| setup.test.store.invite_find(&hash, at);
    let week = 7 * 24 * 3600;
    assert_eq!(find(now().plus(week - 1)).await.unwrap().unwrap().user_id, id);
    assert_eq!(find(now().plus(week)).await.unwrap(), None, "a week later it leads nowhere");

    let stored = setup.stored_user(&id).await.unwrap();
    assert_eq!(stored.workspaces, [(setup.account.workspace.id.clone(), WorkspaceRole::Member)].into());
    assert_eq!(setup.test.store.password_of(&id).await.unwrap(), None);
    assert_eq!(setup.stored_client().await.owners, 1, "whoever is invited has not come");

    let one = format!("/users/{id}");
    let mut record = user.clone();
    record["workspaces"] = json!({setup.account.workspace.id.as_str(): "member"});
    record["created_at"] = json!(now());
    assert_eq!(setup.get(&owner, &one).await, (200, record.clone()));
    record["role"] = json!("member");
    assert_eq!(setup.call(&owner, "PATCH", &one, Some(json!({"role": "member"}))).await, (200, record.clone()));

    assert_eq!(setup.call(&owner, "POST", "/users", Some(form.clone())).await.0, 409, "the address is taken");
    assert_eq!(setup.call(&owner, "DELETE", &one, None).await, (204, Value::Null));
    assert_eq!(setup.get(&owner, &one).await.0, 404);
    assert_eq!(setup.call(&owner, "DELETE", &one, None).await.0, 404);
    assert_eq!(setup.call(&owner, "POST", "/users", Some(form)).await.0, 201, "the address is free again");
}

#[tokio::test]
async fn lists_page_through_everything_with_cursors() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let mut users = vec![setup.account.owner.id.to_string()];
    let mut workspaces = vec![setup.account.workspace.id.to_string()];
    for number in 0..4 {
        users.push(setup.user(Role::Member).await.id.to_string());
        workspaces.push(setup.workspace(&format!("number {number}")).await.to_string());
    }
    let members = format!("/workspaces/{}/members", setup.account.workspace.id);
    for (list, name, mut expected) in
        [("/users", "id", users.clone()), ("/workspaces", "id", workspaces), (members.as_str(), "user_id", users)]
    {
        expected.sort();
        assert_eq!(walk(&setup, &owner, list, name).await, expected, "{list}");
    }
}

/// The ids of a list in the order of its pages, each but the last of two.
pub(crate) async fn walk(setup: &Setup, bearer: &str, list: &str, name: &str) -> Vec<String> {
    let (mut found, mut cursor) = (Vec::new(), String::new());
    loop {
        let (status, body) = setup.get(bearer, &format!("{list}?limit=2{cursor}")).await;
        assert_eq!(status, 200, "{body}");
        let page = body["data"].as_array().unwrap().clone();
        found.extend(page.iter().map(|item| item[name].as_str().unwrap().to_owned()));
        match &body["next_cursor"] {
            Value::String(next) => {
                assert_eq!(page.len(), 2);
                cursor = format!("&cursor={next}");
            }
            _ => return found,
        }
    }
}

#[tokio::test]
async fn warm_calls_cost_what_they_must() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Member).await;
    setup.warm().await;
    let one = format!("/users/{}", bob.id);
    let member = format!("/workspaces/{}/members/{}", setup.account.workspace.id, bob.id);
    let workspace = format!("/workspaces/{}", setup.account.workspace.id);
    // What the feed has told of since. A transaction, with two reads for its places in feed and chain; what it changes was
    // read before.
    for (method, path, body, reads) in [
        ("PATCH", "", Some(json!({"token_lifetime": 90})), 3),
        // Nobody has a new user in a cache: the feed is not read.
        ("POST", "/users", Some(json!({"email": "carol@example.com", "role": "admin"})), 2),
        ("PATCH", &one, Some(json!({"role": "admin"})), 3),
        ("PUT", &member, Some(json!({"role": "admin"})), 4),
        ("POST", "/workspaces", Some(json!({"name": "x"})), 3),
        // The owner is in another workspace now, and read anew; so is what changed in the calls that follow.
        ("PATCH", &workspace, Some(json!({"personal_keys_allowed": false})), 5),
        ("DELETE", &member, None, 6),
    ] {
        setup.test.faults.reset_counts();
        let (status, answer) = setup.call(&owner, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
        let counts: Vec<_> = setup.test.faults.counts().into_iter().collect();
        let expected = [("GetItem", reads), ("Query", 1), ("TransactWriteItems", 1)];
        assert_eq!(counts, expected.map(|(call, count)| (call.to_owned(), count)), "{method} {path}");
    }
    for list in ["/users", "/workspaces"] {
        setup.test.faults.reset_counts();
        assert_eq!(setup.get(&owner, list).await.0, 200);
        assert_eq!(setup.test.faults.counts().into_iter().collect::<Vec<_>>(), [("Query".to_owned(), 1)], "{list}");
    }
}
