//! Agents: listed, shown and ended by those who manage their keys.

use domain::{Action, Agent, AgentId, Deed, Environment, PlainKey, Role, ScopeSet, Shown};
use serde_json::{Value, json};
use store::agents::AgentEnd;
use store::revoked::Ending;
use testkit::{TestAgent, TestKey, act, now};

use crate::setup::{Bearer, Setup, calls};

impl Setup {
    async fn agent(&self, key: &TestKey, id: &str) -> TestAgent {
        TestAgent::new(key, id, "read").stored(&self.test.store).await
    }

    fn agents(&self, rest: &str) -> String {
        format!("/api/v1/clients/{}/agents{rest}", self.client.id)
    }

    async fn get_agent(&self, by: &impl Bearer, id: &str) -> (u16, Value) {
        self.call(by, "GET", &self.agents(&format!("/{id}")), None).await
    }

    async fn end_agent(&self, by: &impl Bearer, id: &str) -> (u16, Value) {
        self.call(by, "DELETE", &self.agents(&format!("/{id}")), None).await
    }

    /// The names that a list shows, page by page, in its order.
    async fn agent_names(&self, by: &impl Bearer, limit: usize) -> Vec<String> {
        let (mut names, mut cursor) = (Vec::new(), String::new());
        loop {
            let (status, body) = self.call(by, "GET", &self.agents(&format!("?limit={limit}{cursor}")), None).await;
            assert_eq!(status, 200, "{body}");
            let shown = body["data"].as_array().unwrap();
            assert!(shown.len() <= limit);
            names.extend(shown.iter().map(|agent| agent["agent_id"].as_str().unwrap().to_owned()));
            match body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return names,
            }
        }
    }

    async fn stored_agent(&self, id: &str) -> Agent {
        self.test.store.agent_by_id(&self.client.id, &AgentId::parse(id).unwrap()).await.unwrap().unwrap()
    }
}

#[tokio::test]
async fn an_agent_is_shown_with_its_parent_and_what_it_may_do() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("keys:manage").await, setup.key("read write").await);
    let parent = setup.agent(&key, "parent").await;
    let child = parent.below(&key, "child", "read").with(|grant| {
        grant.tools = domain::NameList::new(["search".to_owned()]);
        grant.expires_at = now().plus(600);
    });
    child.stored(&setup.test.store).await;
    let shown = |parent: Value, id: &str, tools: Value, end: i64| {
        json!({
            "agent_id": id, "client_id": setup.client.id, "parent": parent, "key_id": key.record.id, "scopes": ["read"],
            "tools": tools, "resources": null, "workspace_id": setup.client.default_workspace_id,
            "created_at": now(), "token_expires_at": now().plus(end),
        })
    };
    let child = shown(json!({"type": "agent", "id": "parent"}), "child", json!(["search"]), 600);
    let parent = shown(json!({"type": "key", "id": key.record.id}), "parent", json!(null), 3600);
    assert_eq!(setup.get_agent(&admin, "child").await, (200, child.clone()));
    let (status, listed) = setup.call(&admin, "GET", &setup.agents(""), None).await;
    assert_eq!((status, listed), (200, json!({"data": [child, parent], "next_cursor": null})));
}

#[tokio::test]
async fn an_end_ends_all_below_once_and_answers_the_same_again() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let parent = setup.agent(&key, "parent").await;
    parent.below(&key, "child", "read").stored(&setup.test.store).await;
    setup.agent(&key, "beside").await;
    let told = setup.test.store.feed_head().await.unwrap();
    for _ in 0..2 {
        assert_eq!(setup.end_agent(&admin, "parent").await.0, 204);
    }
    assert_eq!(setup.test.store.feed_head().await.unwrap().0, told.0 + 1);
    let events = setup.events().await;
    let ended: Vec<_> = events.iter().filter(|event| event.action == "agent.ended").collect();
    assert_eq!((ended.len(), &*ended[0].actor.id, &*ended[0].object.id), (1, admin.record.id.as_str(), "parent"));
    assert_eq!(setup.agent_names(&admin, 50).await, ["beside"]);
    for gone in ["parent", "child"] {
        assert_eq!(setup.get_agent(&admin, gone).await.0, 404, "{gone}");
    }
    assert!(setup.stored_agent("parent").await.ended_at.is_some());
    for nobody in ["nobody", "..", "%2e", "a%20b", &"x".repeat(65)] {
        assert_eq!(setup.end_agent(&admin, nobody).await.0, 404, "{nobody}");
    }
}

