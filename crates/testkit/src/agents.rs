//! Agents.

use domain::{
    Access, Agent, AgentAsked, AgentGrant, AgentId, AgentMaker, AgentToken, AgentTokenRecord, KeyKind, ScopeSet, Shown,
    WorkspaceId, agent_grant,
};
use store::Store;
use store::agents::AgentGiven;

use crate::builders::{TestKey, act, now};

/// An agent, its token as its holder has it, and the token's record.
#[derive(Clone, Debug)]
pub struct TestAgent {
    /// The string.
    pub plain: AgentToken,
    /// The token's record.
    pub token: AgentTokenRecord,
    /// The agent.
    pub agent: Agent,
}

impl TestAgent {
    /// The first agent of this name under a workspace's key, not stored yet, with an hour to live.
    #[must_use]
    pub fn new(key: &TestKey, id: &str, scopes: &str) -> Self {
        Self::shown(key, Shown::Key, id, scopes)
    }

    /// The first one of this name under this agent, whose key is `key`.
    #[must_use]
    pub fn below(&self, key: &TestKey, id: &str, scopes: &str) -> Self {
        Self::shown(key, Shown::Agent(&self.token), id, scopes)
    }

    /// The first one of this name, made with what is shown.
    #[must_use]
    pub fn shown(key: &TestKey, shown: Shown<'_>, id: &str, scopes: &str) -> Self {
        let workspace_id = match &key.record.kind {
            KeyKind::Workspace(id) => id.clone(),
            KeyKind::Personal(_) => WorkspaceId::random(),
        };
        let maker = AgentMaker {
            key: &key.record,
            secret_version: key.record.secret_version,
            held: Some(key.record.scopes.clone()),
            workspace_id: &workspace_id,
            shown,
        };
        let asked = AgentAsked {
            agent_id: AgentId::parse(id).unwrap(),
            scopes: ScopeSet::parse(scopes).unwrap(),
            tools: None,
            resources: None,
            ttl: None,
        };
        Self::of(agent_grant(&maker, asked, &Access::built_in().unwrap(), now()).unwrap(), 1)
    }

    /// An agent of this generation with a grant of its own.
    #[must_use]
    pub fn of(grant: AgentGrant, generation: u32) -> Self {
        let plain = AgentToken::random();
        Self { token: grant.clone().token(generation, &plain), agent: grant.first(generation), plain }
    }

    /// The same with another grant.
    #[must_use]
    pub fn with(self, change: impl FnOnce(&mut AgentGrant)) -> Self {
        let (mut grant, generation) = (self.agent.grant, self.agent.generation);
        change(&mut grant);
        Self::of(grant, generation)
    }

    /// The name.
    #[must_use]
    pub fn id(&self) -> &AgentId {
        &self.agent.grant.agent_id
    }

    /// Stores the agent and the token.
    pub async fn stored(self, store: &Store) -> Self {
        let given = store.agent_give(None, &self.agent, &self.token, &act(), None).await.unwrap();
        assert_eq!(given, AgentGiven::Done);
        self
    }
}
