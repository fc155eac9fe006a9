//! Users, found by id or by address.
//!
//! An address is taken by an item of its own, `EMAIL#<address>` / `EMAIL`, written in the transaction that makes the
//! user: two sign-ups at once make one.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{ClientId, Email, Role, Timestamp, User, UserId, UserStatus, WorkspaceId, WorkspaceRole};

use crate::clients::partition;
use crate::item::{Attributes, Reader, Writer, number, primary_key, string};
use crate::page::Page;
use crate::{Store, StoreError, Table};

const PREFIX: &str = "USER#";
const EMAIL: &str = "EMAIL";
/// How long an address stays known after a login from it, in seconds: 90 days.
const KNOWN_LIFE: i64 = 90 * 24 * 3600;

fn user_key(id: &UserId) -> String {
    format!("{PREFIX}{id}")
}

fn email_partition(email: &Email) -> String {
    format!("EMAIL#{email}")
}

impl Store {
    /// A user of a client: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn user_by_id(&self, client: &ClientId, id: &UserId) -> Result<Option<User>, StoreError> {
        let item = self.get(Table::Directory, primary_key(partition(client), user_key(id))).await?;
        item.as_ref().map(read).transpose()
    }

    /// A client's users, by id, from behind `after`: one strong query.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn user_list(
        &self,
        client: &ClientId,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<User>, StoreError> {
        self.page(Table::Directory, &partition(client), PREFIX, limit, after, read).await
    }

    /// The user of an address: two strong reads, one where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let Some(item) = self.get(Table::Directory, email_key(email)).await? else {
            return Ok(None);
        };
        let reader = Reader(&item);
        let client = reader.parsed("client_id", ClientId::parse)?;
        self.user_by_id(&client, &reader.parsed("user_id", UserId::parse)?).await
    }
}

impl Store {
    /// Whether the user has logged in from `address` within 90 days: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn known_address(&self, user: &UserId, address: &str, now: Timestamp) -> Result<bool, StoreError> {
        let item = self.get(Table::Directory, primary_key(known_partition(user), address)).await?;
        // What has expired may still be there for days.
        item.map_or(Ok(false), |item| Ok(Reader(&item).time("ttl")? > now))
    }

    /// Notes that the user has logged in from `address`.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn known_address_add(&self, user: &UserId, address: &str, now: Timestamp) -> Result<(), StoreError> {
        let item = Writer::new(known_partition(user), address).with_time("ttl", now.plus(KNOWN_LIFE)).done();
        let put = self.client.put_item().table_name(self.table(Table::Directory)?).set_item(Some(item));
        aws::boxed(put.send()).await.map_err(StoreError::unavailable)?;
        Ok(())
    }
}

fn known_partition(user: &UserId) -> String {
    format!("KNOWN#{user}")
}

/// The key of the item that takes an address.
pub(crate) fn email_key(email: &Email) -> Attributes {
    primary_key(email_partition(email), EMAIL)
}

/// The item that takes a user's address.
pub(crate) fn email_taken(user: &User) -> Attributes {
    Writer::new(email_partition(&user.email), EMAIL)
        .with_string("client_id", user.client_id.as_str())
        .with_string("user_id", user.id.as_str())
        .done()
}

pub(crate) fn write(user: &User) -> Attributes {
    let workspaces = user.workspaces.iter().map(|(id, role)| (id.to_string(), string(role.as_str())));
    Writer::new(partition(&user.client_id), user_key(&user.id))
        .with_string("id", user.id.as_str())
        .with_string("client_id", user.client_id.as_str())
        .with_string("email", user.email.as_str())
        .with_string("role", user.role.as_str())
        .with_string("status", user.status.as_str())
        .with("workspaces", AttributeValue::M(workspaces.collect()))
        .with_time("created_at", user.created_at)
        .with("revision", number(user.revision))
        .done()
}

fn read(item: &Attributes) -> Result<User, StoreError> {
    let reader = Reader(item);
    Ok(User {
        id: reader.parsed("id", UserId::parse)?,
        client_id: reader.parsed("client_id", ClientId::parse)?,
        email: reader.parsed("email", Email::parse)?,
        role: reader.parsed("role", Role::parse)?,
        status: reader.parsed("status", UserStatus::parse)?,
        workspaces: read_workspaces(&reader)?,
        created_at: reader.time("created_at")?,
        revision: reader.number("revision")?,
    })
}

fn read_workspaces(reader: &Reader<'_>) -> Result<BTreeMap<WorkspaceId, WorkspaceRole>, StoreError> {
    let corrupt = || StoreError::Corrupt("workspaces");
    let map = reader.optional("workspaces").and_then(|value| value.as_m().ok()).ok_or_else(corrupt)?;
    let entries = map.iter().map(|(id, role)| {
        let role = role.as_s().ok().and_then(|role| WorkspaceRole::parse(role));
        Some((WorkspaceId::parse(id)?, role?))
    });
    entries.collect::<Option<_>>().ok_or_else(corrupt)
}
