//! `/api/v1/clients/{client_id}/agents`: list, get and end. Agents are made by `token-exchange`.
//!
//! Who manages a key manages the agents under it. An agent that has ended is in no list; its name may be another's soon.

use std::collections::{BTreeSet, HashMap, HashSet};

use domain::{
    Action, Agent, AgentId, ClientId, Deed, KeyId, KeyRecord, Moment, NameList, Party, ScopeSet, Timestamp, WorkspaceId,
};
use edge::{ApiError, Query, Reply, Request};
use serde::Serialize;
use store::StoreError;
use store::agents::AgentEnd;

use crate::App;
use crate::caller::Caller;

/// How many reads one page may take where most agents have ended, or are others'.
const READS_PER_PAGE: usize = 10;

/// An agent as it is shown.
#[derive(Serialize)]
struct AgentView<'a> {
    agent_id: &'a AgentId,
    client_id: &'a ClientId,
    /// The key, or the agent, that has made it.
    parent: Party,
    /// The key that it acts under.
    key_id: &'a KeyId,
    scopes: &'a ScopeSet,
    tools: Option<&'a NameList>,
    resources: Option<&'a NameList>,
    workspace_id: &'a WorkspaceId,
    created_at: Timestamp,
    /// When the last of its tokens ends. Where it was made with no token it goes on: its parent may give it another.
    token_expires_at: Timestamp,
}

impl<'a> AgentView<'a> {
    fn of(agent: &'a Agent) -> Self {
        let grant = &agent.grant;
        Self {
            agent_id: &grant.agent_id,
            client_id: &grant.client_id,
            parent: grant.above.last().map_or_else(|| (&grant.key_id).into(), |above| (&above.id).into()),
            key_id: &grant.key_id,
            scopes: &grant.scopes,
            tools: grant.tools.as_ref(),
            resources: grant.resources.as_ref(),
            workspace_id: &grant.workspace_id,
            created_at: agent.created_at,
            token_expires_at: grant.expires_at,
        }
    }
}

#[derive(Serialize)]
struct ListAnswer<'a> {
    data: Vec<AgentView<'a>>,
    next_cursor: Option<String>,
}

/// What agents hang on, read strongly.
struct Behind {
    keys: HashMap<KeyId, KeyRecord>,
    agents: HashMap<AgentId, Agent>,
    /// Those of the tokens that they were made with which were ended before their time, as the feed tells.
    ended: HashSet<String>,
}

impl Behind {
    async fn of(app: &App, client: &ClientId, agents: &[Agent], now: Moment) -> Result<Self, StoreError> {
        let made_with: Vec<String> = agents.iter().flat_map(|agent| agent.grant.made_with.iter().cloned()).collect();
        let ended = app.identity.ended_among(client, &made_with, now).await?;
        let distinct: BTreeSet<&KeyId> = agents.iter().map(|agent| &agent.grant.key_id).collect();
        let keys: Vec<KeyId> = distinct.into_iter().cloned().collect();
        let above: BTreeSet<&AgentId> =
            agents.iter().flat_map(|agent| &agent.grant.above).map(|above| &above.id).collect();
        let above: Vec<AgentId> = above.into_iter().cloned().collect();
        let keys = app.store.keys_of_client(client, &keys).await?;
        let above = app.store.agents_by_id(client, &above).await?;
        Ok(Self {
            keys: keys.into_iter().map(|key| (key.id.clone(), key)).collect(),
            agents: above.into_iter().map(|agent| (agent.grant.agent_id.clone(), agent)).collect(),
            ended,
        })
    }

    fn key(&self, agent: &Agent) -> Option<&KeyRecord> {
        self.keys.get(&agent.grant.key_id)
    }

    fn lives(&self, agent: &Agent, now: Timestamp) -> bool {
        agent.lives(self.key(agent), |id| self.agents.get(id), |token| self.ended.contains(token), now)
    }
}

/// Lists the client's agents that live, by name: those under keys that the caller manages.
pub(crate) async fn list(app: &App, caller: &Caller, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    caller.manages_keys()?;
    let query = Query::read(request, &["limit", "cursor"])?;
    let limit = query.limit()?;
    let list = format!("agents {}", caller.client_id());
    let cursor = query.parsed("cursor", "one that this list has given", |text| Some(text.to_owned()))?;
    let mut after = cursor.map(|cursor| edge::decode_cursor(&list, &cursor)).transpose()?;
    let mut shown = Vec::new();
    for _ in 0..READS_PER_PAGE {
        let place = after.as_deref().map(read_place).transpose()?;
        let page = app.store.agent_list(caller.client_id(), limit - shown.len(), place.as_ref()).await?;
        let behind = Behind::of(app, caller.client_id(), &page.items, now).await?;
        let is_shown = |agent: &Agent| {
            behind.lives(agent, now.timestamp()) && behind.key(agent).is_some_and(|key| caller.may_see(key).is_ok())
        };
        shown.extend(page.items.into_iter().filter(is_shown));
        after = page.next;
        if after.is_none() || shown.len() == limit {
            break;
        }
    }
    Ok(edge::ok(&ListAnswer {
        data: shown.iter().map(AgentView::of).collect(),
        next_cursor: after.map(|place| edge::encode_cursor(&list, &place)),
    }))
}

fn read_place(place: &str) -> Result<AgentId, ApiError> {
    AgentId::parse(place).ok_or_else(|| ApiError::BadRequest("The cursor is not of this list".to_owned()))
}

/// Shows an agent that lives.
pub(crate) async fn get(app: &App, caller: &Caller, id: &AgentId, now: Moment) -> Result<Reply, ApiError> {
    caller.manages_keys()?;
    let agent = seen(app, caller, id).await?;
    let behind = Behind::of(app, caller.client_id(), std::slice::from_ref(&agent), now).await?;
    if !behind.lives(&agent, now.timestamp()) {
        return Err(ApiError::NotFound);
    }
    Ok(edge::ok(&AgentView::of(&agent)))
}

/// Ends an agent: every function refuses it, and all below it, within five seconds. A second call changes nothing and answers
/// the same.
pub(crate) async fn end(app: &App, caller: &Caller, id: &AgentId) -> Result<Reply, ApiError> {
    let deed = Deed::new(Action::AgentEnded, id);
    let ending = async {
        seen(app, caller, id).await?;
        match app.store.agent_end(caller.client_id(), id, &caller.act).await? {
            AgentEnd::Ended | AgentEnd::AlreadyEnded => Ok(edge::no_content()),
            AgentEnd::NotFound => Err(ApiError::NotFound),
        }
    };
    caller.noted(app, deed, ending).await
}

/// An agent under a key that the caller may see, ended or not.
async fn seen(app: &App, caller: &Caller, id: &AgentId) -> Result<Agent, ApiError> {
    let agent = app.store.agent_by_id(caller.client_id(), id).await?.ok_or(ApiError::NotFound)?;
    let key = app.store.key_of_client(caller.client_id(), &agent.grant.key_id).await?.ok_or(ApiError::NotFound)?;
    caller.may_see(&key)?;
    Ok(agent)
}
