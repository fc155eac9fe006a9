//! Nothing of a client's is there for another: every route that belongs to a client, with every id of another client, as whoever
//! may do most in the own one and as those who may do less. What names another's things in bodies, queries and cursors is in
//! `isolation_inside.rs`.

use std::collections::BTreeSet;

use reqwest::Method;
use serde_json::{Value, json};

use crate::project;
use crate::support::account::Account;
use crate::support::client_calls::{CALLS, Call, Ids, ROOT};
use crate::support::consent::{ConsentApp, Visitor};
use crate::support::http::{Answer, Credential, NewKey};
use crate::support::system;

/// What any of them sees or does, by method and path: a member who has logged in, or a test key.
const OPEN_TO_MOST: [(&str, &str); 6] = [
    ("GET", ""),
    ("GET", "/api_keys"),
    ("GET", "/agents"),
    ("GET", "/workspaces"),
    ("GET", "/workspaces/{workspace_id}"),
    ("GET", "/audit_events"),
];

/// A client in which there is one of everything, and two of what lists are made of.
pub struct Tenant {
    pub account: Account,
    pub ids: Ids,
    /// A personal key of the owner's.
    pub personal: NewKey,
    /// A test key that holds `admin`.
    pub test_key: NewKey,
}

impl Tenant {
    pub async fn new(name: &str) -> Self {
        let account = Account::sign_up(system(), name).await;
        let user = account.join("member").await;
        let workspace = account.workspace(&account.owner, "second").await;
        account.take_in(&workspace, &user, "member").await;
        let key = account.workspace_key(&workspace, &["read"]).await;
        let personal = account.personal_key(&account.owner, &["read", "admin"]).await;
        let test = json!({"name": "tries", "environment": "test", "scopes": ["admin"]});
        let test_key = account.key(account.owner.login(), &test).await;
        let agents = ["agent", "another"].map(|name| format!("{name}-{}", domain::random::base62(16)));
        for agent in &agents {
            account.http.agent_token(Credential::ApiKey(&key.raw), agent, &["read"]).await;
        }
        let [agent, _] = agents;
        let mut app = String::new();
        for name in ["first", "second"] {
            let form =
                json!({"name": name, "grant_types": ["client_credentials"], "scopes": ["read"], "confidential": true});
            let made = account.manage(account.owner.login(), Method::POST, "/apps", &form, 201).await;
            made["id"].as_str().unwrap().clone_into(&mut app);
        }
        let allowed = ConsentApp::new(&account, "allowed", &["read"]).await;
        let mut visitor = Visitor::new(&account, &user).await;
        for _ in 0..2 {
            allowed.is_allowed(&account, &mut visitor, "read").await;
        }
        let grants = account.list(account.owner.login(), &format!("/users/{}/grants", user.id), "").await;
        let grant = grants[0]["id"].as_str().unwrap().to_owned();
        let ids = Ids { client: account.client_id.clone(), key: key.id, user: user.id, workspace, agent, app, grant };
        Self { account, ids, personal, test_key }
    }

    pub fn admin(&self) -> Credential<'_> {
        self.account.owner.login()
    }

    /// All that the client's owner can see of it.
    pub async fn seen(&self) -> Value {
        let list = async |rest: &str| self.account.list(self.admin(), rest, "").await;
        let mut members = Vec::new();
        let workspaces = list("/workspaces").await;
        for workspace in &workspaces {
            members.push(list(&format!("/workspaces/{}/members", workspace["id"].as_str().unwrap())).await);
        }
        let mut keys = list("/api_keys").await;
        for key in &mut keys {
            // Written some seconds after the use, as one that made the agents was used.
            key["last_used_at"].take();
        }
        json!({
            "client": self.account.manage(self.admin(), Method::GET, "", &Value::Null, 200).await,
            "keys": keys,
            "users": list("/users").await,
            "workspaces": workspaces,
            "members": members,
            "events": list("/audit_events").await,
            "agents": list("/agents").await,
            "apps": list("/apps").await,
            "grants": list(&format!("/users/{}/grants", self.ids.user)).await,
        })
    }

    async fn call(&self, call: &Call, ids: &Ids, by: Credential<'_>) -> Answer {
        let method = Method::from_bytes(call.method.as_bytes()).unwrap();
        self.account.http.call(method, &call.target(ids), by, &call.body()).await
    }
}

/// The ids of `own` with each of the others' instead that `path` names: each alone, and all together.
fn mixed(path: &str, own: &Ids, other: &Ids) -> Vec<Ids> {
    let parameters = ["{key_id}", "{user_id}", "{workspace_id}", "{agent_id}", "{app_id}", "{grant_id}"];
    let named: Vec<&str> = parameters.into_iter().filter(|it| path.contains(it)).collect();
    let with = |names: &[&str]| {
        let mut ids = own.clone();
        for name in names {
            match *name {
                "{key_id}" => ids.key.clone_from(&other.key),
                "{user_id}" => ids.user.clone_from(&other.user),
                "{app_id}" => ids.app.clone_from(&other.app),
                "{grant_id}" => ids.grant.clone_from(&other.grant),
                "{agent_id}" => ids.agent.clone_from(&other.agent),
                _ => ids.workspace.clone_from(&other.workspace),
            }
        }
        ids
    };
    let mut all: Vec<Ids> = named.iter().map(|name| with(&[name])).collect();
    if named.len() > 1 {
        all.push(with(&named));
    }
    all
}

