//! Usage counters that retries can't double.
//!
//! Each process writes its own row per key and hour, always its whole running total under a growing number, and only
//! over a smaller one: a write that is sent twice, or arrives late, changes nothing. Readers sum the rows.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ClientId, DenyReason, KeyId, Tally, Timestamp, UsageHour, UserId, WriterId};

use crate::item::{Attributes, Reader, key_partition, number, primary_key, string};
use crate::{Store, StoreError, Table};

/// How long a row stays after its hour, in seconds: 400 days.
const ROW_LIFE: i64 = 400 * 24 * 3600;

/// One process's running total for one key and hour.
#[derive(Clone, Debug)]
pub struct UsageRow {
    /// The key.
    pub key_id: KeyId,
    /// Its client.
    pub client_id: ClientId,
    /// Who pays for it; unknown where all that was counted are refusals.
    pub billed_to: Option<UserId>,
    /// The hour.
    pub hour: UsageHour,
    /// Who counted.
    pub writer: WriterId,
    /// Grows with every write of this row.
    pub sequence: u64,
    /// All that this process has counted in this hour.
    pub total: Tally,
}

fn sort_key(hour: UsageHour, writer: &WriterId) -> String {
    format!("{}#{writer}", hour.start())
}

impl Store {
    /// Writes a row where what is stored is older. One write; safe to repeat.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: the total stays with the caller, whose next row carries it.
    pub async fn usage_write(&self, row: &UsageRow) -> Result<(), StoreError> {
        let denied = row.total.denied.iter().map(|(reason, count)| (reason.as_str().to_owned(), number(count)));
        let mut row_update = self
            .client
            .update_item()
            .table_name(self.table(Table::Usage)?)
            .set_key(Some(primary_key(key_partition(&row.key_id), sort_key(row.hour, &row.writer))));
        let mut expression =
            "SET #sequence = :sequence, exchanges = :exchanges, allowed = :allowed, denied = :denied, \
                       client_id = :client, #ttl = :ttl"
                .to_owned();
        if let Some(payer) = &row.billed_to {
            expression.push_str(", billed_to = :payer");
            row_update = row_update.expression_attribute_values(":payer", string(payer.as_str()));
        }
        let row_update = row_update
            .update_expression(expression)
            .condition_expression("attribute_not_exists(pk) OR #sequence < :sequence")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_names("#ttl", "ttl")
            .expression_attribute_values(":sequence", number(row.sequence))
            .expression_attribute_values(":exchanges", number(row.total.exchanges))
            .expression_attribute_values(":allowed", number(row.total.allowed))
            .expression_attribute_values(":denied", AttributeValue::M(denied.collect()))
            .expression_attribute_values(":client", string(row.client_id.as_str()))
            .expression_attribute_values(":ttl", number(row.hour.start().plus(ROW_LIFE).unix()));
        match aws::boxed(row_update.send()).await {
            Ok(_) => Ok(()),
            Err(error) => match error.as_service_error() {
                // What is stored is this row or a newer one of the same process.
                Some(UpdateItemError::ConditionalCheckFailedException(_)) => Ok(()),
                _ => Err(StoreError::unavailable(error)),
            },
        }
    }

    /// What was counted for a key, by hour, from the hour of `from` up to the one of `to`, both included.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn usage_of_key(
        &self,
        key: &KeyId,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<BTreeMap<UsageHour, Tally>, StoreError> {
        let values = [
            (":key", string(key_partition(key))),
            (":from", string(UsageHour::of(from).start().to_string())),
            // `$` sorts behind the `#` that parts hour and writer.
            (":to", string(format!("{}$", UsageHour::of(to).start()))),
        ];
        let mut hours = BTreeMap::<UsageHour, Tally>::new();
        for item in self.query_all(Table::Usage, "pk = :key AND sk BETWEEN :from AND :to", values).await? {
            let (hour, tally) = read(&item)?;
            hours.entry(hour).or_default().add(&tally);
        }
        Ok(hours)
    }
}

fn read(item: &Attributes) -> Result<(UsageHour, Tally), StoreError> {
    let reader = Reader(item);
    let hour = reader.parsed("sk", |text| Timestamp::parse(text.split_once('#')?.0).map(UsageHour::of))?;
    let mut tally =
        Tally { exchanges: reader.number("exchanges")?, allowed: reader.number("allowed")?, ..Tally::default() };
    let denied = reader.optional("denied").and_then(|value| value.as_m().ok()).ok_or(StoreError::Corrupt("denied"))?;
    for reason in DenyReason::ALL {
        if denied.contains_key(reason.as_str()) {
            tally.denied.insert(reason, Reader(denied).number(reason.as_str())?);
        }
    }
    Ok((hour, tally))
}
