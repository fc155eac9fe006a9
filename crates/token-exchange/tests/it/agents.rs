//! `POST /auth/agent-token`: never more than its maker has, one agent of a name, and nobody's but a key's.

use std::sync::Arc;

use domain::{AgentId, AgentToken, Client, Environment, KeyRecord, PlainKey, Role, ScopeSet, Timestamp};
use edge::Request;
use serde_json::{Value, json};
use store::audit::AuditFilter;
use testkit::{Fault, ISSUER, TestAgent, TestKey, act, moment, now, parts, request};
use token_exchange::{App, handle};

use crate::setup::Setup;

const PATH: &str = "/auth/agent-token";

/// What a caller shows.
enum Shown<'a> {
    Bearer(&'a str),
    Agent(&'a str, &'a str),
}

fn call(shown: &Shown<'_>, more: &[(&str, &str)], body: &Value) -> Request {
    let (text, agent) = match shown {
        Shown::Bearer(text) => (text, None),
        Shown::Agent(text, agent) => (text, Some(*agent)),
    };
    let bearer = format!("Bearer {text}");
    let mut headers = vec![("authorization", bearer.as_str()), ("content-type", "application/json")];
    headers.extend(agent.map(|agent| ("x-agent-id", agent)));
    headers.extend(more);
    request("POST", PATH, &headers, body.to_string())
}

impl Setup {
    async fn make_at(&self, seconds: f64, shown: &Shown<'_>, more: &[(&str, &str)], body: &Value) -> (u16, Value) {
        match Box::pin(handle(self.app.clone(), call(shown, more, body), moment(seconds))).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(ISSUER)),
        }
    }

    async fn make(&self, shown: &Shown<'_>, body: &Value) -> (u16, Value) {
        self.make_at(0.0, shown, &[], body).await
    }

    async fn made(&self, shown: &Shown<'_>, body: &Value) -> String {
        let (status, answer) = self.make(shown, body).await;
        assert_eq!(status, 201, "{body}: {answer}");
        answer["agent_token"].as_str().unwrap().to_owned()
    }

    async fn jwt(&self, key: &TestKey, scopes: Value) -> String {
        let body = json!({"api_key": key.plain.expose(), "scopes": scopes}).to_string();
        let (status, answer) = self.post("/auth/exchange", &body).await;
        assert_eq!(status, 200, "{answer}");
        answer["data"]["token"].as_str().unwrap().to_owned()
    }

    /// The events of agents, `done` or `refused`, with what they are of.
    async fn events(&self) -> Vec<(String, String)> {
        let page = self.test.store.audit_list(&self.client.id, &AuditFilter::default(), 100, None).await.unwrap();
        let of_agents = page.events.into_iter().filter(|event| event.object.kind == "agent");
        of_agents.map(|event| (format!("{} {:?}", event.action, event.outcome), event.object.id)).collect()
    }
}

fn ask(id: &str, scopes: &[&str]) -> Value {
    json!({"agent_id": id, "scopes": scopes})
}

fn with(mut body: Value, member: &str, value: Value) -> Value {
    body[member] = value;
    body
}

#[tokio::test]
async fn a_key_makes_an_agent_as_the_contract_says() {
    let setup = Setup::new().await;
    let key = setup.key("chat:completions models:read").await;
    let body = json!({
        "agent_id": "my-analysis-agent", "scopes": ["chat:completions"], "tools": ["search"], "resources": ["files/*"],
    });
    let (status, answer) = setup.make(&Shown::Bearer(key.plain.expose()), &body).await;
    let token = AgentToken::parse(answer["agent_token"].as_str().unwrap()).unwrap();
    let expected = json!({
        "agent_token": token.expose(), "agent_id": "my-analysis-agent", "scopes": ["chat:completions"], "expires_in": 3600,
    });
    assert_eq!((status, &answer), (201, &expected));
    let stored = setup.test.store.agent_token_by_id(&token.id()).await.unwrap().unwrap();
    assert!(stored.hash.matches(&token.hash()));
    assert_eq!((&stored.grant.key_id, stored.grant.expires_at), (&key.record.id, now().plus(3600)));
    assert_eq!(stored.grant.tools.unwrap().to_string(), "search");
    assert_eq!(stored.grant.resources.unwrap().to_string(), "files/*");
    assert_eq!(stored.grant.workspace_id, setup.client.default_workspace_id);
    assert_eq!(setup.events().await, [("agent.created Done".to_owned(), "my-analysis-agent".to_owned())]);
    let usage = setup.app.usage.flush(moment(0.0)).await;
    usage.unwrap();
    let hours = setup.test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
    assert_eq!(hours.into_values().map(|tally| tally.exchanges).sum::<u64>(), 1, "a use of the key");

    let by_header = request(
        "POST",
        PATH,
        &[("x-api-key", key.plain.expose()), ("content-type", "application/json")],
        ask("other", &["models:read"]).to_string(),
    );
    assert_eq!(setup.answer(by_header).await.0, 201);
    for method in ["GET", "PUT", "DELETE"] {
        assert_eq!(setup.answer(request(method, PATH, &[], "")).await.0, 405);
    }
}

