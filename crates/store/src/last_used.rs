//! When keys were last used, to the minute.
//!
//! One item per key, `USED#<client>` / `<key>`, written beside the counts of use and so never on a caller's way, at most once
//! per process, key and minute. A later minute is never written over by an earlier one, so a write that is repeated or late
//! changes nothing.

use std::collections::HashMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use domain::{ClientId, KeyId, Timestamp};

use crate::item::{Attributes, Reader, number, primary_key};
use crate::{Store, StoreError, Table};

/// How exact it is, in seconds.
pub(crate) const PRECISION: i64 = 60;

fn item_key(client: &ClientId, key: &KeyId) -> Attributes {
    primary_key(format!("USED#{client}"), key.as_str())
}

/// `time`, without its seconds.
pub(crate) fn minute(time: Timestamp) -> Timestamp {
    Timestamp::from_unix(time.unix() - time.unix().rem_euclid(PRECISION))
}

impl Store {
    /// Notes that a key was used at `at`, where nothing later is noted. One write; safe to repeat.
    pub(crate) async fn last_used_write(
        &self,
        client: &ClientId,
        key: &KeyId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        let sent = aws::boxed(
            self.client
                .update_item()
                .table_name(self.table(Table::Usage)?)
                .set_key(Some(item_key(client, key)))
                .update_expression("SET last_used_at = :at")
                .condition_expression("attribute_not_exists(last_used_at) OR last_used_at < :at")
                .expression_attribute_values(":at", number(at.unix()))
                .send(),
        )
        .await;
        match sent {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::unavailable(error)),
            },
        }
    }

    /// When a key of a client was last used, if it was: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn last_used_of(&self, client: &ClientId, key: &KeyId) -> Result<Option<Timestamp>, StoreError> {
        let item = self.get(Table::Usage, item_key(client, key)).await?;
        Ok(item.as_ref().and_then(read).map(|(_, at)| at))
    }

    /// When keys of a client were last used, those that were: one strong read for every hundred, none for none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`] where the table gives only some of it again and again.
    pub async fn last_used<'a>(
        &self,
        client: &ClientId,
        keys: impl IntoIterator<Item = &'a KeyId>,
    ) -> Result<HashMap<KeyId, Timestamp>, StoreError> {
        let wanted = keys.into_iter().map(|key| item_key(client, key)).collect();
        Ok(self.get_many(Table::Usage, wanted).await?.iter().filter_map(read).collect())
    }
}

/// What can't be read passes for a key that was never used, with a line in the log: nothing is decided by it, and it must
/// not hide the key, nor all others of a list.
fn read(item: &Attributes) -> Option<(KeyId, Timestamp)> {
    let reader = Reader(item);
    let used = reader.parsed("sk", KeyId::parse).and_then(|key| Ok((key, reader.time("last_used_at")?)));
    if let Err(error) = &used {
        tracing::error!(%error, "it can't be read when a key was last used");
    }
    used.ok()
}
