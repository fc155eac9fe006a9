//! Agents, and the tokens that stand for them.
//!
//! 1. An agent's item is its client's, under its name, so that of two who name one at once one succeeds. It stays when the
//!    agent ends: the next one of that name is of the next generation.
//! 2. A token's item is found by the id in its string and never changed. It goes by itself after its end.
//! 3. A token is written in one transaction with its agent's item. The feed is told where an agent ends, or another takes its
//!    name; not of a new one, which is in no cache.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::{
    Act, Action, Agent, AgentGrant, AgentId, AgentRef, AgentTokenId, AgentTokenRecord, ClientId, Deed, FeedKind,
    HashedKey, KeyId, NameList, ScopeSet, SecretVersion, WorkspaceId,
};

use crate::calls::put_new;
use crate::change::{Change, Committed};
use crate::item::{Attributes, Reader, Writer, binary, number, primary_key, string};
use crate::page::Page;
use crate::replay::Replay;
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table};

const TOKEN: &str = "TOKEN";
/// What the sort keys of a client's agents begin with: a key condition can't ask for nothing.
const PREFIX: &str = "AGENT#";
/// How long a token's item stays after its end, in seconds.
const AFTERLIFE: i64 = 3600;

/// How a new token of an agent went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentGiven {
    /// It is made.
    Done,
    /// Somebody has named or ended the agent meanwhile, or given it something else: read it again, and decide again.
    Outdated,
    /// The same was asked for before, and is answered already.
    AnsweredBefore,
}

/// How the end of an agent went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentEnd {
    /// It has ended now.
    Ended,
    /// It had already.
    AlreadyEnded,
    /// The client has never had one of that name.
    NotFound,
}

fn agents_of(client: &ClientId) -> String {
    format!("AGENTS#{client}")
}

fn agent_key(client: &ClientId, id: &AgentId) -> Attributes {
    primary_key(agents_of(client), format!("{PREFIX}{id}"))
}

fn token_partition(id: &AgentTokenId) -> String {
    format!("AGENT#{id}")
}

/// What the feed calls an agent.
fn named(client: &ClientId, id: &AgentId) -> (FeedKind, String) {
    (FeedKind::Agent, format!("{client}/{id}"))
}