#[tokio::test]
async fn no_maker_gives_what_it_does_not_hold() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let narrow = setup.jwt(&key, json!(["read"])).await;
    let agent = setup.made(&Shown::Bearer(key.plain.expose()), &ask("reader", &["read"])).await;
    let makers = [Shown::Bearer(&narrow), Shown::Agent(&agent, "reader")];
    for maker in &makers {
        for scopes in [&["write"][..], &["read", "write"], &["admin"], &["keys:manage"]] {
            let (status, answer) = setup.make(maker, &ask("wider", scopes)).await;
            let lacking = scopes.last().unwrap();
            assert_eq!((status, answer["message"].as_str().unwrap().contains(lacking)), (403, true), "{answer}");
        }
        assert_eq!(setup.make(maker, &ask("wider", &["read", "no:such"])).await.0, 400);
    }
    assert_eq!(setup.events().await.iter().filter(|(what, _)| what == "agent.created Refused").count(), 8);
    let wider = AgentId::parse("wider").unwrap();
    assert_eq!(setup.test.store.agent_by_id(&setup.client.id, &wider).await.unwrap(), None);
    assert_eq!(setup.make(&makers[0], &ask("wider", &["read"])).await.0, 201);
}

#[tokio::test]
async fn tools_and_resources_are_those_of_the_agent_above_or_fewer() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let body = with(with(ask("top", &["read"]), "tools", json!(["a", "b"])), "resources", json!(["r"]));
    let top = setup.made(&Shown::Bearer(key.plain.expose()), &body).await;
    let by_top = Shown::Agent(&top, "top");
    for (member, names) in [("tools", json!(["a", "c"])), ("tools", json!(["*"])), ("resources", json!(["s"]))] {
        let (status, answer) = setup.make(&by_top, &with(ask("wide", &["read"]), member, names.clone())).await;
        assert_eq!(status, 403, "{names}: {answer}");
    }
    let tools = async |body: Value| {
        let token = AgentToken::parse(&setup.made(&by_top, &body).await).unwrap();
        let grant = setup.test.store.agent_token_by_id(&token.id()).await.unwrap().unwrap().grant;
        (grant.tools.unwrap().to_string(), grant.resources.unwrap().to_string())
    };
    assert_eq!(tools(with(ask("b", &["read"]), "tools", json!(["b"]))).await, ("b".to_owned(), "r".to_owned()));
    assert_eq!(
        tools(ask("all", &["read"])).await,
        ("a b".to_owned(), "r".to_owned()),
        "none named are not all there are"
    );
}

#[tokio::test]
async fn nothing_lives_longer_than_what_it_was_made_with() {
    let setup = Setup::new().await;
    let mut ending = TestKey::new(&setup.client, "read");
    ending.record.expires_at = Some(now().plus(100));
    let ending = ending.stored(&setup.test.store).await;
    let key = setup.key("read").await;
    let jwt = setup.jwt(&key, json!(["read"])).await;
    let short = setup.made(&Shown::Bearer(key.plain.expose()), &with(ask("short", &["read"]), "ttl", json!(60))).await;
    for (name, maker, expected) in [
        ("by-key", Shown::Bearer(key.plain.expose()), 3600),
        ("by-ending-key", Shown::Bearer(ending.plain.expose()), 100),
        ("by-token", Shown::Bearer(&jwt), 900),
        ("by-agent", Shown::Agent(&short, "short"), 60),
    ] {
        let (status, answer) = setup.make(&maker, &with(ask(name, &["read"]), "ttl", json!(3600))).await;
        assert_eq!((status, &answer["expires_in"]), (201, &json!(expected)), "{name}");
    }
    let grant_of = async |name: &str| {
        let id = AgentId::parse(name).unwrap();
        setup.test.store.agent_by_id(&setup.client.id, &id).await.unwrap().unwrap().grant
    };
    assert_eq!(grant_of("by-key").await.made_with, Vec::<String>::new());
    assert_eq!(grant_of("by-token").await.made_with.len(), 1, "it ends with that token");
    let made_with = AgentToken::parse(&short).unwrap().id().to_string();
    assert_eq!(grant_of("by-agent").await.made_with, [made_with]);
}

