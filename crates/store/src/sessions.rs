//! Sessions of people at the pages: one-time secrets in a cookie, of which only the hash is kept.
//!
//! 1. Each login makes a new one, which ends after a while whatever is done in it.
//! 2. It names its user and says nothing of them: whoever uses it reads the user anew.
//! 3. Whoever signs out takes it away here, not in the browser alone.

use domain::{ClientId, HashedKey, Timestamp, UserId};

use crate::item::{Attributes, Reader, Writer, primary_key};
use crate::{Store, StoreError, Table};

const SORT_KEY: &str = "SESSION";

/// How long a session lives, in seconds: a working day of 8 hours.
pub const SESSION_LIFETIME: i64 = 8 * 3600;

/// A session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// The hash of its secret.
    pub hash: HashedKey,
    /// The client of its user.
    pub client_id: ClientId,
    /// Who has logged in.
    pub user_id: UserId,
    /// When.
    pub started_at: Timestamp,
}

impl Session {
    /// From this second on it is none.
    #[must_use]
    pub fn ends_at(&self) -> Timestamp {
        self.started_at.plus(SESSION_LIFETIME)
    }
}

fn session_key(hash: &HashedKey) -> Attributes {
    primary_key(format!("SESSION#{}", hash.to_hex()), SORT_KEY)
}

impl Store {
    /// Keeps a new session.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn session_create(&self, session: &Session) -> Result<(), StoreError> {
        let item = Writer::new(format!("SESSION#{}", session.hash.to_hex()), SORT_KEY)
            .with_string("client_id", session.client_id.as_str())
            .with_string("user_id", session.user_id.as_str())
            .with_time("started_at", session.started_at)
            .with_time("ttl", session.ends_at())
            .done();
        let put = self.client.put_item().table_name(self.table(Table::Directory)?).set_item(Some(item));
        aws::boxed(put.send()).await.map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// The session with a secret of this hash, if it still counts: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn session_find(&self, hash: &HashedKey, now: Timestamp) -> Result<Option<Session>, StoreError> {
        let Some(item) = self.get(Table::Directory, session_key(hash)).await? else { return Ok(None) };
        let reader = Reader(&item);
        let session = Session {
            hash: hash.clone(),
            client_id: reader.parsed("client_id", ClientId::parse)?,
            user_id: reader.parsed("user_id", UserId::parse)?,
            started_at: reader.time("started_at")?,
        };
        // What has ended may still be there for days.
        Ok(Some(session).filter(|session| now < session.ends_at()))
    }

    /// Ends a session; one that is none stays so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn session_end(&self, hash: &HashedKey) -> Result<(), StoreError> {
        let delete = self.client.delete_item().table_name(self.table(Table::Directory)?);
        aws::boxed(delete.set_key(Some(session_key(hash))).send()).await.map_err(StoreError::unavailable)?;
        Ok(())
    }
}