#[tokio::test]
async fn an_agent_that_ended_with_its_token_or_its_secret_is_shown_no_more() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let (admin, key, rotated) = (setup.key("admin").await, setup.key("read").await, setup.key("read").await);
    let claims = key.claims_in(&setup.account.workspace);
    let by_token = TestAgent::shown(&key, Shown::Token(&claims), "by-token", "read").stored(store).await;
    by_token.below(&key, "below", "read").stored(store).await;
    setup.agent(&key, "by-key").await;
    setup.agent(&rotated, "old").await;
    assert_eq!(setup.agent_names(&admin, 50).await, ["below", "by-key", "by-token", "old"]);
    let ending = Ending { client: &setup.client.id, token: &claims.jti, ends: now().plus(900), holder: "somebody" };
    store.revoked_add(ending, &act()).await.unwrap();
    let plain = PlainKey::random_for(&rotated.record.prefix, &rotated.record.id);
    let after = rotated.record.clone().rotated(&plain, 0, now());
    let deed = Deed::new(Action::KeyRotated, &rotated.record.id);
    store.key_change(&rotated.record, &after, deed, &act(), None).await.unwrap();
    setup.pass();
    for limit in [1, 50] {
        assert_eq!(setup.agent_names(&admin, limit).await, ["by-key"], "{limit} a page");
    }
    for gone in ["by-token", "below", "old"] {
        assert_eq!(setup.get_agent(&admin, gone).await.0, 404, "{gone}");
    }
}

#[tokio::test]
async fn pages_hold_those_that_live_in_order_however_many_have_ended() {
    let setup = Setup::new().await;
    let (admin, key, revoked) = (setup.key("admin").await, setup.key("read").await, setup.key("read").await);
    for place in 0..9 {
        setup.agent(if place % 3 == 1 { &revoked } else { &key }, &format!("a{place}")).await;
    }
    for place in [0, 3] {
        let id = AgentId::parse(&format!("a{place}")).unwrap();
        let ended = setup.test.store.agent_end(&setup.client.id, &id, &act()).await.unwrap();
        assert_eq!(ended, AgentEnd::Ended);
    }
    assert_eq!(setup.revoke(&admin, &revoked).await.0, 204);
    let living = ["a2", "a5", "a6", "a8"];
    for limit in [1, 2, 3, 100] {
        assert_eq!(setup.agent_names(&admin, limit).await, living, "{limit} a page");
    }
    setup.test.faults.reset_counts();
    setup.agent_names(&admin, 100).await;
    assert_eq!(calls(&setup), "BatchGetItem 1, Query 1", "the list and their keys");

    let other = Setup::new().await;
    let cursor = setup.call(&admin, "GET", &setup.agents("?limit=1"), None).await.1["next_cursor"].clone();
    let cursor = format!("?limit=1&cursor={}", cursor.as_str().unwrap());
    assert_eq!(setup.call(&admin, "GET", &setup.agents(&cursor), None).await.0, 200);
    assert_eq!(setup.call(&admin, "GET", &setup.path(&cursor), None).await.0, 400, "in another list");
    let stranger = other.key("admin").await;
    assert_eq!(other.call(&stranger, "GET", &other.agents(&cursor), None).await.0, 400, "another client's");
    for bad in ["?limit=0", "?limit=101", "?parent=x", "?cursor=x", "?limit=1&limit=1"] {
        assert_eq!(setup.call(&admin, "GET", &setup.agents(bad), None).await.0, 400, "{bad}");
    }
}