#[tokio::test]
async fn of_a_rotated_key_the_old_secret_makes_agents_until_its_overlap_ends() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let new = setup.rotate(&key, 100).await;
    for (plain, expected) in [(&key.plain, 100), (&new, 3600)] {
        let (_, answer) = setup.make(&Shown::Bearer(plain.expose()), &ask("rotating", &["read"])).await;
        assert_eq!(answer["expires_in"], expected);
    }
}

#[tokio::test]
async fn a_name_is_one_agents_under_the_parent_that_had_it_first_until_that_one_ends() {
    let setup = Setup::new().await;
    let (first, second) = (setup.key("read").await, setup.key("read").await);
    let (by_first, by_second) = (Shown::Bearer(first.plain.expose()), Shown::Bearer(second.plain.expose()));
    let body = ask("wanted", &["read"]);
    let token = setup.made(&by_first, &body).await;
    setup.made(&by_first, &body).await;
    setup.made(&Shown::Bearer(&setup.jwt(&first, json!(["read"])).await), &body).await;
    for other in [&by_second, &Shown::Agent(&token, "wanted")] {
        let (status, answer) = setup.make(other, &body).await;
        assert_eq!((status, &answer["error"]), (409, &json!("Conflict")));
    }
    assert_eq!(setup.events().await.len(), 1, "the first token alone");
    let other_client: Client = setup.test.client().await;
    let elsewhere = TestKey::new(&other_client, "read").stored(&setup.test.store).await;
    setup.made(&Shown::Bearer(elsewhere.plain.expose()), &body).await;

    let id = AgentId::parse("wanted").unwrap();
    setup.test.store.agent_end(&setup.client.id, &id, &act()).await.unwrap();
    setup.made(&by_second, &body).await;
    assert_eq!(setup.make(&by_first, &body).await.0, 409);

    setup.test.store.key_revoke(&setup.client.id, &second.record.id, &act()).await.unwrap();
    setup.made(&by_first, &body).await;
    let agent = setup.test.store.agent_by_id(&setup.client.id, &id).await.unwrap().unwrap();
    assert_eq!((agent.generation, &agent.grant.key_id), (3, &first.record.id));
}

#[tokio::test]
async fn a_name_below_an_agent_that_has_ended_is_free() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let by_key = Shown::Bearer(key.plain.expose());
    let top = setup.made(&by_key, &ask("top", &["read"])).await;
    setup.made(&Shown::Agent(&top, "top"), &ask("below", &["read"])).await;
    assert_eq!(setup.make(&by_key, &ask("below", &["read"])).await.0, 409);
    let id = AgentId::parse("top").unwrap();
    setup.test.store.agent_end(&setup.client.id, &id, &act()).await.unwrap();
    setup.made(&by_key, &ask("below", &["read"])).await;
    let (status, _) = setup.make(&Shown::Agent(&top, "top"), &ask("late", &["read"])).await;
    assert_eq!(status, 401, "at once, however lately this function has looked at the feed");
}

impl Setup {
    async fn rotate(&self, key: &TestKey, overlap: i64) -> PlainKey {
        let new = PlainKey::random_for(&key.record.prefix, &key.record.id);
        let rotated: KeyRecord = key.record.clone().rotated(&new, overlap, now());
        let deed = domain::Deed::new(domain::Action::KeyRotated, &key.record.id);
        self.test.store.key_change(&key.record, &rotated, deed, &act(), None).await.unwrap();
        new
    }
}

#[tokio::test]
async fn whoever_was_taken_away_a_moment_ago_makes_no_agent() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let jwt = setup.jwt(&key, json!(["read"])).await;
    let agent = setup.made(&Shown::Bearer(&jwt), &ask("first", &["read"])).await;
    let new = setup.rotate(&key, 0).await;
    let old = key.plain.expose();
    for shown in [Shown::Bearer(old), Shown::Bearer(&jwt), Shown::Agent(&agent, "first")] {
        assert_eq!(setup.make_at(0.5, &shown, &[], &ask("late", &["read"])).await.0, 401);
    }
    assert_eq!(setup.make_at(0.5, &Shown::Bearer(new.expose()), &[], &ask("late", &["read"])).await.0, 201);
}