/// What an answer tells: all but the moment and the request's own id.
fn told(answer: &Answer) -> (u16, String, Vec<(String, String)>) {
    let headers = answer.headers.iter().map(|(name, value)| (name.to_string(), format!("{value:?}")));
    let same = headers.filter(|(name, _)| {
        !["date", "x-amzn-requestid", "x-amz-apigw-id", "x-amzn-trace-id"].contains(&name.as_str())
    });
    (answer.status, answer.body.clone(), same.collect())
}

/// An import says of each row what becomes of it, and so of those too that are not the caller's to make.
fn is_refused_row_by_row(call: &Call, answer: &Answer) -> bool {
    let rows = (call.path == "/api_keys/import" && answer.status == 200).then(|| answer.json()["data"].clone());
    rows.is_some_and(|rows| rows.as_array().unwrap().iter().all(|row| row["result"] == "invalid"))
}

#[test]
fn every_route_of_a_client_is_walked() {
    let functions = project::template().functions().unwrap();
    let routes: BTreeSet<String> = functions
        .iter()
        .flat_map(|function| &function.events)
        .filter_map(|route| route.path.strip_prefix(ROOT).map(str::to_owned))
        .collect();
    let walked: BTreeSet<String> = CALLS.iter().map(|call| call.path.to_owned()).collect();
    assert_eq!(routes, walked, "routes of the template, and those of the walk");
}

#[tokio::test]
async fn a_method_that_is_not_walked_is_a_405() {
    let own = Tenant::new("Methods").await;
    let paths: BTreeSet<&str> = CALLS.iter().map(|call| call.path).collect();
    for path in paths {
        let walked: Vec<&str> = CALLS.iter().filter(|call| call.path == path).map(|call| call.method).collect();
        for method in ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"] {
            if walked.contains(&method) {
                continue;
            }
            let target = own.ids.fill(&format!("{ROOT}{path}"));
            let method = Method::from_bytes(method.as_bytes()).unwrap();
            let answer = own.account.http.call(method.clone(), &target, own.admin(), &json!({})).await;
            assert_eq!(answer.status, 405, "{method} {path}: {answer:?}");
            let allowed: BTreeSet<&str> = answer.header("allow").unwrap().split(", ").collect();
            assert_eq!(allowed, walked.iter().copied().collect(), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn another_clients_ids_are_as_unknown_as_those_that_nobody_has() {
    let (own, other) = (Tenant::new("Curious").await, Tenant::new("Private").await);
    let member = own.account.join("member").await;
    let (untouched, nobody) = (other.seen().await, Ids::unknown());
    for call in CALLS {
        let name = format!("{} {}", call.method, call.path);
        // In another client's place, whoever asks.
        let there = Ids { client: other.ids.client.clone(), ..own.ids.clone() };
        let nowhere = Ids { client: nobody.client.clone(), ..nobody.clone() };
        let test = || Credential::ApiKey(&own.test_key.raw);
        for by in [own.admin(), Credential::ApiKey(&own.personal.raw), member.login(), test()] {
            let unknown = own.call(call, &nowhere, by.clone()).await;
            assert_eq!(unknown.status, 404, "{name}: {unknown:?}");
            for ids in [&other.ids, &there] {
                let foreign = own.call(call, ids, by.clone()).await;
                assert_eq!(told(&foreign), told(&unknown), "{name} at the other client, by {by:?}");
            }
        }
        // In the own place, with what is another client's in it.
        let foreign = mixed(call.path, &own.ids, &other.ids);
        for (foreign, unknown) in foreign.iter().zip(mixed(call.path, &own.ids, &nobody)) {
            for by in [own.admin(), Credential::ApiKey(&own.personal.raw)] {
                let (foreign, unknown) =
                    (own.call(call, foreign, by.clone()).await, own.call(call, &unknown, by).await);
                assert_eq!(foreign.status, 404, "{name}: {foreign:?}");
                assert_eq!(told(&foreign), told(&unknown), "{name}");
            }
            for by in [member.login(), test()] {
                let (foreign, unknown) =
                    (own.call(call, foreign, by.clone()).await, own.call(call, &unknown, by).await);
                assert!([403, 404].contains(&foreign.status), "{name}: {foreign:?}");
                assert_eq!(told(&foreign), told(&unknown), "{name}");
            }
        }
    }
    assert_eq!(other.seen().await, untouched);
}

/// Else the walk would prove nothing: each of its calls works for whoever may make it, and for nobody less.
#[tokio::test]
async fn the_walk_is_made_of_calls_that_work_for_an_owner_and_are_refused_to_members_and_test_keys() {
    let own = Tenant::new("Working").await;
    // In the default workspace alone, so that the walk's is another's to see.
    let member = own.account.join("member").await;
    let before = own.seen().await;
    for call in CALLS {
        for by in [member.login(), Credential::ApiKey(&own.test_key.raw)] {
            let answer = own.call(call, &own.ids, by.clone()).await;
            let refused = [403, 404].contains(&answer.status) || is_refused_row_by_row(call, &answer);
            let may_be_open = OPEN_TO_MOST.contains(&(call.method, call.path));
            let open = may_be_open && answer.status == 200;
            assert!(refused || open, "{} {} by {by:?}: {answer:?}", call.method, call.path);
        }
    }
    let mut after = own.seen().await;
    // That a change was refused is noted; nothing else has happened.
    after["events"].as_array_mut().unwrap().retain(|event| event["outcome"] != "refused");
    assert_eq!(after, before);

    for call in CALLS {
        let answer = own.call(call, &own.ids, own.admin()).await;
        assert_eq!(answer.status, call.status, "{} {}: {answer:?}", call.method, call.path);
    }
    // Not all of it can be seen again: the user is gone, and so is what was theirs.
    let client = own.account.manage(own.admin(), Method::GET, "", &Value::Null, 200).await;
    assert_ne!(client["name"], before["client"]["name"]);
}