impl Store {
    /// The last agent of a client that has had this name, ended or not: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn agent_by_id(&self, client: &ClientId, id: &AgentId) -> Result<Option<Agent>, StoreError> {
        let item = self.get(Table::Keys, agent_key(client, id)).await?;
        item.as_ref().map(read).transpose()
    }

    /// Those of these agents that the client has: a strong read for every hundred. No name may stand twice.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`], [`StoreError::Corrupt`].
    pub async fn agents_by_id(&self, client: &ClientId, ids: &[AgentId]) -> Result<Vec<Agent>, StoreError> {
        let keys = ids.iter().map(|id| agent_key(client, id)).collect();
        self.get_many(Table::Keys, keys).await?.iter().map(read).collect()
    }

    /// A client's agents, by name, from behind `after`, ended ones too: one strong query.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn agent_list(
        &self,
        client: &ClientId,
        limit: usize,
        after: Option<&AgentId>,
    ) -> Result<Page<Agent>, StoreError> {
        self.page(Table::Keys, &agents_of(client), PREFIX, limit, after.map(AgentId::as_str), read).await
    }

    /// The record that an agent's token names: one strong read. Whether the string is the record's own is for
    /// [`AgentTokenRecord::check`] to say.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn agent_token_by_id(&self, id: &AgentTokenId) -> Result<Option<AgentTokenRecord>, StoreError> {
        let item = self.get(Table::Keys, primary_key(token_partition(id), TOKEN)).await?;
        item.map(|item| read_token(&item, id)).transpose()
    }

    /// Writes a token of an agent, whose item becomes `after`: of what is there, `before`, that is the same agent with another
    /// grant ([`Agent::given`]), or one of another generation. An agent that is new is an event, and one more token of it is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: after the first whether it is made is unknown.
    pub async fn agent_give(
        &self,
        before: Option<&Agent>,
        after: &Agent,
        token: &AgentTokenRecord,
        act: &Act,
        replay: Option<&Replay>,
    ) -> Result<AgentGiven, StoreError> {
        let table = self.table(Table::Keys)?;
        let grant = &after.grant;
        let (agent, feed, is_new) = match before {
            None => (put_new(table, write(after))?, Vec::new(), true),
            Some(before) if before.generation == after.generation => (give(table, before, after)?, Vec::new(), false),
            Some(before) => (succeed(table, before, after)?, vec![named(&grant.client_id, &grant.agent_id)], true),
        };
        let deed = Deed::new(Action::AgentCreated, &grant.agent_id)
            .with("key_id", &grant.key_id)
            .with("parent", grant.above.last().map(|parent| &parent.id))
            .with("scopes", &grant.scopes)
            .with("tools", &grant.tools)
            .with("resources", &grant.resources);
        let change = Change {
            client: &grant.client_id,
            act,
            actions: vec![agent, put_new(table, write_token(token))?],
            feed,
            deeds: if is_new { vec![deed] } else { Vec::new() },
            replay,
        };
        Ok(match self.commit(change).await? {
            Committed::Done => AgentGiven::Done,
            Committed::AnsweredBefore => AgentGiven::AnsweredBefore,
            Committed::ConditionFailed(_) => AgentGiven::Outdated,
        })
    }

    /// Ends a client's agent, and tells the feed, in one transaction: its tokens, and those of all below it, count no more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether it has ended is then unknown, and the call may be
    /// repeated.
    pub async fn agent_end(&self, client: &ClientId, id: &AgentId, act: &Act) -> Result<AgentEnd, StoreError> {
        for attempt in 0..CONTENTION_ATTEMPTS {
            let agent = match self.agent_by_id(client, id).await? {
                None => return Ok(AgentEnd::NotFound),
                Some(agent) if agent.ended_at.is_some() => return Ok(AgentEnd::AlreadyEnded),
                Some(agent) => agent,
            };
            let update = Update::builder()
                .table_name(self.table(Table::Keys)?)
                .set_key(Some(agent_key(client, id)))
                .update_expression("SET ended_at = :now")
                .condition_expression(STILL)
                .expression_attribute_values(":now", number(act.at.unix()))
                .expression_attribute_values(":seen", number(agent.generation))
                .build()
                .map_err(StoreError::unavailable)?;
            let change = Change {
                client,
                act,
                actions: vec![TransactWriteItem::builder().update(update).build()],
                feed: vec![named(client, id)],
                deeds: vec![Deed::new(Action::AgentEnded, id).with("key_id", &agent.grant.key_id)],
                replay: None,
            };
            match self.commit(change).await? {
                Committed::Done => return Ok(AgentEnd::Ended),
                Committed::ConditionFailed(_) | Committed::AnsweredBefore => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }
}

/// The agent that was seen is there, and nobody has ended it.
const STILL: &str = "generation = :seen AND attribute_not_exists(ended_at)";

/// Gives the same agent something else, where what it has is what was seen: others may give it another token at the same time,
/// and what is written has to have been made out of theirs.
fn give(table: &str, before: &Agent, after: &Agent) -> Result<TransactWriteItem, StoreError> {
    let (mut set, mut remove, mut conditions) = (Vec::new(), Vec::new(), vec![STILL.to_owned()]);
    let mut update = Update::builder().table_name(table);
    let seen = write_grant(Writer::new("", ""), &before.grant).done();
    let written = write_grant(Writer::new("", ""), &after.grant).done();
    for (place, name) in GRANTED.into_iter().enumerate() {
        update = update.expression_attribute_names(format!("#n{place}"), name);
        match written.get(name) {
            Some(value) => {
                update = update.expression_attribute_values(format!(":v{place}"), value.clone());
                set.push(format!("#n{place} = :v{place}"));
            }
            None => remove.push(format!("#n{place}")),
        }
        match seen.get(name) {
            _ if OF_THE_NEWEST.contains(&name) => {}
            Some(value) => {
                update = update.expression_attribute_values(format!(":s{place}"), value.clone());
                conditions.push(format!("#n{place} = :s{place}"));
            }
            None => conditions.push(format!("attribute_not_exists(#n{place})")),
        }
    }
    let remove = if remove.is_empty() { String::new() } else { format!(" REMOVE {}", remove.join(", ")) };
    let update = update
        .set_key(Some(agent_key(&after.grant.client_id, &after.grant.agent_id)))
        .update_expression(format!("SET {}{remove}", set.join(", ")))
        .condition_expression(conditions.join(" AND "))
        .expression_attribute_values(":seen", number(after.generation))
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Puts an agent in the place of one of an earlier generation.
fn succeed(table: &str, before: &Agent, after: &Agent) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(write(after)))
        .condition_expression("generation = :seen")
        .expression_attribute_values(":seen", number(before.generation))
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

fn write(agent: &Agent) -> Attributes {
    let sort_key = format!("{PREFIX}{}", agent.grant.agent_id);
    let item = Writer::new(agents_of(&agent.grant.client_id), sort_key)
        .with("generation", number(agent.generation))
        .with_time("created_at", agent.created_at)
        .with_optional_time("ended_at", agent.ended_at);
    write_grant(item, &agent.grant).done()
}

fn read(item: &Attributes) -> Result<Agent, StoreError> {
    let reader = Reader(item);
    Ok(Agent {
        generation: reader.number("generation")?,
        grant: read_grant(&reader)?,
        created_at: reader.time("created_at")?,
        ended_at: reader.optional_time("ended_at")?,
    })
}

fn write_token(token: &AgentTokenRecord) -> Attributes {
    let item = Writer::new(token_partition(&token.id), TOKEN)
        .with("hash", binary(token.hash.as_bytes().as_slice()))
        .with("generation", number(token.generation))
        .with_time("ttl", token.grant.expires_at.plus(AFTERLIFE));
    write_grant(item, &token.grant).done()
}

fn read_token(item: &Attributes, id: &AgentTokenId) -> Result<AgentTokenRecord, StoreError> {
    let reader = Reader(item);
    Ok(AgentTokenRecord {
        id: id.clone(),
        hash: HashedKey::from_bytes(reader.binary("hash")?).ok_or(StoreError::Corrupt("hash"))?,
        generation: reader.number("generation")?,
        grant: read_grant(&reader)?,
    })
}

/// What [`write_grant`] writes and a later grant to the same agent may change.
const GRANTED: [&str; 9] = [
    "secret_version",
    "made_with",
    "made_until",
    "scopes",
    "tools",
    "resources",
    "workspace_id",
    "issued_at",
    "expires_at",
];
/// What of that says something of the newest token alone.
const OF_THE_NEWEST: [&str; 2] = ["workspace_id", "issued_at"];

fn write_grant(item: Writer, grant: &AgentGrant) -> Writer {
    let mut item = item
        .with_string("client_id", grant.client_id.as_str())
        .with_string("agent_id", grant.agent_id.as_str())
        .with_string("key_id", grant.key_id.as_str())
        .with("secret_version", number(grant.secret_version.0))
        .with("above", list(grant.above.iter().map(AgentRef::to_string)))
        .with("made_with", list(grant.made_with.iter().cloned()))
        .with_optional_time("made_until", grant.made_until)
        .with_string("scopes", grant.scopes.to_string())
        .with_string("workspace_id", grant.workspace_id.as_str())
        .with_time("issued_at", grant.issued_at)
        .with_time("expires_at", grant.expires_at);
    for (name, names) in [("tools", &grant.tools), ("resources", &grant.resources)] {
        if let Some(names) = names {
            item = item.with(name, list(names.iter().map(str::to_owned)));
        }
    }
    item
}

fn read_grant(reader: &Reader<'_>) -> Result<AgentGrant, StoreError> {
    Ok(AgentGrant {
        client_id: reader.parsed("client_id", ClientId::parse)?,
        agent_id: reader.parsed("agent_id", AgentId::parse)?,
        key_id: reader.parsed("key_id", KeyId::parse)?,
        secret_version: SecretVersion(reader.number("secret_version")?),
        above: reader.texts("above", AgentRef::parse)?,
        made_with: reader.texts("made_with", |text| Some(text.to_owned()))?,
        made_until: reader.optional_time("made_until")?,
        scopes: reader.parsed("scopes", ScopeSet::parse)?,
        tools: read_names(reader, "tools")?,
        resources: read_names(reader, "resources")?,
        workspace_id: reader.parsed("workspace_id", WorkspaceId::parse)?,
        issued_at: reader.time("issued_at")?,
        expires_at: reader.time("expires_at")?,
    })
}

fn list(texts: impl Iterator<Item = String>) -> AttributeValue {
    AttributeValue::L(texts.map(string).collect())
}

/// Names that it is held to; what can't be read must not pass for "to none".
fn read_names(reader: &Reader<'_>, name: &'static str) -> Result<Option<NameList>, StoreError> {
    if reader.optional(name).is_none() {
        return Ok(None);
    }
    let names = reader.texts(name, |text| Some(text.to_owned()))?;
    NameList::new(names).map(Some).ok_or(StoreError::Corrupt(name))
}

#[cfg(test)]
mod tests {
    use domain::Timestamp;

    use super::*;

    #[test]
    fn a_bound_that_can_not_be_read_is_not_none() {
        let now = Timestamp::from_unix(1_800_000_000);
        let grant = AgentGrant {
            client_id: ClientId::random(),
            agent_id: AgentId::parse("bounded").unwrap(),
            key_id: KeyId::random(),
            secret_version: SecretVersion(1),
            above: Vec::new(),
            made_with: Vec::new(),
            made_until: None,
            scopes: ScopeSet::parse("read").unwrap(),
            tools: NameList::new(["search".to_owned()]),
            resources: None,
            workspace_id: WorkspaceId::random(),
            issued_at: now,
            expires_at: now.plus(60),
        };
        let item = write(&grant.clone().first(1));
        assert_eq!(read(&item).unwrap().grant, grant);
        for bad in [string("search"), list([String::new()].into_iter()), list(std::iter::empty()), number(1)] {
            for name in ["tools", "resources"] {
                let mut item = item.clone();
                item.insert(name.to_owned(), bad.clone());
                assert!(matches!(read(&item), Err(StoreError::Corrupt(_))), "{name}: {bad:?}");
            }
        }
        for name in ["above", "made_with", "generation"] {
            let mut item = item.clone();
            item.remove(name);
            assert!(matches!(read(&item), Err(StoreError::Corrupt(_))), "without {name}");
        }
    }
}
