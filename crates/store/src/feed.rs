//! The change feed: entries with dense sequence numbers on one small partition, each written in the transaction of
//! the change that it tells of.
//!
//! 1. A writer reads the head `n` strongly.
//! 2. In one transaction (`change.rs`) it moves the head from `n` to `n + 1`, puts entry `n + 1`, and makes its change;
//!    a change that concerns several things puts as many entries.
//! 3. Where another was faster the whole transaction is off; it waits a little and begins anew.
//! 4. A reader asks strongly for all that sorts behind its last number; the head sorts behind all entries and comes
//!    with them, so that a reader knows what is missing.
//!
//! Entries expire after a day; the head never does.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use domain::{FeedEntry, FeedKind, Sequence, Timestamp};

use crate::calls::put_new;
use crate::item::{Reader, Writer, number, primary_key, string};
use crate::{Store, StoreError, Table};

const PARTITION: &str = "FEED";
/// Sorts behind every number.
const HEAD: &str = "HEAD";
/// How long an entry stays, in seconds. A reader that was away longer starts over with an empty cache.
const ENTRY_LIFE: i64 = 24 * 3600;

/// What a reader finds behind its last number.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FeedSlice {
    /// The entries that are still there, in order; they need not be all that there were.
    pub entries: Vec<FeedEntry>,
    /// The number of the last entry ever written.
    pub head: Sequence,
}

fn sort_key(sequence: Sequence) -> String {
    format!("{:020}", sequence.0)
}

impl Store {
    /// The number of the last entry (0 before the first): one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn feed_head(&self) -> Result<Sequence, StoreError> {
        let head = self.get(Table::Keys, primary_key(PARTITION, HEAD)).await?;
        head.map_or(Ok(Sequence(0)), |item| Reader(&item).number("sequence").map(Sequence))
    }

    /// What stands behind `last`, read strongly.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn feed_after(&self, last: Sequence) -> Result<FeedSlice, StoreError> {
        let values = [(":feed", string(PARTITION)), (":last", string(sort_key(last)))];
        let items = self.query_all(Table::Keys, "pk = :feed AND sk > :last", values).await?;
        let mut slice = FeedSlice { entries: Vec::new(), head: Sequence(0) };
        for item in &items {
            let reader = Reader(item);
            let sequence = Sequence(reader.number("sequence")?);
            if reader.string("sk")? == HEAD {
                slice.head = sequence;
            } else {
                // One that can't be read is a change of unknown kind: readers forget everything and go on.
                let text = |name| reader.string(name).unwrap_or_default();
                let (kind, id) = (FeedKind::parse(text("kind")), text("id").to_owned());
                slice.entries.push(FeedEntry { sequence, kind, id });
            }
        }
        Ok(slice)
    }

    /// The actions that put entries behind `head` and move it to the last of them.
    pub(crate) fn feed_append(
        &self,
        head: Sequence,
        named: &[(FeedKind, String)],
        now: Timestamp,
    ) -> Result<Vec<TransactWriteItem>, StoreError> {
        let mut last = head;
        let mut actions = Vec::new();
        for (kind, id) in named {
            last = last.next();
            actions.push(self.put_entry(last, kind, id, now)?);
        }
        let update = Update::builder()
            .table_name(self.table(Table::Keys)?)
            .set_key(Some(primary_key(PARTITION, HEAD)))
            .update_expression("SET #sequence = :last")
            .condition_expression("attribute_not_exists(pk) OR #sequence = :head")
            .expression_attribute_names("#sequence", "sequence")
            .expression_attribute_values(":last", number(last.0))
            .expression_attribute_values(":head", number(head.0))
            .build()
            .map_err(StoreError::unavailable)?;
        actions.push(TransactWriteItem::builder().update(update).build());
        Ok(actions)
    }

    fn put_entry(
        &self,
        sequence: Sequence,
        kind: &FeedKind,
        id: &str,
        now: Timestamp,
    ) -> Result<TransactWriteItem, StoreError> {
        let entry = Writer::new(PARTITION, sort_key(sequence))
            .with("sequence", number(sequence.0))
            .with_string("kind", kind.as_str())
            .with_string("id", id)
            .with_time("ttl", now.plus(ENTRY_LIFE))
            .done();
        put_new(self.table(Table::Keys)?, entry)
    }
}
