//! The audit log: a chain of changes for each client, and a stream of what stands outside of it.
//!
//! An event is kept as the JSON that its hash was made of. Its other attributes are there to be found by.
//!
//! The clocks of those who write a chain differ, and who asked first may be written last. So that a list by time is in the
//! order of the chain, no event in it is earlier than the one before it: it has that one's time where its own is earlier.

use std::fmt;

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use domain::{Act, AuditEvent, AuditEventId, ClientId, Deed, Outcome, Timestamp};

use crate::calls::put_new;
use crate::item::{Attributes, Reader, Writer, number, primary_key, string};
use crate::{Store, StoreError, Table};

const HEAD: &str = "HEAD";
/// How long an event outside of the chain stays, in seconds: 400 days.
const UNCHAINED_LIFE: i64 = 400 * 24 * 3600;
/// How long a guess at an account that is none stays: 30 days.
const NOBODY_LIFE: i64 = 30 * 24 * 3600;
/// How many queries one page may take where a filter drops most of what is read.
const QUERIES_PER_PAGE: usize = 10;
/// How many events a query with a filter reads at least.
const READ_TO_FILTER: usize = 100;

/// The end of a client's chain: its last event.
pub(crate) struct ChainHead {
    sequence: u64,
    hash: String,
    at: Timestamp,
}

/// Which events of a client to list; `None` means any. What is given must be met exactly.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AuditFilter {
    /// Done by the user or key of this id.
    pub actor: Option<String>,
    /// `object.verb`.
    pub action: Option<String>,
    /// Done to the thing of this id.
    pub object: Option<String>,
    /// Not before.
    pub from: Option<Timestamp>,
    /// Not after.
    pub to: Option<Timestamp>,
}

/// A place in a client's list of events: behind this one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditPosition {
    partition: String,
    sort_key: String,
    at_id: String,
}

/// One page of a list, oldest first.
#[derive(Clone, Debug)]
pub struct AuditPage {
    /// The events.
    pub events: Vec<AuditEvent>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<AuditPosition>,
}

impl fmt::Display for AuditPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.partition, self.sort_key, self.at_id)
    }
}

impl AuditPosition {
    /// Reads what [`fmt::Display`] has written of a place in this list: the client's own, within the filter's times. Another
    /// place the store would refuse to begin at.
    #[must_use]
    pub fn parse(text: &str, client: &ClientId, filter: &AuditFilter) -> Option<Self> {
        let [partition, sort_key, at_id] = text.split(' ').collect::<Vec<_>>().try_into().ok()?;
        let (time, place) = at_id.split_once('#')?;
        let at = Timestamp::parse(time).filter(|at| at.to_string() == time)?;
        let in_chain = || partition == chain_partition(client) && sort_key == place && is_sequence(place);
        let in_stream = || {
            partition.strip_prefix(&stream_partition(client, "")).is_some_and(|actor| !actor.is_empty())
                && sort_key == at_id
                && AuditEventId::parse(place).is_some()
        };
        let in_time = filter.from.is_none_or(|from| from <= at) && filter.to.is_none_or(|to| at <= to);
        let own = |text: &str| text.to_owned();
        (in_time && (in_chain() || in_stream())).then(|| Self {
            partition: own(partition),
            sort_key: own(sort_key),
            at_id: own(at_id),
        })
    }
}

fn chain_partition(client: &ClientId) -> String {
    format!("CHAIN#{client}")
}

fn stream_partition(client: &ClientId, actor: &str) -> String {
    format!("STREAM#{client}#{actor}")
}