#[tokio::test]
async fn a_name_is_free_once_all_has_ended_that_its_agent_was_made_with() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("read").await);
    let by_other = Shown::Bearer(other.plain.expose());
    let (jwt, second) = (setup.jwt(&key, json!(["read"])).await, setup.jwt(&key, json!(["read"])).await);
    for name in ["by-token", "by-both", "by-key-too"] {
        setup.made(&Shown::Bearer(&jwt), &ask(name, &["read"])).await;
    }
    setup.made(&Shown::Bearer(&second), &ask("by-both", &["read"])).await;
    setup.made(&Shown::Bearer(key.plain.expose()), &ask("by-key-too", &["read"])).await;
    let made = async |name: &str| setup.make(&by_other, &ask(name, &["read"])).await.0;
    assert_eq!((made("by-token").await, made("by-both").await, made("by-key-too").await), (409, 409, 409));
    setup.form("/oauth/revoke", &[("token", &jwt)], 0.0).await;
    assert_eq!((made("by-token").await, made("by-both").await, made("by-key-too").await), (201, 409, 409));
    setup.form("/oauth/revoke", &[("token", &second)], 0.0).await;
    // Which of both goes on is not kept: the name is held up until both would have ended by themselves.
    let (status, _) = setup.make_at(899.0, &by_other, &[], &ask("by-both", &["read"])).await;
    assert_eq!(status, 409);
    assert_eq!(setup.make_at(900.0, &by_other, &[], &ask("by-both", &["read"])).await.0, 201);
    assert_eq!(made("by-key-too").await, 409, "its key's own token goes on");
    setup.rotate(&key, 0).await;
    assert_eq!(made("by-key-too").await, 201, "and ends with the secret");
}

#[tokio::test]
async fn a_narrow_token_hides_no_wide_one() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    setup.made(&Shown::Bearer(key.plain.expose()), &ask("agent", &["read", "write"])).await;
    let jwt = setup.jwt(&key, json!(["read"])).await;
    setup.made(&Shown::Bearer(&jwt), &with(ask("agent", &["read"]), "tools", json!(["search"]))).await;
    let id = AgentId::parse("agent").unwrap();
    let grant = setup.test.store.agent_by_id(&setup.client.id, &id).await.unwrap().unwrap().grant;
    assert_eq!((grant.scopes.to_string(), grant.tools, grant.made_with), ("read write".to_owned(), None, Vec::new()));
    assert_eq!(grant.expires_at, now().plus(3600));
}

