//! Lists of keys, from the index `by_client`.

use domain::{ClientId, Environment, KeyId, KeyRecord, Timestamp, UserId, WorkspaceId};

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
    /// The personal ones of one user.
    pub owner_user_id: Option<UserId>,
    /// Those of one environment.
    pub environment: Option<Environment>,
    /// Only revoked ones, or only those that are not.
    pub revoked: Option<bool>,
    /// Those that a user manages.
    pub managed_by: Option<ManagedBy>,
}

/// The keys that a user manages: the user's own, and those of workspaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ManagedBy {
    /// The user.
    pub user_id: UserId,
    /// The workspaces, 100 at most.
    pub workspaces: Vec<WorkspaceId>,
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
            let conditions = conditions(filter);
            if !conditions.is_empty() {
                let texts: Vec<_> = conditions.iter().map(|condition| condition.text.as_str()).collect();
                query = query.filter_expression(texts.join(" AND "));
                for (name, value) in conditions.into_iter().flat_map(|condition| condition.values) {
                    query = query.expression_attribute_values(name, string(value));
                }
            }
            if let Some(position) = &page.next {
                query = query.set_exclusive_start_key(Some(start_key(client, position)));
            }
            let answer = aws::boxed(query.send()).await.map_err(StoreError::unavailable)?;
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

/// Part of a filter: its expression, and the values that it names.
struct Condition {
    text: String,
    values: Vec<(String, String)>,
}

fn conditions(filter: &KeyFilter) -> Vec<Condition> {
    let equals = |attribute: &str, value: String| {
        let name = format!(":{attribute}");
        Condition { text: format!("{attribute} = {name}"), values: vec![(name, value)] }
    };
    let revoked = filter.revoked.map(|revoked| {
        let function = if revoked { "attribute_exists" } else { "attribute_not_exists" };
        Condition { text: format!("{function}(revoked_at)"), values: Vec::new() }
    });
    [
        filter.kind.map(|kind| equals("kind", kind.to_owned())),
        filter.workspace_id.as_ref().map(|id| equals("workspace_id", id.to_string())),
        filter.owner_user_id.as_ref().map(|id| equals("owner_user_id", id.to_string())),
        filter.environment.map(|environment| equals("environment", environment.as_str().to_owned())),
        revoked,
        filter.managed_by.as_ref().map(managed_by),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn managed_by(manager: &ManagedBy) -> Condition {
    let of_workspaces = manager.workspaces.iter().enumerate();
    let mut values: Vec<_> = of_workspaces.map(|(place, id)| (format!(":mine{place}"), id.to_string())).collect();
    let places: Vec<_> = values.iter().map(|(place, _)| place.as_str()).collect();
    let text = if places.is_empty() {
        "owner_user_id = :me".to_owned()
    } else {
        format!("(owner_user_id = :me OR workspace_id IN ({}))", places.join(", "))
    };
    values.push((":me".to_owned(), manager.user_id.to_string()));
    Condition { text, values }
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
