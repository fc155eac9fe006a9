//! Answers that are kept for callers who ask for the same again (`Idempotency-Key`).
//!
//! The answer is written in the transaction that makes what it tells of: where the one is there, the other is. Secrets
//! are not in it.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use domain::{ClientId, HashedKey, Timestamp};

use crate::item::{Reader, Writer, binary, number, primary_key};
use crate::{Store, StoreError, Table};

const SORT_KEY: &str = "REPLAY";
/// How long an answer is kept, in seconds: 24 hours.
const LIFE: i64 = 24 * 3600;

/// A creating call that may be repeated, and its answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replay {
    /// The hash of the key that the caller has named it by.
    pub name: HashedKey,
    /// The hash of all that was asked for.
    pub asked: HashedKey,
    /// The answer's status.
    pub status: u16,
    /// The answer's body, without secrets.
    pub body: String,
}

fn partition(client: &ClientId, name: &HashedKey) -> String {
    format!("REPLAY#{client}#{}", name.to_hex())
}

impl Store {
    /// What was answered to the call of this name: one strong read. An answer older than a day is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn replay_find(
        &self,
        client: &ClientId,
        name: &HashedKey,
        now: Timestamp,
    ) -> Result<Option<Replay>, StoreError> {
        let Some(item) = self.get(Table::Directory, primary_key(partition(client, name), SORT_KEY)).await? else {
            return Ok(None);
        };
        let reader = Reader(&item);
        if reader.time("ttl")? <= now {
            return Ok(None);
        }
        Ok(Some(Replay {
            name: name.clone(),
            asked: HashedKey::from_bytes(reader.binary("asked")?).ok_or(StoreError::Corrupt("asked"))?,
            status: reader.number("status")?,
            body: reader.string("body")?.to_owned(),
        }))
    }

    /// Keeps an answer where none is kept under its name, or none that still counts.
    pub(crate) fn replay_put(
        &self,
        client: &ClientId,
        replay: &Replay,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let item = Writer::new(partition(client, &replay.name), SORT_KEY)
            .with("asked", binary(replay.asked.as_bytes().as_slice()))
            .with("status", number(replay.status))
            .with_string("body", &replay.body)
            .with_time("ttl", now.plus(LIFE))
            .done();
        let put = Put::builder()
            .table_name(self.table(Table::Directory)?)
            .set_item(Some(item))
            .condition_expression("attribute_not_exists(pk) OR #ttl <= :now")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":now", number(now.unix()))
            .build()
            .map_err(StoreError::unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}