#[tokio::test]
async fn whoever_manages_a_key_manages_its_agents_and_nobody_else() {
    let setup = Setup::new().await;
    let store = &setup.test.store;
    let (owner, reader) = (setup.owner().await, setup.key("read").await);
    let (mine, theirs) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let (shared, personal) = (setup.key("read").await, setup.personal_key(&mine, "read").await);
    let test = setup.other_key("admin", |record| record.environment = Environment::Test).await;
    setup.agent(&shared, "shared").await;
    setup.agent(&personal, "personal").await;
    setup.agent(&test, "tried").await;
    let (me, they) = (setup.login(&mine).await, setup.login(&theirs).await);
    assert_eq!(setup.agent_names(&owner, 50).await, ["personal", "shared", "tried"]);
    assert_eq!(setup.agent_names(&me, 50).await, ["personal"]);
    assert_eq!(setup.agent_names(&they, 50).await, [""; 0]);
    assert_eq!(setup.agent_names(&test, 50).await, ["tried"]);
    assert_eq!(setup.call(&reader, "GET", &setup.agents(""), None).await.0, 403);
    for id in ["shared", "personal"] {
        assert_eq!(setup.get_agent(&they, id).await.0, 404, "{id}");
        assert_eq!(setup.end_agent(&they, id).await.0, 404, "{id}");
        assert_eq!(setup.get_agent(&test, id).await.0, 403, "{id}");
        assert_eq!(setup.end_agent(&test, id).await.0, 403, "{id}");
        assert_eq!(setup.get_agent(&reader, id).await.0, 403, "{id}");
        assert_eq!(setup.end_agent(&reader, id).await.0, 403, "{id}");
    }
    let refused = setup.refusals().await;
    assert_eq!(refused.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["agent.ended"; 4]);
    for id in ["shared", "personal"] {
        assert_eq!(setup.stored_agent(id).await.ended_at, None, "{id}");
    }
    assert_eq!(setup.end_agent(&me, "personal").await.0, 204);

    let stranger = Setup::new().await;
    let foreign = stranger.key("admin").await;
    stranger.agent(&foreign, "foreign").await;
    let admin = setup.key("admin").await;
    let nobody = setup.get_agent(&admin, "nobody").await;
    assert_eq!(setup.get_agent(&admin, "foreign").await, nobody);
    let there = format!("/api/v1/clients/{}/agents/foreign", stranger.client.id);
    for method in ["GET", "DELETE"] {
        assert_eq!(setup.call(&admin, method, &there, None).await, nobody);
    }
    assert!(store.agent_by_id(&stranger.client.id, &AgentId::parse("shared").unwrap()).await.unwrap().is_none());
}

#[tokio::test]
async fn other_methods_are_405_and_deeper_paths_nothing() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    for method in ["POST", "PUT", "PATCH", "DELETE"] {
        assert_eq!(setup.call(&admin, method, &setup.agents(""), None).await.0, 405, "{method}");
    }
    for method in ["POST", "PUT", "PATCH"] {
        assert_eq!(setup.call(&admin, method, &setup.agents("/a"), None).await.0, 405, "{method}");
    }
    assert_eq!(setup.call(&admin, "GET", &setup.agents("/a/b"), None).await.0, 404);
    assert_eq!(setup.call(&"x".to_owned(), "GET", &setup.agents(""), None).await.0, 401);
}

#[tokio::test]
async fn an_agent_manages_nothing() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let agent = TestAgent::new(&key, "manager", "admin keys:manage").stored(&setup.test.store).await;
    let named = [("x-agent-id", "manager")];
    let by = agent.plain.expose().to_owned();
    let count = setup.count_keys().await;
    for (method, path, body) in [
        ("GET", setup.path(""), None),
        ("POST", setup.path(""), Some(json!({"name": "outlives it"}))),
        ("POST", format!("{}/rotate", setup.path_of(&key)), None),
        ("DELETE", setup.path_of(&key), None),
        ("GET", setup.agents(""), None),
        ("DELETE", setup.agents("/manager"), None),
    ] {
        assert_eq!(setup.call_with(&by, &named, method, &path, body).await.0, 403, "{method} {path}");
    }
    assert_eq!(setup.count_keys().await, count);
    assert_eq!(agent.agent.grant.scopes, ScopeSet::parse("admin keys:manage").unwrap());
}