#[tokio::test(flavor = "multi_thread")]
async fn tokens_that_one_agent_is_given_at_once_all_count_in_what_is_kept_of_it() {
    let setup = Setup::new().await;
    let key = setup.key("read write models:read chat:completions").await;
    setup.made(&Shown::Bearer(key.plain.expose()), &with(ask("busy", &["read"]), "ttl", json!(60))).await;
    let mut running = Vec::new();
    for (scope, ttl) in [("read", 600), ("write", 1200), ("models:read", 1800), ("chat:completions", 2400)] {
        let (app, plain): (Arc<App>, PlainKey) = (setup.app.clone(), key.plain.clone());
        running.push(tokio::spawn(async move {
            let body = with(ask("busy", &[scope]), "ttl", json!(ttl));
            let request = call(&Shown::Bearer(plain.expose()), &[], &body);
            let answered = Box::pin(handle(app, request, moment(0.0))).await;
            let status = answered.unwrap_or_else(|error| error.into_reply(ISSUER)).status().as_u16();
            (scope, now().plus(ttl), status)
        }));
    }
    let mut made = Vec::new();
    for one in running {
        let (scope, ends, status) = one.await.unwrap();
        assert!([201, 503].contains(&status), "a machine may be too busy for all of them at once: {status}");
        made.extend((status == 201).then_some((scope, ends)));
    }
    let id = AgentId::parse("busy").unwrap();
    let grant = setup.test.store.agent_by_id(&setup.client.id, &id).await.unwrap().unwrap().grant;
    assert!(!made.is_empty());
    for (scope, ends) in made {
        assert!(grant.scopes.iter().any(|held| held.as_str() == scope), "{scope} of {}", grant.scopes);
        assert!(grant.expires_at >= ends, "{scope}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_parents_that_name_one_agent_at_once_one_gets_it() {
    let setup = Setup::new().await;
    let (first, second) = (setup.key("read").await, setup.key("read").await);
    let mut running = Vec::new();
    for place in 0..8 {
        let key = if place % 2 == 0 { &first } else { &second };
        let (app, plain): (Arc<App>, PlainKey) = (setup.app.clone(), key.plain.clone());
        running.push(tokio::spawn(async move {
            let request = call(&Shown::Bearer(plain.expose()), &[], &ask("wanted", &["read"]));
            let answered = Box::pin(handle(app, request, moment(0.0))).await;
            let reply = answered.unwrap_or_else(|error| error.into_reply(ISSUER));
            (place % 2, reply.status().as_u16())
        }));
    }
    let mut made = std::collections::BTreeSet::new();
    for one in running {
        let (parent, status) = one.await.unwrap();
        // A machine may be too busy for all of them at once: none is made or refused by that.
        assert!([201, 409, 503].contains(&status), "{status}");
        made.extend((status == 201).then_some(parent));
    }
    assert_eq!(made.len(), 1, "one of both parents, however often");
}

#[tokio::test]
async fn a_login_and_a_stranger_make_no_agent() {
    let setup = Setup::new().await;
    let login = json!({"email": setup.account.owner.email, "password": testkit::PASSWORD}).to_string();
    let (status, answer) = setup.post("/auth/token", &login).await;
    assert_eq!(status, 200, "{answer}");
    let body = ask("of-login", &["read"]);
    assert_eq!(setup.make(&Shown::Bearer(answer["token"].as_str().unwrap()), &body).await.0, 403);
    let (key, unknown) = (setup.key("read").await, TestKey::new(&setup.client, "read"));
    let agent = setup.made(&Shown::Bearer(key.plain.expose()), &ask("agent", &["read"])).await;
    let other = TestAgent::new(&key, "agent", "read");
    for shown in [
        Shown::Bearer(""),
        Shown::Bearer(unknown.plain.expose()),
        Shown::Bearer(&agent),
        Shown::Agent(&agent, "another"),
        Shown::Agent(&agent, ""),
        Shown::Agent(&agent[..63], "agent"),
        Shown::Agent(other.plain.expose(), "agent"),
        Shown::Agent(key.plain.expose(), "agent"),
    ] {
        let (status, answer) = setup.make(&shown, &body).await;
        assert_eq!((status, &answer["message"]), (401, &json!("Bearer token is missing or has expired")));
    }
    let twice = [("x-agent-id", "agent")];
    assert_eq!(setup.make_at(0.0, &Shown::Agent(&agent, "agent"), &twice, &body).await.0, 401);
    assert_eq!(setup.answer(request("POST", PATH, &[("content-type", "application/json")], "{}")).await.0, 401);
}

#[tokio::test]
async fn what_is_malformed_is_a_400_that_repeats_nothing() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let by_key = Shown::Bearer(key.plain.expose());
    let secret = key.plain.expose();
    let valid = ask("agent", &["read"]);
    for bad in [
        json!({}),
        json!([]),
        json!({"agent_id": "agent"}),
        json!({"scopes": ["read"]}),
        ask("agent", &[]),
        ask("", &["read"]),
        ask("a b", &["read"]),
        ask("..", &["read"]),
        ask(&"x".repeat(65), &["read"]),
        ask(secret, &["read"]),
        with(valid.clone(), "scopes", json!("read")),
        with(valid.clone(), "scopes", json!(null)),
        with(valid.clone(), "tools", json!([])),
        with(valid.clone(), "tools", json!("search")),
        with(valid.clone(), "tools", json!(["a b"])),
        with(valid.clone(), "tools", json!([secret])),
        with(valid.clone(), "tools", json!(["x", ""])),
        with(valid.clone(), "resources", json!((0..65).map(|place| place.to_string()).collect::<Vec<_>>())),
        with(valid.clone(), "resources", json!(["x".repeat(129)])),
        with(valid.clone(), "ttl", json!(59)),
        with(valid.clone(), "ttl", json!(3601)),
        with(valid.clone(), "ttl", json!("60")),
        with(valid.clone(), "ttl", json!(60.5)),
        with(valid.clone(), "ttl", json!(-1)),
        with(valid.clone(), "client_id", json!(setup.client.id)),
        with(valid.clone(), "key_id", json!(key.record.id)),
    ] {
        let (status, answer) = setup.make(&by_key, &bad).await;
        assert_eq!(status, 400, "{bad}: {answer}");
        assert!(!answer.to_string().contains(secret), "{answer}");
    }
    assert_eq!(setup.make(&by_key, &valid).await.0, 201);
}

#[tokio::test]
async fn a_test_keys_agents_are_test_and_a_personal_keys_agents_are_where_it_works() {
    let setup = Setup::new().await;
    let mut test = TestKey::new(&setup.client, "read");
    test.record.environment = Environment::Test;
    let test = test.stored(&setup.test.store).await;
    let user = setup.account.user(&setup.test.store, Role::Member).await;
    let personal = TestKey::personal(&setup.client, &user, "read write").stored(&setup.test.store).await;
    let token = setup.made(&Shown::Bearer(test.plain.expose()), &ask("tried", &["read"])).await;
    let record = setup.test.store.agent_token_by_id(&AgentToken::parse(&token).unwrap().id()).await.unwrap().unwrap();
    assert_eq!(record.grant.key_id, test.record.id);
    let by_user = Shown::Bearer(personal.plain.expose());
    assert_eq!(setup.make(&by_user, &ask("writer", &["write"])).await.0, 403, "a member holds `read` alone");
    let elsewhere = [("x-workspace-id", "ws_0123456789abcdef")];
    assert_eq!(setup.make_at(0.0, &by_user, &elsewhere, &ask("mine", &["read"])).await.0, 403);
    let here = [("x-workspace-id", setup.client.default_workspace_id.as_str())];
    assert_eq!(setup.make_at(0.0, &by_user, &here, &ask("mine", &["read"])).await.0, 201);
}

#[tokio::test]
async fn a_repeated_call_is_answered_as_before_without_the_token() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("plans:read").await);
    let by_key = Shown::Bearer(key.plain.expose());
    let name = [("idempotency-key", "once")];
    let body = ask("repeated", &["read"]);
    let (status, first) = setup.make_at(0.0, &by_key, &name, &body).await;
    assert_eq!((status, first["agent_token"].is_string()), (201, true));
    let again = setup.make_at(1.0, &by_key, &name, &body).await;
    assert_eq!(again, (201, with(first, "agent_token", json!(null))));
    assert_eq!(setup.make_at(1.0, &by_key, &name, &ask("repeated", &["read", "read"])).await.0, 409);
    let by_other = Shown::Bearer(other.plain.expose());
    assert_eq!(setup.make_at(1.0, &by_other, &name, &body).await.0, 403, "whoever could not make it is told nothing");
}

