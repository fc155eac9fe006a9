//! Tokens that were ended one by one, before their time (RFC 7009). There is no row for a token otherwise.
//!
//! They stand on one partition in the order of their ends, so that whoever begins reads those that would still count, and
//! nothing else; the feed names each that is added.

use domain::{Act, Claims, FeedKind, Timestamp};

use crate::calls::put_new;
use crate::change::{Change, Committed};
use crate::item::{Reader, Writer, string};
use crate::{Store, StoreError, Table};

const PARTITION: &str = "REVOKED";
/// How long an item stays after the token's own end, in seconds.
const AFTERLIFE: i64 = 60;

fn place(ends: Timestamp, jti: &str) -> String {
    format!("{:012}#{jti}", ends.unix())
}

impl Store {
    /// The ids of the tokens that were ended and would still count: read strongly, a megabyte at a time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn revoked_list(&self, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let values = [(":revoked", string(PARTITION)), (":now", string(place(now, "")))];
        let items = self.query_all(Table::Keys, "pk = :revoked AND sk > :now", values).await?;
        items.iter().map(|item| Ok(Reader(item).string("jti")?.to_owned())).collect()
    }

    /// Ends one token and all that was exchanged from it, and tells the feed; one that was ended before stays so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether it is ended is then unknown, and the call may be
    /// repeated.
    pub async fn revoked_add(&self, claims: &Claims, act: &Act) -> Result<(), StoreError> {
        let ends = Timestamp::from_unix(claims.exp);
        let item = Writer::new(PARTITION, place(ends, &claims.jti))
            .with_string("jti", &claims.jti)
            .with_time("ttl", ends.plus(AFTERLIFE))
            .done();
        let change = Change {
            client: &claims.client_id,
            act,
            actions: vec![put_new(self.table(Table::Keys)?, item)?],
            feed: vec![(FeedKind::Token, claims.jti.clone())],
            deeds: Vec::new(),
            replay: None,
        };
        match self.commit(change).await? {
            // It was ended before, and the feed has told: whoever has a token could fill the feed with it otherwise.
            Committed::Done | Committed::ConditionFailed(_) | Committed::AnsweredBefore => Ok(()),
        }
    }
}
