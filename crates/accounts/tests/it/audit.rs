use domain::{Role, Timestamp};
use serde_json::{Value, json};

use crate::setup::Setup;

#[tokio::test]
async fn each_change_is_one_event_that_says_what_and_by_whom() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Member).await;
    let workspace = setup.workspace("research").await;
    let (client, path) = (setup.client_id(), format!("/workspaces/{workspace}"));
    let member = format!("{path}/members/{}", bob.id);
    let one = format!("/users/{}", bob.id);
    for (method, path, body, action, object, details) in [
        (
            "PATCH",
            "",
            Some(json!({"name": "x", "key_prefix": "acme_", "token_lifetime": 60, "default_scopes": ["write"]})),
            "client.updated",
            client,
            json!({"name": "x", "key_prefix": "acme_", "token_lifetime": 60, "default_scopes": ["write"]}),
        ),
        (
            "PATCH",
            "",
            Some(json!({"name": "x", "key_prefix": null})),
            "client.updated",
            client,
            json!({"key_prefix": null}),
        ),
        (
            "PATCH",
            &one,
            Some(json!({"role": "admin"})),
            "user.role_changed",
            bob.id.as_str(),
            json!({"from": "member", "to": "admin"}),
        ),
        (
            "PATCH",
            &path,
            Some(json!({"personal_keys_allowed": false, "member_scopes": ["read"], "status": "suspended"})),
            "workspace.updated",
            workspace.as_str(),
            json!({"personal_keys_allowed": false, "member_scopes": ["read"], "status": "suspended"}),
        ),
        (
            "PUT",
            &member,
            Some(json!({"role": "admin"})),
            "workspace.member_set",
            workspace.as_str(),
            json!({"user_id": bob.id, "role": "admin"}),
        ),
        (
            "PATCH",
            &path,
            Some(json!({"owner_user_id": bob.id, "member_scopes": null, "name": "lab"})),
            "workspace.updated",
            workspace.as_str(),
            json!({"owner_user_id": bob.id, "member_scopes": null, "name": "lab"}),
        ),
        (
            "PATCH",
            &path,
            Some(json!({"owner_user_id": setup.account.owner.id})),
            "workspace.updated",
            workspace.as_str(),
            json!({"owner_user_id": setup.account.owner.id}),
        ),
        ("DELETE", &member, None, "workspace.member_removed", workspace.as_str(), json!({"user_id": bob.id})),
        ("DELETE", &one, None, "user.removed", bob.id.as_str(), json!({"email": bob.email, "role": "admin"})),
    ] {
        let before = setup.events().await.len();
        let (status, answer) = setup.call(&owner, method, path, body).await;
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
        let new: Vec<_> = setup.events().await.into_iter().skip(before).collect();
        assert_eq!(new.len(), 1, "{method} {path}: {new:?}");
        let event = &new[0];
        assert_eq!((event.action.as_str(), event.object.id.as_str()), (action, object));
        assert_eq!(Value::Object(event.details.clone()), details, "{action}");
        assert_eq!((event.actor.kind.as_str(), event.actor.id.as_str()), ("user", setup.account.owner.id.as_str()));
        assert_eq!(event.at, Timestamp::from_unix(testkit::NOW));
    }
}

#[tokio::test]
async fn what_is_made_is_named_in_its_event_and_its_secret_is_not() {
    let setup = Setup::new().await;
    let key = testkit::TestKey::new(&setup.account.client, "admin").stored(&setup.test.store).await;
    let bearer = key.plain.expose();
    let form = json!({"email": "erin@example.com", "role": "member"});
    let (_, invited) = setup.call(bearer, "POST", "/users", Some(form.clone())).await;
    let (_, made) = setup.call(bearer, "POST", "/workspaces", Some(json!({"name": "lab"}))).await;
    let events = setup.events().await;
    let [.., by_invite, by_creation] = &events[..] else { panic!("{events:?}") };
    assert_eq!((by_invite.action.as_str(), by_invite.object.kind.as_str()), ("user.invited", "user"));
    assert_eq!(json!(by_invite.object.id), invited["user"]["id"]);
    assert_eq!(Value::Object(by_invite.details.clone()), form);
    assert_eq!((by_creation.action.as_str(), by_creation.object.kind.as_str()), ("workspace.created", "workspace"));
    assert_eq!(json!(by_creation.object.id), made["id"]);
    let owner = &setup.account.owner.id;
    assert_eq!(Value::Object(by_creation.details.clone()), json!({"name": "lab", "owner_user_id": owner}));
    for event in [by_invite, by_creation] {
        assert_eq!((event.actor.kind.as_str(), event.actor.id.as_str()), ("key", key.record.id.as_str()));
    }
    let token = invited["invite_token"].as_str().unwrap();
    assert!(!serde_json::to_string(&events).unwrap().contains(token));
}

#[tokio::test]
async fn what_changes_nothing_is_no_event() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Member).await;
    let workspace = &setup.account.workspace.id;
    let path = format!("/workspaces/{workspace}");
    let member = format!("{path}/members/{}", bob.id);
    let elsewhere = setup.workspace("elsewhere").await;
    let before = setup.events().await.len();
    for (method, path, body, expected) in [
        ("GET", String::new(), None, 200),
        (
            "PATCH",
            String::new(),
            Some(json!({"name": "Acme Corp", "key_prefix": null, "default_scopes": ["read"]})),
            200,
        ),
        ("PATCH", format!("/users/{}", bob.id), Some(json!({"role": "member"})), 200),
        (
            "PATCH",
            path.clone(),
            Some(json!({"status": "active", "personal_keys_allowed": true, "member_scopes": []})),
            200,
        ),
        ("PATCH", path.clone(), Some(json!({"owner_user_id": setup.account.owner.id})), 200),
        ("PUT", member.clone(), Some(json!({"role": "member"})), 200),
        ("DELETE", format!("/workspaces/{elsewhere}/members/{}", bob.id), None, 204),
        ("PUT", member, Some(json!({"role": "owner"})), 400),
        ("PATCH", path, Some(json!({"name": "renamed"})), 409),
        ("DELETE", format!("/users/{}", setup.account.owner.id), None, 409),
        ("POST", "/users".to_owned(), Some(json!({"email": bob.email, "role": "member"})), 409),
        ("DELETE", "/users/cu_0123456789abcdef".to_owned(), None, 404),
    ] {
        let (status, answer) = setup.call(&owner, method, &path, body).await;
        assert_eq!(status, expected, "{method} {path}: {answer}");
    }
    assert_eq!(setup.all_events().await.len(), before);
}
