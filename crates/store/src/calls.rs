//! The calls that several entities make: strong reads, whole queries, transactions, and why those were cancelled.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::operation::transact_write_items::TransactWriteItemsError;
use aws_sdk_dynamodb::types::{
    AttributeValue, ConditionCheck, Delete, KeysAndAttributes, Put, TransactWriteItem, Update,
};

use crate::item::Attributes;
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table};

/// How many items one read may ask for.
const READ_TOGETHER: usize = 100;

/// Why a transaction did nothing.
pub(crate) enum Cancelled {
    /// The conditions of the actions at these places (from 0) did not hold; never none.
    Conditions(Vec<usize>),
    /// Another transaction was at work on one of its items.
    Conflict,
}

/// Reads a transaction's error; `None` where it says nothing of conditions or conflicts.
pub(crate) fn cancelled(error: Option<&TransactWriteItemsError>) -> Option<Cancelled> {
    let reasons = match error? {
        TransactWriteItemsError::TransactionCanceledException(cancelled) => cancelled.cancellation_reasons(),
        TransactWriteItemsError::TransactionInProgressException(_) => return Some(Cancelled::Conflict),
        _ => return None,
    };
    let places = |code| {
        let with_code = reasons.iter().enumerate().filter(move |(_, reason)| reason.code() == Some(code));
        with_code.map(|(place, _)| place).collect::<Vec<_>>()
    };
    match places("ConditionalCheckFailed") {
        places if !places.is_empty() => Some(Cancelled::Conditions(places)),
        _ => (!places("TransactionConflict").is_empty()).then_some(Cancelled::Conflict),
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

/// An update that changes `before` into `after`, two forms of one item: what differs is set or removed, and what neither
/// names stays, since a newer version may have put it there. Only where the item still has the revision of `before`, and
/// `condition` holds, if there is one.
pub(crate) fn update_changed(
    table: &str,
    before: &Attributes,
    after: &Attributes,
    condition: Option<&str>,
) -> Result<TransactWriteItem, StoreError> {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    let mut update = Update::builder().table_name(table);
    let names: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    for (place, name) in names.into_iter().enumerate() {
        if before.get(name) == after.get(name) {
            continue;
        }
        update = update.expression_attribute_names(format!("#n{place}"), name);
        if let Some(value) = after.get(name) {
            update = update.expression_attribute_values(format!(":v{place}"), value.clone());
            set.push(format!("#n{place} = :v{place}"));
        } else {
            remove.push(format!("#n{place}"));
        }
    }
    let part = |word, list: &[String]| (!list.is_empty()).then(|| format!("{word} {}", list.join(", ")));
    let expression = [part("SET", &set), part("REMOVE", &remove)].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let key = |name: &str| before.get(name).cloned().ok_or(StoreError::Corrupt("pk"));
    let update = update
        .key("pk", key("pk")?)
        .key("sk", key("sk")?)
        .update_expression(expression)
        .condition_expression(
            condition.map_or("revision = :seen".to_owned(), |more| format!("revision = :seen AND {more}")),
        )
        .expression_attribute_values(":seen", before.get("revision").cloned().ok_or(StoreError::Corrupt("revision"))?)
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}

/// Takes away an item that must have the revision that was seen.
pub(crate) fn delete_seen(table: &str, seen: &Attributes) -> Result<TransactWriteItem, StoreError> {
    let attribute = |name: &'static str| seen.get(name).cloned().ok_or(StoreError::Corrupt(name));
    let delete = Delete::builder()
        .table_name(table)
        .key("pk", attribute("pk")?)
        .key("sk", attribute("sk")?)
        .condition_expression("revision = :seen")
        .expression_attribute_values(":seen", attribute("revision")?)
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Checks that an item has the revision that was seen.
pub(crate) fn check_seen(table: &str, seen: &Attributes) -> Result<TransactWriteItem, StoreError> {
    let attribute = |name: &'static str| seen.get(name).cloned().ok_or(StoreError::Corrupt(name));
    let check = ConditionCheck::builder()
        .table_name(table)
        .key("pk", attribute("pk")?)
        .key("sk", attribute("sk")?)
        .condition_expression("revision = :seen")
        .expression_attribute_values(":seen", attribute("revision")?)
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().condition_check(check).build())
}

/// Takes away an item, which need not be there.
pub(crate) fn delete_any(table: &str, key: Attributes) -> Result<TransactWriteItem, StoreError> {
    let delete = Delete::builder().table_name(table).set_key(Some(key)).build().map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

/// Takes away an item that must be there.
pub(crate) fn delete_there(table: &str, key: Attributes) -> Result<TransactWriteItem, StoreError> {
    let delete = Delete::builder()
        .table_name(table)
        .set_key(Some(key))
        .condition_expression("attribute_exists(pk)")
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().delete(delete).build())
}

impl Store {
    /// One item, read strongly.
    pub(crate) async fn get(&self, table: Table, key: Attributes) -> Result<Option<Attributes>, StoreError> {
        let call = self.client.get_item().table_name(self.table(table)?).set_key(Some(key)).consistent_read(true);
        let answer = aws::boxed(call.send()).await.map_err(StoreError::unavailable)?;
        Ok(answer.item)
    }

    /// Those of several items that are there, read strongly and in no order. No key may stand twice.
    pub(crate) async fn get_many(&self, table: Table, keys: Vec<Attributes>) -> Result<Vec<Attributes>, StoreError> {
        let name = self.table(table)?;
        let (mut items, mut left, mut attempt) = (Vec::new(), keys, 0);
        while !left.is_empty() {
            let rest = left.split_off(left.len().min(READ_TOGETHER));
            let asked = KeysAndAttributes::builder().set_keys(Some(left)).consistent_read(true).build();
            let asked = asked.map_err(StoreError::unavailable)?;
            let call = self.client.batch_get_item().request_items(name, asked);
            let answer = aws::boxed(call.send()).await.map_err(StoreError::unavailable)?;
            items.extend(answer.responses.into_iter().flat_map(HashMap::into_values).flatten());
            // What was too much at once, and is to be asked for again.
            let unread = answer.unprocessed_keys.into_iter().flat_map(HashMap::into_values);
            left = unread.flat_map(|unread| unread.keys).collect();
            if !left.is_empty() {
                if attempt == CONTENTION_ATTEMPTS {
                    return Err(StoreError::Contended);
                }
                back_off(attempt).await;
                attempt += 1;
            }
            left.extend(rest);
        }
        Ok(items)
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
            let page = aws::boxed(query.clone().send()).await.map_err(StoreError::unavailable)?;
            items.extend(page.items.unwrap_or_default());
            match page.last_evaluated_key {
                Some(key) => query = query.set_exclusive_start_key(Some(key)),
                None => return Ok(items),
            }
        }
    }
}
