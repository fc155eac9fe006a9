//! What stands behind credentials: one cache for each kind of thing that the feed can name.

use domain::{FeedKind, KeyId, KeyRecord, User, UserId};

use crate::records::Records;

pub(crate) struct Caches {
    pub(crate) keys: Records<KeyId, KeyRecord>,
    pub(crate) users: Records<UserId, User>,
}

impl Caches {
    pub(crate) fn new() -> Self {
        Self { keys: Records::new(), users: Records::new() }
    }

    /// Forgets what an entry of the feed names; `false` where this version does not know what that is.
    #[must_use]
    pub(crate) fn drop_named(&self, kind: &FeedKind, id: &str) -> bool {
        match kind {
            FeedKind::Key => KeyId::parse(id).map(|id| self.keys.drop_one(&id)).is_some(),
            FeedKind::User => UserId::parse(id).map(|id| self.users.drop_one(&id)).is_some(),
            FeedKind::Unknown(_) => false,
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.keys.clear();
        self.users.clear();
    }
}
