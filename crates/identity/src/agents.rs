//! What an agent's token hangs on beside its key: its own record, its agent, and the agents above that.

use std::sync::Arc;

use domain::{AgentId, AgentRefusal, AgentToken, AgentTokenRecord, ClientId, Timestamp};
use store::{Store, StoreError};

use crate::caches::Caches;
use crate::refusal::{Refusal, RefusalReason};

/// The record of an agent's token that is right and not over, from the cache or by one strong read.
pub(crate) async fn token(
    store: &Store,
    caches: &Caches,
    presented: &AgentToken,
    named: Option<&AgentId>,
    now: Timestamp,
) -> Result<Arc<AgentTokenRecord>, Refusal> {
    let id = presented.id();
    let found = caches.agent_tokens.get(&id, store.agent_token_by_id(&id)).await?;
    let was_cached = found.as_ref().is_some_and(|found| found.was_cached);
    let record = found.map(|found| found.record);
    if let Err(reason) = AgentTokenRecord::check(record.as_deref(), presented, named, now) {
        if reason == AgentRefusal::WrongSecret && was_cached {
            // An unknown id costs a read each time; so does a known one with a wrong secret, or the time would tell.
            store.agent_token_by_id(&id).await?;
        }
        return Err(RefusalReason::from(reason).into());
    }
    record.ok_or(RefusalReason::Agent(AgentRefusal::Unknown).into())
}

/// Whether the token's agent and all above it are still those that it was made for: from the cache, or by one strong read each.
pub(crate) async fn all_live(store: &Store, caches: &Caches, token: &AgentTokenRecord) -> Result<bool, StoreError> {
    let client = &token.grant.client_id;
    for (id, generation) in token.hangs_on() {
        let named = (client.clone(), id.clone());
        let agent = match caches.agents.get(&named, store.agent_by_id(client, id)).await? {
            // The name was another's until a moment ago, and this is a token of the new agent.
            Some(found) if found.was_cached && found.record.generation < generation => {
                caches.agents.get_anew(&named, store.agent_by_id(client, id)).await?
            }
            found => found.map(|found| found.record),
        };
        if !agent.is_some_and(|agent| agent.is_still(generation)) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Reads what the feed calls an agent.
pub(crate) fn parse_named(id: &str) -> Option<(ClientId, AgentId)> {
    let (client, agent) = id.split_once('/')?;
    Some((ClientId::parse(client)?, AgentId::parse(agent)?))
}
