//! The hashes of passwords, in partitions of their own: only what logs people in may read them.

use aws_sdk_dynamodb::types::{Put, TransactWriteItem};
use domain::{PasswordHash, UserId};

use crate::item::{Attributes, Reader, Writer, primary_key};
use crate::{Store, StoreError, Table};

const SORT_KEY: &str = "PASSWORD";

fn partition(user: &UserId) -> String {
    format!("PASSWORD#{user}")
}

impl Store {
    /// The hash of a user's password, where there is one: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn password_of(&self, user: &UserId) -> Result<Option<PasswordHash>, StoreError> {
        let item = self.get(Table::Directory, password_key(user)).await?;
        item.map(|item| Reader(&item).parsed("hash", PasswordHash::parse)).transpose()
    }

    pub(crate) fn password_put(&self, user: &UserId, hash: &PasswordHash) -> Result<TransactWriteItem, StoreError> {
        let item = Writer::new(partition(user), SORT_KEY).with_string("hash", hash.as_str()).done();
        let put = Put::builder().table_name(self.table(Table::Directory)?).set_item(Some(item));
        let put = put.build().map_err(StoreError::unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

pub(crate) fn password_key(user: &UserId) -> Attributes {
    primary_key(partition(user), SORT_KEY)
}
