//! Agents: names that one of many gets, ends that are told once, tokens that read back.

use domain::{Agent, AgentId, AuditEvent, ClientId, FeedKind, NameList, Sequence, WorkspaceId};
use store::agents::{AgentEnd, AgentGiven};
use store::audit::AuditFilter;
use testkit::{Fault, TestAgent, TestKey, TestStore, act, now};

async fn key(test: &TestStore) -> TestKey {
    let client = test.client().await;
    TestKey::new(&client, "read write").stored(&test.store).await
}

/// The agent as the next of its name.
fn next(agent: &TestAgent) -> TestAgent {
    TestAgent::of(agent.agent.grant.clone(), agent.agent.generation + 1)
}

async fn found(test: &TestStore, agent: &TestAgent) -> Agent {
    test.store.agent_by_id(&agent.agent.grant.client_id, agent.id()).await.unwrap().unwrap()
}

/// What the client's chain says of agents.
async fn events(test: &TestStore, client: &ClientId) -> Vec<AuditEvent> {
    let page = test.store.audit_list(client, &AuditFilter::default(), 100, None).await.unwrap();
    page.events.into_iter().filter(|event| event.object.kind == "agent").collect()
}

fn names(list: &[&str]) -> Option<NameList> {
    NameList::new(list.iter().map(|name| (*name).to_owned()))
}

#[tokio::test]
async fn agent_and_token_read_back_as_they_were_written() {
    let test = TestStore::start().await;
    let key = key(&test).await;
    let parent = TestAgent::new(&key, "parent", "read write").stored(&test.store).await;
    let agent = parent.below(&key, "my-analysis-agent", "read").with(|grant| {
        grant.tools = names(&["search", "fetch"]);
        grant.resources = names(&["files/*"]);
    });
    let agent = agent.stored(&test.store).await;
    assert_eq!(found(&test, &agent).await, agent.agent);
    let read = test.store.agent_token_by_id(&agent.plain.id()).await.unwrap();
    assert_eq!(read, Some(agent.token.clone()));
    assert_eq!(test.store.agent_by_id(&ClientId::random(), agent.id()).await.unwrap(), None);
    let other = TestAgent::new(&key, "another", "read");
    assert_eq!(test.store.agent_token_by_id(&other.plain.id()).await.unwrap(), None);
}

#[tokio::test]
async fn the_first_token_is_an_event_and_the_next_ones_are_none() {
    let test = TestStore::start().await;
    let key = key(&test).await;
    let first = TestAgent::new(&key, "worker", "read write").with(|grant| grant.tools = names(&["search"]));
    let first = first.stored(&test.store).await;
    let second = first.clone().with(|grant| {
        (grant.scopes, grant.tools) = (domain::ScopeSet::parse("read").unwrap(), None);
        (grant.issued_at, grant.expires_at) = (now().plus(10), now().plus(70));
        grant.workspace_id = WorkspaceId::random();
    });
    let after = first.agent.given(second.token.grant.clone(), &key.record, |_| false);
    let given = test.store.agent_give(Some(&first.agent), &after, &second.token, &act(), None).await.unwrap();
    assert_eq!(given, AgentGiven::Done);
    assert_eq!(found(&test, &first).await, after, "both tokens say what it does, and the first one when it began");
    for token in [&first.token, &second.token] {
        assert_eq!(test.store.agent_token_by_id(&token.id).await.unwrap().as_ref(), Some(token));
    }
    let events = events(&test, &key.record.client_id).await;
    assert_eq!(events.iter().map(|event| event.action.as_str()).collect::<Vec<_>>(), ["agent.created"]);
    assert_eq!(events[0].details["scopes"], serde_json::json!(["read", "write"]));
    assert_eq!(test.store.feed_head().await.unwrap(), Sequence(0), "nobody has it in a cache");
}

