//! Lists of keys, from the index `by_client`.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ClientId, Environment, KeyId, KeyRecord, Timestamp, WorkspaceId};

use crate::item::{Attributes, Reader, key_partition, primary_key, string};
use crate::keys::{SORT_KEY, created_id, read};
use crate::{Store, StoreError, Table};

/// How many queries one page may take where a filter drops most of what is read.
const QUERIES_PER_PAGE: usize = 10;
/// How many items a query with a filter reads at least.
const READ_TO_FILTER: usize = 100;

/// Which keys of a client to list; `None` means any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KeyFilter {
    /// `workspace` or `personal`.
    pub kind: Option<&'static str>,
    /// Those of one workspace.
    pub workspace_id: Option<WorkspaceId>,
    /// Those of one environment.
    pub environment: Option<Environment>,
    /// Only revoked ones, or only those that are not.
    pub revoked: Option<bool>,
}

/// A place in a client's list of keys: behind the key of this time and id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyPosition {
    /// When that key was made.
    pub created_at: Timestamp,
    /// Which it is.
    pub id: KeyId,
}

/// One page of a list, oldest first.
#[derive(Clone, Debug)]
pub struct KeyPage {
    /// The keys.
    pub keys: Vec<KeyRecord>,
    /// Where the next page begins; `None` at the end.
    pub next: Option<KeyPosition>,
}

impl KeyPosition {
    fn of(record: &KeyRecord) -> Self {
        Self { created_at: record.created_at, id: record.id.clone() }
    }
}

impl Store {
    /// Lists a client's keys, oldest first, from behind `after`. The index may be a moment behind.
    ///
    /// A filter can leave a page shorter than `limit` although more follows: `next` alone says where the end is.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn key_list(
        &self,
        client: &ClientId,
        filter: &KeyFilter,
        limit: usize,
        after: Option<&KeyPosition>,
    ) -> Result<KeyPage, StoreError> {
        let mut page = KeyPage { keys: Vec::new(), next: after.cloned() };
        for _ in 0..QUERIES_PER_PAGE {
            // One more than is missing, so that a full page knows whether anything follows; and many where a filter
            // will drop most of them.
            let missing = limit - page.keys.len() + 1;
            let wanted = if *filter == KeyFilter::default() { missing } else { missing.max(READ_TO_FILTER) };
            let mut query = self
                .client
                .query()
                .table_name(self.table(Table::Keys)?)
                .index_name("by_client")
                .key_condition_expression("client_id = :client")
                .expression_attribute_values(":client", string(client.as_str()))
                .limit(i32::try_from(wanted).unwrap_or(i32::MAX));
            for (condition, name, value) in conditions(filter) {
                let so_far = query.get_filter_expression().clone();
                query =
                    query.filter_expression(so_far.map_or(condition.clone(), |all| format!("{all} AND {condition}")));
                if let Some(value) = value {
                    query = query.expression_attribute_values(name, value);
                }
            }
            if let Some(position) = &page.next {
                query = query.set_exclusive_start_key(Some(start_key(client, position)));
            }
            let answer = query.send().await.map_err(StoreError::unavailable)?;
            for item in answer.items() {
                let record = match read(item) {
                    Ok(record) => record,
                    Err(error) => {
                        // One bad record must not hide all others.
                        tracing::error!(%error, "a key's record can't be listed");
                        continue;
                    }
                };
                if page.keys.len() == limit {
                    return Ok(page);
                }
                page.next = Some(KeyPosition::of(&record));
                page.keys.push(record);
            }
            match answer.last_evaluated_key {
                None => {
                    page.next = None;
                    return Ok(page);
                }
                Some(key) => page.next = Some(read_position(&key)?),
            }
        }
        Ok(page)
    }
}

fn conditions(filter: &KeyFilter) -> Vec<(String, &'static str, Option<AttributeValue>)> {
    let equals = |attribute: &str, name: &'static str, value: String| {
        (format!("{attribute} = {name}"), name, Some(string(value)))
    };
    let revoked = filter.revoked.map(|revoked| {
        let function = if revoked { "attribute_exists" } else { "attribute_not_exists" };
        (format!("{function}(revoked_at)"), "", None)
    });
    [
        filter.kind.map(|kind| equals("kind", ":kind", kind.to_owned())),
        filter.workspace_id.as_ref().map(|id| equals("workspace_id", ":workspace", id.to_string())),
        filter.environment.map(|environment| equals("environment", ":environment", environment.as_str().to_owned())),
        revoked,
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn start_key(client: &ClientId, position: &KeyPosition) -> Attributes {
    let mut key = primary_key(key_partition(&position.id), SORT_KEY);
    key.insert("client_id".to_owned(), string(client.as_str()));
    key.insert("created_id".to_owned(), string(created_id(position.created_at, &position.id)));
    key
}

fn read_position(key: &Attributes) -> Result<KeyPosition, StoreError> {
    Reader(key).parsed("created_id", |text| {
        let (created_at, id) = text.split_once('#')?;
        Some(KeyPosition { created_at: Timestamp::parse(created_at)?, id: KeyId::parse(id)? })
    })
}
