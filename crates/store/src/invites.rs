//! Invitations: one-time secrets, of which only the hash is kept.

use domain::{ClientId, HashedKey, Timestamp, UserId};

use crate::item::{Attributes, Reader, Writer, primary_key};
use crate::{Store, StoreError, Table};

const SORT_KEY: &str = "INVITE";

/// An invitation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invite {
    /// The hash of its secret.
    pub hash: HashedKey,
    /// The client that it leads to.
    pub client_id: ClientId,
    /// Who is invited.
    pub user_id: UserId,
    /// From this second on it leads nowhere.
    pub expires_at: Timestamp,
}

fn partition(hash: &HashedKey) -> String {
    format!("INVITE#{}", hash.to_hex())
}

impl Store {
    /// The invitation with a secret of this hash, if it still counts: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn invite_find(&self, hash: &HashedKey, now: Timestamp) -> Result<Option<Invite>, StoreError> {
        let Some(item) = self.get(Table::Directory, invite_key(hash)).await? else { return Ok(None) };
        let reader = Reader(&item);
        let invite = Invite {
            hash: hash.clone(),
            client_id: reader.parsed("client_id", ClientId::parse)?,
            user_id: reader.parsed("user_id", UserId::parse)?,
            // What has expired may still be there for days.
            expires_at: reader.time("ttl")?,
        };
        Ok((now < invite.expires_at).then_some(invite))
    }
}

pub(crate) fn invite_key(hash: &HashedKey) -> Attributes {
    primary_key(partition(hash), SORT_KEY)
}

pub(crate) fn write(invite: &Invite) -> Attributes {
    Writer::new(partition(&invite.hash), SORT_KEY)
        .with_string("client_id", invite.client_id.as_str())
        .with_string("user_id", invite.user_id.as_str())
        .with_time("ttl", invite.expires_at)
        .done()
}
