//! Key records.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::address_range::AddressRange;
use domain::{
    Act, Action, AllowedAddresses, ClientId, Deed, Environment, FeedKind, HashedKey, KeyId, KeyKind, KeyPrefix,
    KeyRecord, Metadata, PlainKey, PreviousSecret, Scope, ScopeSet, SecretVersion, Timestamp, UserId, WorkspaceId,
};

use crate::calls::{put_new, update_changed};
use crate::change::{Change, Committed};
use crate::item::{Attributes, Reader, Writer, binary, key_partition, number, primary_key, string};
use crate::replay::Replay;
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table};

pub(crate) const SORT_KEY: &str = "KEY";

/// How a new key went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyCreated {
    /// It is made.
    Done,
    /// The same was asked for before, and is answered already.
    AnsweredBefore,
}

/// How a change went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyChanged {
    /// The record is what it was to be.
    Done,
    /// Another has changed it meanwhile: read it again, and decide again.
    Outdated,
    /// The same was asked for before, and is answered already.
    AnsweredBefore,
}

/// How a revocation went.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revocation {
    /// The key is revoked from now on.
    Revoked,
    /// It was already.
    AlreadyRevoked,
    /// The client has no such key.
    NotFound,
}

impl Store {
    /// The record that a key string names: one strong read. Whether the string is the record's own is for
    /// [`KeyRecord::check`] to say.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn key_by_string(&self, key: &PlainKey) -> Result<Option<KeyRecord>, StoreError> {
        self.key_by_id(&key.id()).await
    }

    /// The record of an id, of whichever client: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn key_by_id(&self, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        let item = self.get(Table::Keys, primary_key(key_partition(id), SORT_KEY)).await?;
        item.as_ref().map(read).transpose()
    }

    /// The records of these ids that are the client's: a strong read for every hundred.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`], [`StoreError::Corrupt`].
    pub async fn keys_of_client(&self, client: &ClientId, ids: &[KeyId]) -> Result<Vec<KeyRecord>, StoreError> {
        let keys = ids.iter().map(|id| primary_key(key_partition(id), SORT_KEY)).collect();
        let records = self.get_many(Table::Keys, keys).await?.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        Ok(records.into_iter().filter(|record| record.client_id == *client).collect())
    }

    /// The record of an id if it is the client's; another client's is as good as none.
    ///
    /// # Errors
    /// As [`Store::key_by_id`].
    pub async fn key_of_client(&self, client: &ClientId, id: &KeyId) -> Result<Option<KeyRecord>, StoreError> {
        Ok(self.key_by_id(id).await?.filter(|record| record.client_id == *client))
    }

    /// Writes a new record.
    ///
    /// # Errors
    /// [`StoreError::Exists`] where its id is taken; [`StoreError::Unavailable`], [`StoreError::Contended`].
    pub async fn key_create(
        &self,
        record: &KeyRecord,
        act: &Act,
        replay: Option<&Replay>,
    ) -> Result<KeyCreated, StoreError> {
        let deed = described(Deed::new(Action::KeyCreated, &record.id), record);
        let change = Change {
            client: &record.client_id,
            act,
            actions: vec![put_new(self.table(Table::Keys)?, write(record))?],
            // A key that nobody knows of is in no cache.
            feed: Vec::new(),
            deeds: vec![deed],
            replay,
        };
        match self.commit(change).await? {
            Committed::Done => Ok(KeyCreated::Done),
            Committed::AnsweredBefore => Ok(KeyCreated::AnsweredBefore),
            Committed::ConditionFailed(_) => Err(StoreError::Exists),
        }
    }

    /// Changes the record `before` into `after` where nobody else has changed or revoked it meanwhile, and tells the feed.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: after the first whether it is changed is unknown.
    pub async fn key_change(
        &self,
        before: &KeyRecord,
        after: &KeyRecord,
        deed: Deed,
        act: &Act,
        replay: Option<&Replay>,
    ) -> Result<KeyChanged, StoreError> {
        let next = KeyRecord { revision: before.revision + 1, ..after.clone() };
        let still_there = Some("attribute_not_exists(revoked_at)");
        let change = Change {
            client: &before.client_id,
            act,
            actions: vec![update_changed(self.table(Table::Keys)?, &write(before), &write(&next), still_there)?],
            feed: vec![(FeedKind::Key, before.id.to_string())],
            deeds: vec![deed],
            replay,
        };
        match self.commit(change).await? {
            Committed::Done => Ok(KeyChanged::Done),
            Committed::AnsweredBefore => Ok(KeyChanged::AnsweredBefore),
            Committed::ConditionFailed(_) => Ok(KeyChanged::Outdated),
        }
    }

    /// Revokes a client's key and tells the feed, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether it is revoked is then unknown, and the call
    /// may be repeated.
    pub async fn key_revoke(&self, client: &ClientId, id: &KeyId, act: &Act) -> Result<Revocation, StoreError> {
        for attempt in 0..CONTENTION_ATTEMPTS {
            let before = match self.key_of_client(client, id).await? {
                None => return Ok(Revocation::NotFound),
                Some(record) if record.revoked_at.is_some() => return Ok(Revocation::AlreadyRevoked),
                Some(record) => record,
            };
            let after = KeyRecord { revoked_at: Some(act.at), ..before.clone() };
            match self.key_change(&before, &after, Deed::new(Action::KeyRevoked, id), act, None).await? {
                KeyChanged::Done => return Ok(Revocation::Revoked),
                KeyChanged::Outdated | KeyChanged::AnsweredBefore => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }
}

pub(crate) fn created_id(created_at: Timestamp, id: &KeyId) -> String {
    format!("{created_at}#{id}")
}

/// What the audit log says of a key that is new here.
pub(crate) fn described(deed: Deed, record: &KeyRecord) -> Deed {
    deed.with("name", &record.name)
        .with("type", record.kind.name())
        .with("environment", record.environment)
        .with("scopes", &record.scopes)
        .with("fingerprint", record.hash.fingerprint())
}

pub(crate) fn write(record: &KeyRecord) -> Attributes {
    let item = Writer::new(key_partition(&record.id), SORT_KEY)
        .with_string("id", record.id.as_str())
        .with_string("client_id", record.client_id.as_str())
        .with_string("created_id", created_id(record.created_at, &record.id))
        .with_string("name", &record.name)
        .with_string("environment", record.environment.as_str())
        .with_string("prefix", record.prefix.as_str())
        .with("hash", binary(record.hash.as_bytes().as_slice()))
        .with("secret_version", number(record.secret_version.0))
        .with("scopes", AttributeValue::L(record.scopes.iter().map(|scope| string(scope.as_str())).collect()))
        .with_time("created_at", record.created_at)
        .with_string("created_by", &record.created_by)
        .with_optional_time("expires_at", record.expires_at)
        .with_optional_time("revoked_at", record.revoked_at)
        .with_optional_time("rotated_at", record.rotated_at)
        .with("revision", number(record.revision));
    let item = if record.allowed_ips.is_empty() {
        item
    } else {
        let ranges = record.allowed_ips.iter().map(|range| string(range.to_string()));
        item.with("allowed_ips", AttributeValue::L(ranges.collect()))
    };
    let item = if record.metadata.is_empty() { item } else { item.with_string("metadata", record.metadata.to_json()) };
    let item = match &record.previous_secret {
        Some(secret) => item
            .with("previous_hash", binary(secret.hash.as_bytes().as_slice()))
            .with("previous_version", number(secret.version.0))
            .with_time("previous_expires_at", secret.expires_at),
        None => item,
    };
    match &record.kind {
        KeyKind::Workspace(id) => item.with_string("kind", "workspace").with_string("workspace_id", id.as_str()),
        KeyKind::Personal(id) => item.with_string("kind", "personal").with_string("owner_user_id", id.as_str()),
    }
    .done()
}

pub(crate) fn read(item: &Attributes) -> Result<KeyRecord, StoreError> {
    let reader = Reader(item);
    let kind = match reader.string("kind")? {
        "workspace" => KeyKind::Workspace(reader.parsed("workspace_id", WorkspaceId::parse)?),
        "personal" => KeyKind::Personal(reader.parsed("owner_user_id", UserId::parse)?),
        _ => return Err(StoreError::Corrupt("kind")),
    };
    Ok(KeyRecord {
        id: reader.parsed("id", KeyId::parse)?,
        client_id: reader.parsed("client_id", ClientId::parse)?,
        name: reader.string("name")?.to_owned(),
        kind,
        environment: reader.parsed("environment", Environment::parse)?,
        prefix: reader.parsed("prefix", KeyPrefix::parse)?,
        hash: HashedKey::from_bytes(reader.binary("hash")?).ok_or(StoreError::Corrupt("hash"))?,
        secret_version: SecretVersion(reader.number("secret_version")?),
        scopes: read_scopes(&reader)?,
        created_at: reader.time("created_at")?,
        created_by: reader.string("created_by")?.to_owned(),
        expires_at: reader.optional_time("expires_at")?,
        allowed_ips: read_addresses(&reader)?,
        metadata: reader.optional_parsed("metadata", Metadata::parse)?.unwrap_or_default(),
        revoked_at: reader.optional_time("revoked_at")?,
        rotated_at: reader.optional_time("rotated_at")?,
        previous_secret: read_previous(&reader)?,
        revision: reader.number("revision")?,
    })
}

fn read_previous(reader: &Reader<'_>) -> Result<Option<PreviousSecret>, StoreError> {
    let Some(expires_at) = reader.optional_time("previous_expires_at")? else { return Ok(None) };
    let hash = HashedKey::from_bytes(reader.binary("previous_hash")?).ok_or(StoreError::Corrupt("previous_hash"))?;
    Ok(Some(PreviousSecret { hash, version: SecretVersion(reader.number("previous_version")?), expires_at }))
}

/// Where it may be used from; what can't be read must not pass for "anywhere".
fn read_addresses(reader: &Reader<'_>) -> Result<AllowedAddresses, StoreError> {
    let Some(value) = reader.optional("allowed_ips") else { return Ok(AllowedAddresses::default()) };
    let corrupt = || StoreError::Corrupt("allowed_ips");
    let ranges = value.as_l().map_err(|_| corrupt())?.iter();
    let ranges = ranges.map(|range| range.as_s().ok().and_then(|text| AddressRange::parse(text)));
    ranges.collect::<Option<Vec<_>>>().and_then(AllowedAddresses::new).ok_or_else(corrupt)
}

fn read_scopes(reader: &Reader<'_>) -> Result<ScopeSet, StoreError> {
    let corrupt = || StoreError::Corrupt("scopes");
    let list = reader.optional("scopes").and_then(|value| value.as_l().ok()).ok_or_else(corrupt)?;
    let scopes = list.iter().map(|value| value.as_s().ok().and_then(|text| Scope::parse(text)));
    ScopeSet::new(scopes.collect::<Option<Vec<_>>>().ok_or_else(corrupt)?).ok_or_else(corrupt)
}
