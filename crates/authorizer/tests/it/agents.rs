//! Agents at the gateway.

use domain::{DenyReason, NameList, Tally};
use serde_json::json;
use testkit::{TestAgent, TestKey, moment};

use crate::setup::{Setup, rest, unauthorized};

const CALL: &str = "GET/api/v1/users";

async fn agent(setup: &Setup, key: &TestKey, scopes: &str) -> TestAgent {
    let agent = TestAgent::new(key, "my-analysis-agent", scopes).with(|grant| {
        grant.tools = NameList::new(["search".to_owned(), "fetch".to_owned()]);
    });
    agent.stored(&setup.test.store).await
}

#[tokio::test]
async fn the_context_tells_of_an_agent_and_its_tools() {
    let setup = Setup::new().await;
    let key = setup.key("read write").await;
    let agent = agent(&setup, &key, "read").await;
    let bearer = format!("Bearer {}", agent.plain.expose());
    let ask = rest(CALL, &[("Authorization", &bearer), ("X-Agent-ID", "my-analysis-agent")]);
    let answer = setup.ask(&ask).await.answer();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow");
    assert_eq!(
        answer["context"],
        json!({
            "client_id": key.record.client_id, "key_id": key.record.id, "user_id": "",
            "workspace_id": key.record.workspace_id(), "agent_id": "my-analysis-agent", "tools": "search fetch",
            "scopes": "read", "environment": "live", "billed_to": setup.account.owner.id, "credential": "agent",
            "jti": agent.token.id,
        })
    );
    let post = rest("POST/api/v1/users", &[("Authorization", &bearer), ("X-Agent-ID", "my-analysis-agent")]);
    assert_eq!(setup.ask(&post).await.effect(), "Deny", "its key may, and it may not");
    let counted = setup.counted(&key).await;
    let denied = [(DenyReason::InsufficientScope, 1)].into_iter().collect();
    assert_eq!(counted, Tally { allowed: 1, denied, ..counted.clone() }, "a use of its key");
}

#[tokio::test]
async fn a_name_that_is_missing_wrong_or_doubled_is_a_401_like_any_other() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let agent = agent(&setup, &key, "read").await;
    let bearer = format!("Bearer {}", agent.plain.expose());
    let (raw, jwt) = (format!("Bearer {}", key.plain.expose()), format!("Bearer {}", setup.token(&key)));
    let named = ("X-Agent-ID", "my-analysis-agent");
    for headers in [
        vec![("Authorization", bearer.as_str())],
        vec![("Authorization", &bearer), ("X-Agent-ID", "another")],
        vec![("Authorization", &bearer), ("X-Agent-ID", "MY-ANALYSIS-AGENT")],
        vec![("Authorization", &bearer), ("X-Agent-ID", "")],
        vec![("Authorization", &bearer), named, named],
        vec![("Authorization", &bearer), named, ("x-agent-id", "my-analysis-agent")],
        vec![("Authorization", &bearer), named, ("X-API-Key", key.plain.expose())],
        vec![("X-API-Key", agent.plain.expose()), named],
        vec![("X-API-Key", key.plain.expose()), named],
        vec![("Authorization", &raw), named],
        vec![("Authorization", &jwt), named],
        vec![named],
    ] {
        assert_eq!(setup.ask(&rest(CALL, &headers)).await, unauthorized(), "{headers:?}");
    }
    assert_eq!(setup.ask(&rest(CALL, &[("authorization", &bearer), ("x-agent-id", named.1)])).await.effect(), "Allow");
    // A `TOKEN` authorizer is shown one header alone.
    let token =
        json!({"type": "TOKEN", "methodArn": format!("{}/{CALL}", crate::setup::API), "authorizationToken": bearer});
    assert_eq!(setup.ask(&token.to_string()).await, unauthorized());
}

#[tokio::test]
async fn an_ended_agent_is_refused_and_counted_as_its_keys() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let agent = agent(&setup, &key, "read").await;
    let bearer = format!("Bearer {}", agent.plain.expose());
    let ask = rest(CALL, &[("Authorization", &bearer), ("X-Agent-ID", "my-analysis-agent")]);
    assert_eq!(setup.ask(&ask).await.effect(), "Allow");
    setup.test.store.agent_end(&setup.client.id, agent.id(), &testkit::act()).await.unwrap();
    assert_eq!(setup.ask_at(&ask, moment(4.0)).await, unauthorized());
    assert_eq!(setup.counted(&key).await.denied, [(DenyReason::KeyRevoked, 1)].into_iter().collect());
}
