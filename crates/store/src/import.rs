//! Keys of other systems: what their strings look like, and which hash leads to which key.
//!
//! 1. Each client has places for its patterns, which are filled one after the other and never emptied. All of them stand on
//!    one partition, since whoever is shown a string knows nothing of its client.
//! 2. A hash has an item of its own beside the key's record, written with it and never changed: a hash leads to one key, of
//!    one client, for good.

use std::collections::HashMap;

use domain::{Act, Action, ClientId, Deed, FeedKind, HashedKey, KeyId, KeyPattern, KeyPatterns, KeyPrefix, KeyRecord};
use serde_json::json;

use crate::calls::put_new;
use crate::change::{Change, Committed};
use crate::item::{Attributes, Reader, Writer, number, primary_key, string};
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table, keys};

const PATTERNS: &str = "PATTERN";

/// How many keys are imported together. Each is a record, its hash and an event; a transaction takes 100 actions, but a longer
/// one is longer in others' way.
pub const IMPORTED_TOGETHER: usize = 20;
/// How many patterns a client may register. Every function that verifies holds the patterns of all clients.
pub const MOST_PATTERNS: usize = 10;

/// How the registration of a pattern went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PatternRegistered {
    /// It is registered from now on.
    Done,
    /// It was already; nothing is written.
    Before,
    /// The client has as many others as it may have.
    TooMany,
}

/// Where a hash leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ImportedHash {
    /// The key.
    pub key_id: KeyId,
    /// Whose it is.
    pub client_id: ClientId,
}

/// How an import went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeysImported {
    /// All of them are there.
    Done,
    /// None of them is: at least one hash leads to a key already. Look again, and leave it out.
    Taken,
}

fn hash_key(hash: &HashedKey) -> Attributes {
    primary_key(format!("HASH#{}", hash.to_hex()), keys::SORT_KEY)
}

impl Store {
    /// The patterns of all clients, read strongly. One that can't be read is left out, with a line in the log: it must not
    /// stop the keys of all others.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn pattern_list(&self) -> Result<KeyPatterns, StoreError> {
        let items = self.query_all(Table::Keys, "pk = :patterns", [(":patterns", string(PATTERNS))]).await?;
        let read = items.iter().filter_map(|item| {
            let pattern = read_pattern(item);
            if let Err(error) = &pattern {
                tracing::error!(%error, "a pattern can't be read; its keys are refused");
            }
            pattern.ok()
        });
        Ok(read.collect())
    }

    /// The patterns of a client, read strongly.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn pattern_list_of_client(&self, client: &ClientId) -> Result<Vec<KeyPattern>, StoreError> {
        let values = [(":patterns", string(PATTERNS)), (":client", string(format!("{client}#")))];
        let items = self.query_all(Table::Keys, "pk = :patterns AND begins_with(sk, :client)", values).await?;
        items.iter().map(read_pattern).collect()
    }

    /// Registers a pattern and tells the feed: from then on strings that it matches are looked up by their hash.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`], [`StoreError::Contended`]: the call may be repeated.
    pub async fn pattern_register(
        &self,
        client: &ClientId,
        pattern: &KeyPattern,
        act: &Act,
    ) -> Result<PatternRegistered, StoreError> {
        for attempt in 0..CONTENTION_ATTEMPTS {
            let own = self.pattern_list_of_client(client).await?;
            if own.contains(pattern) {
                return Ok(PatternRegistered::Before);
            }
            if own.len() >= MOST_PATTERNS {
                return Ok(PatternRegistered::TooMany);
            }
            // The next free place: whoever takes it at the same time is seen at the next look.
            let item = Writer::new(PATTERNS, format!("{client}#{}", own.len()))
                .with_string("prefix", pattern.prefix().as_str())
                .with("length", number(pattern.length()))
                .with_time("created_at", act.at)
                .done();
            let details = json!({"prefix": pattern.prefix().as_str(), "length": pattern.length()});
            let change = Change {
                client,
                act,
                actions: vec![put_new(self.table(Table::Keys)?, item)?],
                feed: vec![(FeedKind::Pattern, client.to_string())],
                deeds: vec![Deed::new(Action::ClientUpdated, client).with("key_pattern", details)],
                replay: None,
            };
            match self.commit(change).await? {
                Committed::Done => return Ok(PatternRegistered::Done),
                Committed::ConditionFailed(_) | Committed::AnsweredBefore => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    /// The key that a hash leads to: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn key_id_by_hash(&self, hash: &HashedKey) -> Result<Option<KeyId>, StoreError> {
        let item = self.get(Table::Keys, hash_key(hash)).await?;
        item.map(|item| Ok(read_hash(&item)?.1.key_id)).transpose()
    }

    /// Where each of these hashes leads that leads anywhere; a strong read for every hundred.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`], [`StoreError::Corrupt`].
    pub async fn import_find(&self, hashes: &[HashedKey]) -> Result<HashMap<HashedKey, ImportedHash>, StoreError> {
        let items = self.get_many(Table::Keys, hashes.iter().map(hash_key).collect()).await?;
        items.iter().map(read_hash).collect()
    }

    /// Writes the records of one client's imported keys with their hashes and events, all or none: at most
    /// [`IMPORTED_TOGETHER`].
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether they are there is then unknown.
    pub async fn import_keys(
        &self,
        client: &ClientId,
        records: &[KeyRecord],
        act: &Act,
    ) -> Result<KeysImported, StoreError> {
        let table = self.table(Table::Keys)?;
        let (mut actions, mut deeds) = (Vec::new(), Vec::new());
        for record in records {
            actions.push(put_new(table, keys::write(record))?);
            actions.push(put_new(table, write_hash(record))?);
            let deed = keys::described(Deed::new(Action::KeyImported, &record.id), record);
            deeds.push(deed.with("prefix", record.prefix.as_str()));
        }
        // Nobody has them cached, nor that there are none.
        let change = Change { client, act, actions, feed: Vec::new(), deeds, replay: None };
        match self.commit(change).await? {
            Committed::Done => Ok(KeysImported::Done),
            Committed::ConditionFailed(_) | Committed::AnsweredBefore => Ok(KeysImported::Taken),
        }
    }
}

fn read_pattern(item: &Attributes) -> Result<KeyPattern, StoreError> {
    let reader = Reader(item);
    let prefix = reader.parsed("prefix", KeyPrefix::parse)?;
    KeyPattern::new(prefix, reader.number("length")?).map_err(|_| StoreError::Corrupt("length"))
}

fn write_hash(record: &KeyRecord) -> Attributes {
    let mut item = hash_key(&record.hash);
    item.insert("key_id".to_owned(), string(record.id.as_str()));
    item.insert("client_id".to_owned(), string(record.client_id.as_str()));
    item
}

fn read_hash(item: &Attributes) -> Result<(HashedKey, ImportedHash), StoreError> {
    let reader = Reader(item);
    let hash = reader.parsed("pk", |pk| HashedKey::parse_hex(pk.strip_prefix("HASH#")?))?;
    let key_id = reader.parsed("key_id", KeyId::parse)?;
    Ok((hash, ImportedHash { key_id, client_id: reader.parsed("client_id", ClientId::parse)? }))
}
