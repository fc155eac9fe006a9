//! Users, found by id or by address.
//!
//! An address is taken by an item of its own, `EMAIL#<address>` / `EMAIL`, written in the transaction that makes the
//! user: two sign-ups at once make one.

use domain::{ClientId, Email, PasswordHash, Role, Timestamp, User, UserId};

use crate::directory::{partition, user_key};
use crate::item::{Attributes, Reader, Writer, primary_key};
use crate::{Store, StoreError, Table};

const EMAIL: &str = "EMAIL";
/// How long an address stays known after a login from it, in seconds: 90 days.
const KNOWN_LIFE: i64 = 90 * 24 * 3600;

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

    /// The user of an address: two strong reads, one where there is none.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn user_by_email(&self, email: &Email) -> Result<Option<User>, StoreError> {
        let Some(item) = self.get(Table::Directory, primary_key(email_partition(email), EMAIL)).await? else {
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
        put.send().await.map_err(StoreError::unavailable)?;
        Ok(())
    }
}

fn known_partition(user: &UserId) -> String {
    format!("KNOWN#{user}")
}

/// The item that takes a user's address.
pub(crate) fn email_taken(user: &User) -> Attributes {
    Writer::new(email_partition(&user.email), EMAIL)
        .with_string("client_id", user.client_id.as_str())
        .with_string("user_id", user.id.as_str())
        .done()
}

pub(crate) fn write(user: &User) -> Attributes {
    Writer::new(partition(&user.client_id), user_key(&user.id))
        .with_string("id", user.id.as_str())
        .with_string("client_id", user.client_id.as_str())
        .with_string("email", user.email.as_str())
        .with_string("role", user.role.as_str())
        .with_string("password_hash", user.password_hash.as_str())
        .with_time("created_at", user.created_at)
        .done()
}

fn read(item: &Attributes) -> Result<User, StoreError> {
    let reader = Reader(item);
    Ok(User {
        id: reader.parsed("id", UserId::parse)?,
        client_id: reader.parsed("client_id", ClientId::parse)?,
        email: reader.parsed("email", Email::parse)?,
        role: reader.parsed("role", Role::parse)?,
        password_hash: reader.parsed("password_hash", PasswordHash::parse)?,
        created_at: reader.time("created_at")?,
    })
}
