//! Agents: SIMOSphere's own line, and a line of agents that ends in every way that it can.

use reqwest::Method;
use serde_json::{Value, json};

use crate::support::account::Account;
use crate::support::bound::{Way, all_answer, all_become};
use crate::support::clients::{document, run_curl};
use crate::support::http::{Credential, Http, lacks_scope, unauthorized};
use crate::support::system;

/// Needs `chat:completions`.
const CHAT: &str = "/v1/chat/completions";
/// Needs `models:read`.
const MODELS: &str = "/v1/models";
/// Read with `read`.
const USERS: &str = "/api/v1/users";

/// The document's line at this run's address, with another agent's token and name.
fn by_curl(token: &str, agent: &str) -> Option<Value> {
    let base = system().demo.base_url.as_str();
    let changes = [
        ("https://api.simosphereai.com", base),
        ("agent_tok_abc123...", token),
        ("my-analysis-agent", agent),
        ("[...]", r#"[{"role":"user","content":"Good morning"}]"#),
    ];
    Some(run_curl(&document("curl/simosphere_agent.sh", &changes), &[])?.json())
}

async fn make(http: &Http, by: Credential<'_>, body: &Value, status: u16) -> Value {
    http.post("/auth/agent-token", by, body).await.expect(status)
}

#[tokio::test]
async fn an_agent_of_the_document_chats_and_does_nothing_else() {
    let http = Http::new(system());
    let demo = &system().demo;
    let body = json!({
        "agent_id": "my-analysis-agent",
        "scopes": ["chat:completions"],
        "tools": ["search", "summarize"],
        "resources": ["reports/*"],
    });
    let made = make(&http, Credential::Bearer(&demo.api_key), &body, 201).await;
    let token = made["agent_token"].as_str().unwrap();
    let rest = json!({"agent_token": token, "agent_id": "my-analysis-agent", "scopes": ["chat:completions"], "expires_in": 3600});
    assert_eq!(made, rest);

    if let Some(chat) = by_curl(token, "my-analysis-agent") {
        assert_eq!(chat["model"], "mistral-small-latest");
        let caller = &chat["caller"];
        assert_eq!(caller["credential"], "agent");
        assert_eq!(caller["agent_id"], "my-analysis-agent");
        assert_eq!(caller["tools"], "search summarize");
        assert_eq!(caller["scopes"], "chat:completions");
        assert_eq!(caller["client_id"], demo.client_id.as_str());
        assert_eq!(by_curl(token, "another-agent"), Some(unauthorized()));
        assert_eq!(by_curl("agent_tok_abc123", "my-analysis-agent"), Some(unauthorized()));
    }
    let agent = Credential::Agent(token, "my-analysis-agent");
    assert_eq!(http.get(MODELS, agent.clone()).await.expect(403), lacks_scope());
    http.get(&http.keys_path(), agent.clone()).await.expect(403);
    // Without its name, with it twice, and in the wrong place.
    assert_eq!(http.post(CHAT, Credential::Bearer(token), &json!({})).await.expect(401), unauthorized());
    let twice = agent.show(http.request(Method::POST, CHAT)).header("X-Agent-ID", "my-analysis-agent");
    assert_eq!(http.send(twice.json(&json!({}))).await.expect(401), unauthorized());
    let with_a_key = Credential::ApiKey(&demo.api_key).show(http.request(Method::GET, MODELS));
    assert_eq!(http.send(with_a_key.header("X-Agent-ID", "my-analysis-agent")).await.expect(401), unauthorized());
    assert_eq!(http.get(MODELS, Credential::ApiKey(token)).await.expect(401), unauthorized());
}

#[tokio::test]
async fn agents_end_with_all_above_them_within_five_seconds() {
    let account = Account::sign_up(system(), "Agents").await;
    let (http, owner) = (&account.http, account.owner.login());
    let key = account.workspace_key(&account.workspace_id, &["read", "write"]).await;
    let jwt = http.token(&key.raw).await;
    let top = http.agent_token(Credential::ApiKey(&key.raw), "top", &["read", "write"]).await;
    let middle = http.agent_token(Credential::Agent(&top, "top"), "middle", &["read"]).await;
    let lowest = http.agent_token(Credential::Agent(&middle, "middle"), "lowest", &["read"]).await;
    let of_token = http.agent_token(Credential::Bearer(&jwt), "of-token", &["read"]).await;
    let ways = |list: &[(&'static str, &'static str)]| {
        let token = |name| match name {
            "top" => &top,
            "middle" => &middle,
            "lowest" => &lowest,
            _ => &of_token,
        };
        list.iter().map(|(name, id)| Way::get(name, USERS, Credential::Agent(token(*id), id))).collect::<Vec<_>>()
    };
    let all = [("top", "top"), ("middle", "middle"), ("lowest", "lowest"), ("of-token", "of-token")];
    all_answer(http, &ways(&all), 200).await;

    // Never more than those above it, and never under another's name.
    let ask = |id: &str, scopes: &[&str]| json!({"agent_id": id, "scopes": scopes});
    let by_middle = Credential::Agent(&middle, "middle");
    make(http, by_middle.clone(), &ask("wider", &["read", "write"]), 403).await;
    make(http, by_middle, &ask("top", &["read"]), 409).await;
    make(http, owner.clone(), &ask("of-login", &["read"]), 403).await;

    let listed = account.list(owner.clone(), "/agents", "").await;
    let shown: Vec<_> = listed.iter().map(|agent| (agent["agent_id"].clone(), agent["parent"].clone())).collect();
    let parent = |kind: &str, id: &str| json!({"type": kind, "id": id});
    assert_eq!(
        shown,
        [
            (json!("lowest"), parent("agent", "middle")),
            (json!("middle"), parent("agent", "top")),
            (json!("of-token"), parent("key", &key.id)),
            (json!("top"), parent("key", &key.id)),
        ]
    );

    for _ in 0..2 {
        account.manage(owner.clone(), Method::DELETE, "/agents/middle", &Value::Null, 204).await;
    }
    for body in all_become(http, &ways(&[("ended", "middle"), ("below it", "lowest")]), 401).await {
        assert_eq!(body, unauthorized());
    }
    all_answer(http, &ways(&[("above it", "top"), ("beside it", "of-token")]), 200).await;
    let left = account.list(owner.clone(), "/agents", "").await;
    assert_eq!(left.iter().map(|agent| agent["agent_id"].clone()).collect::<Vec<_>>(), ["of-token", "top"]);

    // The name is free, and the old token is not the new agent's.
    let again = http.agent_token(Credential::ApiKey(&key.raw), "middle", &["read"]).await;
    let again_way = [Way::get("again", USERS, Credential::Agent(&again, "middle"))];
    all_answer(http, &again_way, 200).await;
    all_answer(http, &ways(&[("ended", "middle"), ("below it", "lowest")]), 401).await;

    let events = account.list(owner.clone(), "/audit_events", "&action=agent.ended").await;
    assert_eq!(events.len(), 1, "{events:?}");
    assert_eq!(events[0]["object"], json!({"type": "agent", "id": "middle"}));

    account.manage(owner.clone(), Method::DELETE, &format!("/api_keys/{}", key.id), &Value::Null, 204).await;
    for body in all_become(http, &ways(&[("top", "top"), ("of-token", "of-token")]), 401).await {
        assert_eq!(body, unauthorized());
    }
    all_answer(http, &again_way, 401).await;
    assert_eq!(account.list(owner, "/agents", "").await, Vec::<Value>::new());
}