fn is_hash(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_sequence(text: &str) -> bool {
    text.len() == 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn sequence_key(sequence: u64) -> String {
    format!("{sequence:020}")
}

impl Store {
    /// The end of a client's chain, `None` before its first event: one strong read.
    pub(crate) async fn chain_head(&self, client: &ClientId) -> Result<Option<ChainHead>, StoreError> {
        let Some(item) = self.get(Table::Audit, primary_key(chain_partition(client), HEAD)).await? else {
            return Ok(None);
        };
        let reader = Reader(&item);
        // What goes on behind a head that can't be right is a chain that nobody can verify.
        let hash = reader.parsed("hash", |hash| is_hash(hash).then(|| hash.to_owned()))?;
        Ok(Some(ChainHead { sequence: reader.number("sequence")?, hash, at: reader.time("at")? }))
    }

    /// The actions that hang `deeds` behind `head` and make the last of them the new head.
    pub(crate) fn chain_append(
        &self,
        client: &ClientId,
        head: Option<&ChainHead>,
        act: &Act,
        deeds: &[Deed],
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let table = self.table(Table::Audit)?;
        let mut sequence = head.map_or(0, |head| head.sequence);
        let mut hash = head.map(|head| head.hash.clone());
        let act = Act { at: head.map_or(act.at, |head| head.at.max(act.at)), ..act.clone() };
        let mut actions = Vec::new();
        for deed in deeds {
            let event = AuditEvent::chained(&act, deed.clone(), hash.as_deref());
            sequence += 1;
            let item = write(client, &event, chain_partition(client), sequence_key(sequence), &sequence_key(sequence));
            actions.push(put_new(table, item.with("sequence", number(sequence)).done())?);
            hash = event.hash;
        }
        // Without a deed the chain stays as it is.
        let Some(hash) = hash.filter(|_| !deeds.is_empty()) else { return Ok(Vec::new()) };
        let update = Update::builder()
            .table_name(table)
            .set_key(Some(primary_key(chain_partition(client), HEAD)))
            .update_expression("SET #sequence = :next, #hash = :hash, #at = :at")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_names("#at", "at")
            .expression_attribute_values(":next", number(sequence))
            .expression_attribute_values(":hash", string(hash))
            .expression_attribute_values(":at", number(act.at.unix()));
        let update = match head {
            None => update.condition_expression("attribute_not_exists(pk)"),
            Some(head) => update
                .condition_expression("#sequence = :head")
                .expression_attribute_values(":head", number(head.sequence)),
        };
        let update = update.build().map_err(StoreError::unavailable)?;
        actions.push(TransactWriteItem::builder().update(update).build());
        Ok(actions)
    }

    /// Notes what stands outside of the chain: a login, or a call that was refused. One write that waits for no other.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn audit_note(
        &self,
        client: &ClientId,
        act: &Act,
        deed: Deed,
        outcome: Outcome,
    ) -> Result<(), StoreError> {
        let event = AuditEvent::unchained(act, deed, outcome);
        let partition = stream_partition(client, &event.actor.id);
        let sort_key = format!("{}#{}", event.at, event.id);
        // Behind the changes of the same second, whose numbers begin with a digit.
        let item = write(client, &event, partition, sort_key, event.id.as_str());
        let item = item.with_time("ttl", event.at.plus(UNCHAINED_LIFE)).done();
        let put = self.client.put_item().table_name(self.table(Table::Audit)?).set_item(Some(item));
        aws::boxed(put.send()).await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Notes a guess at an account that is none, under what it is counted by: for operators alone, in no client's list. As
    /// much work as a note on an account that is one.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn audit_note_nobody(
        &self,
        subject: &str,
        address: Option<&str>,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sort_key = format!("{at}#{}", AuditEventId::random());
        let item = Writer::new(format!("STREAM#{subject}"), sort_key)
            .with_string("address", address.unwrap_or_default())
            .with_time("ttl", at.plus(NOBODY_LIFE))
            .done();
        let put = self.client.put_item().table_name(self.table(Table::Audit)?).set_item(Some(item));
        aws::boxed(put.send()).await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// Lists a client's events, oldest first, from behind `after`. The index may be a moment behind.
    ///
    /// A filter can leave a page shorter than `limit` although more follows: `next` alone says where the end is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn audit_list(
        &self,
        client: &ClientId,
        filter: &AuditFilter,
        limit: usize,
        after: Option<&AuditPosition>,
    ) -> Result<AuditPage, StoreError> {
        let mut page = AuditPage { events: Vec::new(), next: after.cloned() };
        let conditions = [("actor_id", &filter.actor), ("action", &filter.action), ("object_id", &filter.object)];
        let conditions: Vec<_> =
            conditions.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))).collect();
        let from = filter.from.map_or_else(String::new, |from| from.to_string());
        // Behind everything of that second.
        let to = filter.to.map_or_else(|| "~".to_owned(), |to| format!("{to}~"));
        for _ in 0..QUERIES_PER_PAGE {
            let missing = limit - page.events.len() + 1;
            let wanted = if conditions.is_empty() { missing } else { missing.max(READ_TO_FILTER) };
            let mut query = self
                .client
                .query()
                .table_name(self.table(Table::Audit)?)
                .index_name("by_client")
                .key_condition_expression("client_id = :client AND at_id BETWEEN :from AND :to")
                .expression_attribute_values(":client", string(client.as_str()))
                .expression_attribute_values(":from", string(if from.is_empty() { " " } else { &from }))
                .expression_attribute_values(":to", string(&to))
                .limit(i32::try_from(wanted).unwrap_or(i32::MAX));
            if !conditions.is_empty() {
                let names = conditions.iter().map(|(name, _)| format!("#{name} = :{name}")).collect::<Vec<_>>();
                query = query.filter_expression(names.join(" AND "));
                for (name, value) in &conditions {
                    query = query
                        .expression_attribute_names(format!("#{name}"), *name)
                        .expression_attribute_values(format!(":{name}"), string(value.as_str()));
                }
            }
            if let Some(position) = &page.next {
                query = query.set_exclusive_start_key(Some(start_key(client, position)));
            }
            let answer = aws::boxed(query.send()).await.map_err(StoreError::unavailable)?;
            for item in answer.items() {
                if page.events.len() == limit {
                    return Ok(page);
                }
                page.events.push(read(item)?);
                page.next = Some(position(item)?);
            }
            match answer.last_evaluated_key {
                None => {
                    page.next = None;
                    return Ok(page);
                }
                Some(key) => page.next = Some(position(&key)?),
            }
        }
        Ok(page)
    }
}

