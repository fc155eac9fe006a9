//! What happens at once, each caller in a process of its own.

use std::sync::Arc;

use accounts::{App, handle};
use domain::{Access, Role, User, WorkspaceRole};
use edge::Request;
use identity::Identity;
use serde_json::{Value, json};
use testkit::{ISSUER, audience, moment, parts, request};

use crate::setup::Setup;

/// Sends every request at once, each to a function of its own, and gives the statuses in order.
pub(crate) async fn at_once(setup: &Setup, calls: Vec<(String, &str, String, Option<Value>)>) -> Vec<u16> {
    let mut running = Vec::new();
    for (bearer, method, rest, body) in calls {
        let store = setup.test.another_connection();
        let identity = Identity::new(store.clone(), audience());
        let app = Arc::new(App { store, identity, access: Access::built_in().unwrap() });
        let request = call(setup, &bearer, method, &rest, body);
        running.push(tokio::spawn(async move {
            match handle(app, request, moment(0.0)).await {
                Ok(reply) => parts(reply),
                Err(error) => parts(error.into_reply(ISSUER)),
            }
        }));
    }
    let mut statuses = Vec::new();
    for one in running {
        statuses.push(one.await.unwrap().0);
    }
    statuses
}

fn call(setup: &Setup, bearer: &str, method: &str, rest: &str, body: Option<Value>) -> Request {
    let bearer = format!("Bearer {bearer}");
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    request(method, &setup.path(rest), &headers, body.map(|body| body.to_string()).unwrap_or_default())
}

/// Two owners, neither of whom owns a workspace.
async fn two_owners(setup: &Setup) -> (User, User) {
    let (one, two) = (setup.user(Role::Owner).await, setup.user(Role::Owner).await);
    let first = format!("/users/{}", setup.account.owner.id);
    let demoted = setup.call(&setup.login(&one), "PATCH", &first, Some(json!({"role": "member"}))).await;
    assert_eq!(demoted.0, 200, "{}", demoted.1);
    assert_eq!(setup.stored_client().await.owners, 2);
    (one, two)
}

async fn active_owners(setup: &Setup) -> Vec<String> {
    let page = setup.test.store.user_list(&setup.account.client.id, 100, None).await.unwrap();
    page.items.into_iter().filter(|user| user.role == Role::Owner).map(|user| user.id.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_owners_who_remove_each_other_one_stays() {
    for method in ["DELETE", "PATCH"] {
        let setup = Setup::new().await;
        let (one, two) = two_owners(&setup).await;
        let before = setup.events().await.len();
        let body = (method == "PATCH").then(|| json!({"role": "admin"}));
        let against = |by: &User, other: &User| (setup.login(by), method, format!("/users/{}", other.id), body.clone());
        let mut statuses = at_once(&setup, vec![against(&one, &two), against(&two, &one)]).await;
        statuses.sort_unstable();
        // Where the first has ended before the second began, the second's caller counts no longer.
        let (done, refused) = (if method == "PATCH" { 200 } else { 204 }, [401, 403, 409]);
        assert!(statuses[0] == done && refused.contains(&statuses[1]), "{method}: {statuses:?}");
        let left = active_owners(&setup).await;
        let client = setup.stored_client().await;
        assert_eq!((left.len(), client.owners), (1, 1), "{method}");
        assert_eq!(client.owner_user_id.as_str(), left[0], "{method}");
        assert_eq!(setup.events().await.len(), before + 1, "{method}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_who_end_the_same_two_owners_one_stays() {
    let setup = Setup::new().await;
    let (one, two) = two_owners(&setup).await;
    let admin = setup.key("admin").await;
    let calls = (0..8).map(|number| {
        let user = if number % 2 == 0 { &one } else { &two };
        let method = if number < 4 { "DELETE" } else { "PATCH" };
        let body = (number >= 4).then(|| json!({"role": "member"}));
        (admin.clone(), method, format!("/users/{}", user.id), body)
    });
    let statuses = at_once(&setup, calls.collect()).await;
    assert!(statuses.iter().all(|status| [200, 204, 404, 409, 503].contains(status)), "{statuses:?}");
    assert_eq!((active_owners(&setup).await.len(), setup.stored_client().await.owners), (1, 1), "{statuses:?}");
    setup.events().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_puts_of_one_member_both_count_and_are_one_change_where_they_say_the_same() {
    for (other, changes) in [("admin", 1), ("member", 2)] {
        let setup = Setup::new().await;
        let bob = setup.user(Role::Member).await;
        let id = setup.workspace("research").await;
        let before = setup.events().await.len();
        let put = |role: &str| {
            (setup.owner(), "PUT", format!("/workspaces/{id}/members/{}", bob.id), Some(json!({"role": role})))
        };
        let statuses = at_once(&setup, vec![put("admin"), put(other)]).await;
        assert_eq!(statuses, [200, 200]);
        assert_eq!(setup.events().await.len(), before + changes, "{other}");
        let role = setup.stored_user(&bob.id).await.unwrap().workspaces[&id];
        let listed = setup.test.store.member_list(&id, 100, None).await.unwrap().items;
        assert!(listed.iter().any(|member| member.user_id == bob.id && member.role == role), "{listed:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn workspaces_made_at_once_all_get_their_place_in_the_owners_item() {
    let setup = Setup::new().await;
    let make = |number| (setup.owner(), "POST", "/workspaces".to_owned(), Some(json!({"name": format!("n {number}")})));
    let statuses = at_once(&setup, (0..3).map(make).collect()).await;
    assert_eq!(statuses, [201, 201, 201]);
    let owned = setup.stored_user(&setup.account.owner.id).await.unwrap().workspaces;
    assert_eq!(owned.values().filter(|role| **role == WorkspaceRole::Owner).count(), 4);
    setup.events().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn of_invitations_of_one_address_at_once_one_is_made() {
    let setup = Setup::new().await;
    let invite = || {
        let form = json!({"email": "bob@example.com", "role": "member"});
        (setup.owner(), "POST", "/users".to_owned(), Some(form))
    };
    let mut statuses = at_once(&setup, (0..5).map(|_| invite()).collect()).await;
    statuses.sort_unstable();
    assert_eq!(statuses, [201, 409, 409, 409, 409]);
    assert_eq!(setup.test.store.user_list(&setup.account.client.id, 100, None).await.unwrap().items.len(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_workspace_handed_on_to_two_at_once_has_one_owner() {
    let setup = Setup::new().await;
    let (one, two) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let id = &setup.account.workspace.id;
    let hand_to =
        |user: &User| (setup.owner(), "PATCH", format!("/workspaces/{id}"), Some(json!({"owner_user_id": user.id})));
    let statuses = at_once(&setup, vec![hand_to(&one), hand_to(&two)]).await;
    assert_eq!(statuses, [200, 200], "one after the other");
    let owner = setup.stored_workspace(id).await.owner_user_id;
    let listed = setup.test.store.member_list(id, 100, None).await.unwrap().items;
    let owners: Vec<_> = listed.iter().filter(|member| member.role == WorkspaceRole::Owner).collect();
    assert_eq!(owners.len(), 1, "{listed:?}");
    assert_eq!(owners[0].user_id, owner);
    assert_eq!(setup.stored_user(&owner).await.unwrap().workspaces[id], WorkspaceRole::Owner);
}
