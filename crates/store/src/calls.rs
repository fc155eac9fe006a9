//! The calls that several entities make: strong reads, whole queries, transactions, and why those were cancelled.

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};

use crate::item::Attributes;
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table};

/// Why a transaction did nothing.
pub(crate) enum Cancelled {
    /// The condition of the action at this place (from 0) did not hold.
    Condition(usize),
    /// Another transaction was at work on one of its items.
    Conflict,
}

/// Why items were not made together.
#[derive(Debug)]
pub(crate) enum NotCreated {
    /// The one at this place (from 0) exists.
    Exists(usize),
    Store(StoreError),
}

impl From<StoreError> for NotCreated {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<NotCreated> for StoreError {
    fn from(error: NotCreated) -> Self {
        match error {
            NotCreated::Exists(_) => Self::Exists,
            NotCreated::Store(error) => error,
        }
    }
}

/// Reads a transaction's error; `None` where it says nothing of conditions or conflicts.
pub(crate) fn cancelled(error: Option<&TransactWriteItemsError>) -> Option<Cancelled> {
    let reasons = match error? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
        TransactWriteItemsError::TransactionInProgressException(_) => return Some(Cancelled::Conflict),
        _ => return None,
    };
    let place = |code| reasons.iter().position(|reason| reason.code() == Some(code));
    match place("ConditionalCheckFailed") {
        Some(place) => Some(Cancelled::Condition(place)),
        None => place("TransactionConflict").map(|_| Cancelled::Conflict),
    }
}

/// A put that fails where the item exists.
pub(crate) fn put_new(table: &str, item: Attributes) -> Result<TransactWriteItem, StoreError> {
    let put = Put::builder()
        .table_name(table)
        .set_item(Some(item))
        .condition_expression("attribute_not_exists(pk)")
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().put(put).build())
}

impl Store {
    /// Puts items of one table that must not exist yet, all or none.
    pub(crate) async fn create_together(
        &self,
        table: Table,
        items: impl IntoIterator<Item = Attributes>,
    ) -> Result<(), NotCreated> {
        let table = self.table(table)?;
        let puts = items.into_iter().map(|item| put_new(table, item)).collect::<Result<Vec<_>, _>>()?;
        for attempt in 0..CONTENTION_ATTEMPTS {
            let sent = self.client.transact_write_items().set_transact_items(Some(puts.clone())).send().await;
            let Err(error) = sent else { return Ok(()) };
            match cancelled(error.as_service_error()) {
                Some(Cancelled::Condition(place)) => return Err(NotCreated::Exists(place)),
                // Another transaction was at the same items; the next try finds what it has made.
                Some(Cancelled::Conflict) => back_off(attempt).await,
                None => return Err(StoreError::unavailable(error).into()),
            }
        }
        Err(StoreError::Contended.into())
    }

    /// One item, read strongly.
    pub(crate) async fn get(&self, table: Table, key: Attributes) -> Result<Option<Attributes>, StoreError> {
        let answer = self
            .client
            .get_item()
            .table_name(self.table(table)?)
            .set_key(Some(key))
            .consistent_read(true)
            .send()
            .await
            .map_err(StoreError::unavailable)?;
        Ok(answer.item)
    }

    /// Every item that a key condition finds, read strongly, page by page.
    pub(crate) async fn query_all<const N: usize>(
        &self,
        table: Table,
        condition: &str,
        values: [(&str, AttributeValue); N],
    ) -> Result<Vec<Attributes>, StoreError> {
        let mut query = self
            .client
            .query()
            .table_name(self.table(table)?)
            .key_condition_expression(condition)
            .consistent_read(true);
        for (name, value) in values {
            query = query.expression_attribute_values(name, value);
        }
        let mut items = Vec::new();
        loop {
            let page = query.clone().send().await.map_err(StoreError::unavailable)?;
            items.extend(page.items.unwrap_or_default());
            match page.last_evaluated_key {
                Some(key) => query = query.set_exclusive_start_key(Some(key)),
                None => return Ok(items),
            }
        }
    }
}