#[tokio::test]
async fn of_two_parents_that_name_one_agent_at_once_one_gets_it() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let mut running = Vec::new();
    for _ in 0..8 {
        let key = TestKey::new(&client, "read").stored(&test.store).await;
        let (agent, store) = (TestAgent::new(&key, "wanted", "read"), test.another_connection());
        running.push(tokio::spawn(async move {
            let given = store.agent_give(None, &agent.agent, &agent.token, &act(), None).await.unwrap();
            (given, agent)
        }));
    }
    let mut winners = Vec::new();
    for one in running {
        match one.await.unwrap() {
            (AgentGiven::Done, agent) => winners.push(agent),
            (AgentGiven::Outdated, agent) => {
                assert_eq!(test.store.agent_token_by_id(&agent.token.id).await.unwrap(), None, "nor its token");
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1);
    assert_eq!(found(&test, &winners[0]).await, winners[0].agent);
    assert_eq!(events(&test, &client.id).await.len(), 1);
}

#[tokio::test]
async fn many_tokens_of_one_agent_at_once_are_all_made() {
    let test = TestStore::start().await;
    let key = key(&test).await;
    let first = TestAgent::new(&key, "busy", "read").stored(&test.store).await;
    let mut running = Vec::new();
    for _ in 0..8 {
        let (before, more) = (first.agent.clone(), TestAgent::of(first.agent.grant.clone(), 1));
        let (store, key) = (test.another_connection(), key.record.clone());
        running.push(tokio::spawn(async move {
            let after = before.given(more.token.grant.clone(), &key, |_| false);
            assert_eq!(
                store.agent_give(Some(&before), &after, &more.token, &act(), None).await.unwrap(),
                AgentGiven::Done
            );
            more.token
        }));
    }
    for one in running {
        let token = one.await.unwrap();
        assert_eq!(test.store.agent_token_by_id(&token.id).await.unwrap(), Some(token));
    }
}

#[tokio::test]
async fn an_end_is_one_event_and_one_entry_however_many_ask_for_it() {
    let test = TestStore::start().await;
    let key = key(&test).await;
    let client = &key.record.client_id;
    let agent = TestAgent::new(&key, "ending", "read").stored(&test.store).await;
    let mut running = Vec::new();
    for _ in 0..8 {
        let (store, client, id) = (test.another_connection(), client.clone(), agent.id().clone());
        running.push(tokio::spawn(async move { store.agent_end(&client, &id, &act()).await.unwrap() }));
    }
    let mut ended = 0;
    for one in running {
        match one.await.unwrap() {
            AgentEnd::Ended => ended += 1,
            AgentEnd::AlreadyEnded => {}
            AgentEnd::NotFound => panic!("it is there"),
        }
    }
    assert_eq!(ended, 1);
    let actions: Vec<_> = events(&test, client).await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions, ["agent.created", "agent.ended"]);
    let told = test.store.feed_after(Sequence(0)).await.unwrap();
    assert_eq!(told.entries.len(), 1);
    assert_eq!((&told.entries[0].kind, told.entries[0].id.as_str()), (&FeedKind::Agent, &*format!("{client}/ending")));
    let nobody = AgentId::parse("nobody").unwrap();
    assert_eq!(test.store.agent_end(client, &nobody, &act()).await.unwrap(), AgentEnd::NotFound);
    let foreign = ClientId::random();
    assert_eq!(test.store.agent_end(&foreign, agent.id(), &act()).await.unwrap(), AgentEnd::NotFound);
}

#[tokio::test]
async fn a_token_meets_the_end_of_its_agent_and_the_next_generation_is_told() {
    let test = TestStore::start().await;
    let key = key(&test).await;
    let client = &key.record.client_id;
    let agent = TestAgent::new(&key, "phoenix", "read").stored(&test.store).await;
    test.store.agent_end(client, agent.id(), &act()).await.unwrap();

    let late = TestAgent::of(agent.agent.grant.clone(), 1);
    let given = test.store.agent_give(Some(&agent.agent), &late.agent, &late.token, &act(), None).await.unwrap();
    assert_eq!(given, AgentGiven::Outdated, "it has ended since it was read");
    assert!(found(&test, &agent).await.ended_at.is_some());

    let ended = found(&test, &agent).await;
    let (one, other) = (next(&agent), next(&agent));
    let give =
        async |it: &TestAgent| test.store.agent_give(Some(&ended), &it.agent, &it.token, &act(), None).await.unwrap();
    let both = tokio::join!(give(&one), give(&other));
    assert!(matches!(both, (AgentGiven::Done, AgentGiven::Outdated) | (AgentGiven::Outdated, AgentGiven::Done)));
    let now_there = found(&test, &agent).await;
    assert_eq!((now_there.generation, now_there.ended_at), (2, None));
    let actions: Vec<_> = events(&test, client).await.into_iter().map(|event| event.action).collect();
    assert_eq!(actions, ["agent.created", "agent.ended", "agent.created"]);
    assert_eq!(test.store.feed_after(Sequence(0)).await.unwrap().entries.len(), 2, "the end, and the new one");
}

#[tokio::test]
async fn an_answer_that_was_lost_and_a_conflict_change_nothing() {
    let test = TestStore::start().await;
    let key = key(&test).await;
    for fault in [Fault::LostAnswer, Fault::TransactionConflict, Fault::Throttle] {
        let agent = TestAgent::new(&key, &format!("{fault:?}").to_lowercase(), "read");
        test.faults.once("TransactWriteItems", fault);
        let agent = agent.stored(&test.store).await;
        assert_eq!(found(&test, &agent).await, agent.agent);
        test.faults.once("TransactWriteItems", fault);
        let client = &key.record.client_id;
        assert_eq!(test.store.agent_end(client, agent.id(), &act()).await.unwrap(), AgentEnd::Ended);
    }
    assert_eq!(events(&test, &key.record.client_id).await.len(), 6);
}

#[tokio::test]
async fn pages_hold_each_agent_once_and_no_other_clients() {
    let test = TestStore::start().await;
    let (key, other) = (key(&test).await, key(&test).await);
    TestAgent::new(&other, "a5", "read").stored(&test.store).await;
    for place in 0..5 {
        TestAgent::new(&key, &format!("a{place}"), "read").stored(&test.store).await;
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = test.store.agent_list(&key.record.client_id, 2, after.as_ref()).await.unwrap();
        seen.extend(page.items.into_iter().map(|agent| agent.grant.agent_id.to_string()));
        match page.next {
            Some(next) => after = AgentId::parse(&next),
            None => break,
        }
    }
    assert_eq!(seen, ["a0", "a1", "a2", "a3", "a4"]);
    let ids: Vec<_> = ["a1", "a3", "none"].iter().map(|id| AgentId::parse(id).unwrap()).collect();
    assert_eq!(test.store.agents_by_id(&key.record.client_id, &ids).await.unwrap().len(), 2);
}