#[tokio::test]
async fn a_store_that_is_away_makes_nothing_and_is_a_503() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let by_key = Shown::Bearer(key.plain.expose());
    setup.made(&by_key, &ask("warm", &["read"])).await;
    for operation in ["GetItem", "TransactWriteItems"] {
        setup.test.faults.always(operation, Fault::InternalError);
        assert_eq!(setup.make(&by_key, &ask("cold", &["read"])).await.0, 503, "{operation}");
        setup.test.faults.heal();
    }
    setup.test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    setup.made(&by_key, &ask("cold", &["read"])).await;
}

#[tokio::test]
async fn one_more_token_of_a_known_agent_is_one_read_the_feed_and_one_transaction() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let by_key = Shown::Bearer(key.plain.expose());
    for _ in 0..2 {
        setup.made(&by_key, &ask("busy", &["read"])).await;
    }
    setup.test.faults.reset_counts();
    setup.made(&by_key, &ask("busy", &["read"])).await;
    let counts: Vec<_> = setup.test.faults.counts().into_iter().collect();
    let expected =
        [("GetItem", 1), ("Query", 1), ("TransactWriteItems", 1)].map(|(name, count)| (name.to_owned(), count));
    assert_eq!(counts, expected, "the agent, the feed, and both items");
}

#[tokio::test]
async fn eight_agents_stand_one_under_the_other_and_no_ninth() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let mut token = setup.made(&Shown::Bearer(key.plain.expose()), &ask("a1", &["read"])).await;
    for depth in 2..=8 {
        let above = format!("a{}", depth - 1);
        token = setup.made(&Shown::Agent(&token, &above), &ask(&format!("a{depth}"), &["read"])).await;
    }
    assert_eq!(setup.make(&Shown::Agent(&token, "a8"), &ask("a9", &["read"])).await.0, 403);
    let ends: Timestamp = now().plus(3600);
    let record = setup.test.store.agent_token_by_id(&AgentToken::parse(&token).unwrap().id()).await.unwrap().unwrap();
    assert_eq!((record.lineage().len(), record.grant.expires_at), (8, ends));
    assert_eq!(record.grant.scopes, ScopeSet::parse("read").unwrap());
}