fn write(client: &ClientId, event: &AuditEvent, pk: String, sk: String, place: &str) -> Writer {
    Writer::new(pk, sk)
        .with_string("client_id", client.as_str())
        .with_string("at_id", format!("{}#{place}", event.at))
        .with_string("id", event.id.as_str())
        .with_string("actor_id", &event.actor.id)
        .with_string("action", &event.action)
        .with_string("object_id", &event.object.id)
        // An event has string keys alone: it can always be written.
        .with_string("event", serde_json::to_string(event).unwrap_or_default())
}

fn read(item: &Attributes) -> Result<AuditEvent, StoreError> {
    let reader = Reader(item);
    let event: AuditEvent = reader.parsed("event", |text| serde_json::from_str(text).ok())?;
    // What is found under an id is that event.
    if event.id != reader.parsed("id", AuditEventId::parse)? {
        return Err(StoreError::Corrupt("event"));
    }
    Ok(event)
}

fn position(item: &Attributes) -> Result<AuditPosition, StoreError> {
    let reader = Reader(item);
    let text = |name| reader.string(name).map(str::to_owned);
    Ok(AuditPosition { partition: text("pk")?, sort_key: text("sk")?, at_id: text("at_id")? })
}

fn start_key(client: &ClientId, position: &AuditPosition) -> Attributes {
    let mut key = primary_key(&position.partition, &position.sort_key);
    key.insert("client_id".to_owned(), string(client.as_str()));
    key.insert("at_id".to_owned(), string(&position.at_id));
    key
}
