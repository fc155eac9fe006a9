//! Pages of a partition's items.

use crate::item::{Attributes, Reader, primary_key, string};
use crate::{Store, StoreError, Table};

/// One page of a list.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// The place that the next page begins behind; `None` at the end.
    pub next: Option<String>,
}

impl Store {
    /// Up to `limit` items of a partition whose sort keys begin with `prefix`, from behind the place `after`: one strong
    /// query.
    pub(crate) async fn page<T>(
        &self,
        table: Table,
        partition: &str,
        prefix: &str,
        limit: usize,
        after: Option<&str>,
        read: impl Fn(&Attributes) -> Result<T, StoreError>,
    ) -> Result<Page<T>, StoreError> {
        let start = after.map(|place| primary_key(partition, format!("{prefix}{place}")));
        let answer = aws::boxed(
            self.client
                .query()
                .table_name(self.table(table)?)
                .key_condition_expression("pk = :partition AND begins_with(sk, :prefix)")
                .expression_attribute_values(":partition", string(partition))
                .expression_attribute_values(":prefix", string(prefix))
                .consistent_read(true)
                // One more than a page, so that a full one knows whether anything follows.
                .limit(i32::try_from(limit + 1).unwrap_or(i32::MAX))
                .set_exclusive_start_key(start)
                .send(),
        )
        .await
        .map_err(StoreError::unavailable)?;
        let items = answer.items();
        let shown = &items[..items.len().min(limit)];
        let next = match shown.last() {
            Some(last) if items.len() > limit || answer.last_evaluated_key().is_some() => {
                Some(Reader(last).parsed("sk", |place| place.strip_prefix(prefix).map(str::to_owned))?)
            }
            _ => None,
        };
        Ok(Page { items: shown.iter().map(read).collect::<Result<_, _>>()?, next })
    }
}
