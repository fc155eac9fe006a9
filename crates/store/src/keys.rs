//! Key records.

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem, Update};
use domain::{
    ClientId, Environment, FeedKind, HashedKey, KeyId, KeyKind, KeyPrefix, KeyRecord, PlainKey, PreviousSecret, Scope,
    ScopeSet, SecretVersion, Timestamp, UserId, WorkspaceId,
};

use crate::feed::Appended;
use crate::item::{Attributes, Reader, Writer, binary, key_partition, number, primary_key, string};
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table};

pub(crate) const SORT_KEY: &str = "KEY";

/// How a change went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Replaced {
    /// The record is what it was to be.
    Done,
    /// Another has changed it meanwhile: read it again, and decide again.
    Outdated,
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
    /// [`StoreError::Exists`] where its id is taken; [`StoreError::Unavailable`].
    pub async fn key_create(&self, record: &KeyRecord) -> Result<(), StoreError> {
        let sent = self
            .client
            .put_item()
            .table_name(self.table(Table::Keys)?)
            .set_item(Some(write(record)))
            // An answer that was lost is asked for again: what is there may be what this call has just put.
            .condition_expression("attribute_not_exists(pk) OR #hash = :hash")
            .expression_attribute_names("#hash", "hash")
            .expression_attribute_values(":hash", binary(record.hash.as_bytes().as_slice()))
            .send()
            .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(PutItemError::ConditionalCheckFailedException(_)) => Err(StoreError::Exists),
                _ => Err(StoreError::unavailable(error)),
            },
        }
    }

    /// Replaces a record by a changed one and tells the feed, in one transaction. `changed` has the revision of the
    /// record that it was made of.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether it is changed is then unknown.
    pub async fn key_replace(&self, changed: &KeyRecord, now: Timestamp) -> Result<Replaced, StoreError> {
        let next = KeyRecord { revision: changed.revision + 1, ..changed.clone() };
        let put = Put::builder()
            .table_name(self.table(Table::Keys)?)
            .set_item(Some(write(&next)))
            .condition_expression("revision = :seen AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":seen", number(changed.revision))
            .build()
            .map_err(StoreError::unavailable)?;
        let change = TransactWriteItem::builder().put(put).build();
        match self.feed_append(&FeedKind::Key, changed.id.as_str(), change, now).await? {
            Appended::Done => Ok(Replaced::Done),
            Appended::ConditionFailed => Ok(Replaced::Outdated),
        }
    }

    /// Revokes a client's key and tells the feed, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether it is revoked is then unknown, and the call
    /// may be repeated.
    pub async fn key_revoke(&self, client: &ClientId, id: &KeyId, now: Timestamp) -> Result<Revocation, StoreError> {
        for attempt in 0..CONTENTION_ATTEMPTS {
            match self.key_of_client(client, id).await? {
                None => return Ok(Revocation::NotFound),
                Some(record) if record.revoked_at.is_some() => return Ok(Revocation::AlreadyRevoked),
                Some(_) => {}
            }
            match self.feed_append(&FeedKind::Key, id.as_str(), self.revocation(client, id, now)?, now).await? {
                Appended::Done => return Ok(Revocation::Revoked),
                Appended::ConditionFailed => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }

    fn revocation(&self, client: &ClientId, id: &KeyId, now: Timestamp) -> Result<TransactWriteItem, StoreError> {
        let update = Update::builder()
            .table_name(self.table(Table::Keys)?)
            .set_key(Some(primary_key(key_partition(id), SORT_KEY)))
            .update_expression("SET revoked_at = :now, revision = revision + :one")
            .condition_expression("client_id = :client AND attribute_not_exists(revoked_at)")
            .expression_attribute_values(":now", number(now.unix()))
            .expression_attribute_values(":one", number(1))
            .expression_attribute_values(":client", string(client.as_str()))
            .build()
            .map_err(StoreError::unavailable)?;
        Ok(TransactWriteItem::builder().update(update).build())
    }
}

pub(crate) fn created_id(created_at: Timestamp, id: &KeyId) -> String {
    format!("{created_at}#{id}")
}

fn write(record: &KeyRecord) -> Attributes {
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
        .with_string("billed_to", record.billed_to.as_str())
        .with_time("created_at", record.created_at)
        .with_string("created_by", &record.created_by)
        .with_optional_time("expires_at", record.expires_at)
        .with_optional_time("revoked_at", record.revoked_at)
        .with_optional_time("rotated_at", record.rotated_at)
        .with("revision", number(record.revision));
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
        billed_to: reader.parsed("billed_to", UserId::parse)?,
        created_at: reader.time("created_at")?,
        created_by: reader.string("created_by")?.to_owned(),
        expires_at: reader.optional_time("expires_at")?,
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

fn read_scopes(reader: &Reader<'_>) -> Result<ScopeSet, StoreError> {
    let corrupt = || StoreError::Corrupt("scopes");
    let list = reader.optional("scopes").and_then(|value| value.as_l().ok()).ok_or_else(corrupt)?;
    let scopes = list.iter().map(|value| value.as_s().ok().and_then(|text| Scope::parse(text)));
    ScopeSet::new(scopes.collect::<Option<Vec<_>>>().ok_or_else(corrupt)?).ok_or_else(corrupt)
}
