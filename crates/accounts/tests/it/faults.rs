use std::time::Duration;

use domain::Role;
use serde_json::{Value, json};
use testkit::{Fault, TestStore, audience};

use crate::setup::Setup;

/// A change of each kind, ready to be made, and none of which needs another.
async fn changes(setup: &Setup) -> Vec<(&'static str, String, Option<Value>)> {
    let (bob, carol) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let (dave, frank) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let id = setup.workspace("research").await;
    let app = setup.oauth_app("read").await;
    let (grant, _) = setup.granted(&app, &carol, "read").await;
    let leaving = format!("/workspaces/{}/members/{}", setup.account.workspace.id, frank.id);
    vec![
        ("PATCH", String::new(), Some(json!({"token_lifetime": 90}))),
        ("POST", "/users".to_owned(), Some(json!({"email": "erin@example.com", "role": "owner"}))),
        ("PATCH", format!("/users/{}", bob.id), Some(json!({"role": "owner"}))),
        ("DELETE", format!("/users/{}", dave.id), None),
        ("POST", "/workspaces".to_owned(), Some(json!({"name": "x"}))),
        ("PATCH", format!("/workspaces/{id}"), Some(json!({"personal_keys_allowed": false}))),
        ("PUT", format!("/workspaces/{id}/members/{}", carol.id), Some(json!({"role": "admin"}))),
        ("DELETE", leaving, None),
        ("DELETE", format!("/users/{}/grants/{}", carol.id, grant.id), None),
        ("POST", format!("/apps/{}/rotate_secret", app.id), None),
    ]
}

#[tokio::test]
async fn a_store_that_is_away_is_503_and_changes_nothing() {
    for operation in ["TransactWriteItems", "GetItem"] {
        for fault in [Fault::Throttle, Fault::InternalError] {
            let setup = Setup::new().await;
            let owner = setup.owner();
            let changes = changes(&setup).await;
            setup.get(&owner, "").await;
            let before = setup.events().await.len();
            for (method, path, body) in &changes {
                setup.test.faults.always(operation, fault);
                let (status, answer) = setup.call(&owner, method, path, body.clone()).await;
                assert_eq!(status, 503, "{operation} {fault:?}: {method} {path}: {answer}");
                setup.test.faults.heal();
            }
            assert_eq!(setup.events().await.len(), before, "{operation} {fault:?}");
            for (method, path, body) in changes {
                let (status, answer) = setup.call(&owner, method, &path, body).await;
                assert!((200..300).contains(&status), "{method} {path}: {answer}");
            }
        }
    }
}

#[tokio::test]
async fn what_the_store_recovers_from_is_made_once() {
    for fault in [Fault::Throttle, Fault::LostAnswer, Fault::TransactionConflict, Fault::InternalError] {
        let setup = Setup::new().await;
        let owner = setup.owner();
        for (method, path, body) in changes(&setup).await {
            let before = setup.events().await.len();
            setup.test.faults.once("TransactWriteItems", fault);
            let (status, answer) = setup.call(&owner, method, &path, body).await;
            assert!((200..300).contains(&status), "{fault:?}: {method} {path}: {answer}");
            assert_eq!(setup.events().await.len(), before + 1, "{fault:?}: {method} {path}");
        }
        assert_eq!(setup.stored_client().await.owners, 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_change_whose_answer_is_lost_for_good_may_be_made_again() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    for (method, path, body) in changes(&setup).await {
        let before = setup.events().await.len();
        setup.test.faults.always("TransactWriteItems", Fault::LostAnswer);
        let (status, answer) = setup.call(&owner, method, &path, body.clone()).await;
        assert_eq!(status, 503, "{method} {path}: {answer}");
        setup.test.faults.heal();
        let (status, answer) = setup.call(&owner, method, &path, body).await;
        // A creation without a name to repeat it by is another creation.
        let (expected, more) = match (method, path.as_str()) {
            ("POST", "/users") => (409, 1),
            ("POST", _) => (201, 2),
            ("DELETE", path) if path.starts_with("/users") && !path.contains("/grants/") => (404, 1),
            ("DELETE", _) => (204, 1),
            _ => (200, 1),
        };
        assert_eq!(status, expected, "{method} {path}: {answer}");
        assert_eq!(setup.events().await.len(), before + more, "{method} {path}");
    }
    assert_eq!(setup.stored_client().await.owners, 2);
}

#[tokio::test]
async fn a_user_is_removed_although_the_keys_can_not_be_revoked() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Member).await;
    let key = setup.personal_key(&bob, "read").await;
    setup.warm().await;
    // The list of keys is the second query, behind the feed's.
    setup.test.faults.once("Query", Fault::Slow(Duration::ZERO));
    setup.test.faults.always("Query", Fault::InternalError);
    assert_eq!(setup.call(&owner, "DELETE", &format!("/users/{}", bob.id), None).await.0, 204);
    setup.test.faults.heal();
    assert_eq!(setup.stored_user(&bob.id).await, None);
    assert_eq!(setup.test.store.key_by_id(&key.record.id).await.unwrap().unwrap().revoked_at, None);
    assert_eq!(setup.get(key.plain.expose(), "").await.0, 401, "and yet it is dead: its user is gone");
}

#[tokio::test]
async fn reads_of_a_store_that_is_away_are_503_and_no_401_or_404() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    setup.get(&owner, "").await;
    setup.test.faults.always("*", Fault::Throttle);
    let workspace = format!("/workspaces/{}", setup.account.workspace.id);
    let members = format!("{workspace}/members");
    for path in ["", "/users", "/workspaces", &workspace, &members] {
        assert_eq!(setup.get(&owner, path).await.0, 503, "{path}");
    }
    let stranger = testkit::TestKey::new(&setup.account.client, "admin");
    assert_eq!(setup.get(stranger.plain.expose(), "").await.0, 503, "nobody knows whether the key counts");
    let unreachable = TestStore::unreachable();
    let app = accounts::App {
        identity: identity::Identity::new(unreachable.clone(), audience()),
        store: unreachable,
        access: domain::Access::built_in().unwrap(),
    };
    let request = testkit::request("GET", &setup.path(""), &[], "");
    let reply = accounts::handle(app.into(), request, setup.moment()).await;
    assert_eq!(reply.unwrap_err().into_reply(testkit::ISSUER).status().as_u16(), 401, "no credential, no read");
}

#[tokio::test]
async fn a_change_that_the_audit_log_can_not_hold_is_not_made() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    // An event stands already where the next one belongs.
    let next = format!("{:020}", setup.events().await.len() + 1);
    let chain = format!("CHAIN#{}", setup.client_id());
    setup.test.put_raw("AuditTable", &[("pk", &chain), ("sk", &next)], &[]);
    let (status, body) = setup.call(&owner, "PATCH", "", Some(json!({"name": "x"}))).await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(setup.stored_client().await.name, setup.account.client.name);
}
