//! Tokens that were ended one by one, before their time (RFC 7009). There is no row for a token otherwise.
//!
//! 1. They stand on their client's partition in the order of their ends, so that whoever begins reads those that would still
//!    count, and nothing else; the feed names each that is added.
//! 2. How many were ended in an hour is counted in the same transaction for whoever got them, and bounded: all clients meet at
//!    the feed.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use domain::{Act, ClientId, FeedKind, Timestamp};

use crate::calls::put_new;
use crate::change::{Change, Committed};
use crate::item::{Attributes, Reader, Writer, number, primary_key, string};
use crate::{Store, StoreError, Table};

/// How many tokens of one key, user or app may be ended in an hour: one a second.
pub const ENDS_PER_HOUR: u32 = 3600;

const HOUR: i64 = 3600;
/// How long an item stays after the token's own end, or the hour's, in seconds.
const AFTERLIFE: i64 = 60;

/// A token that is to be ended.
#[derive(Clone, Copy, Debug)]
pub struct Ending<'a> {
    /// Whose it is.
    pub client: &'a ClientId,
    /// Its id.
    pub token: &'a str,
    /// When it would have ended by itself.
    pub ends: Timestamp,
    /// Who is counted for it: the id of the key or user that gets such tokens, or of the app that has them by itself.
    pub holder: &'a str,
}

/// How the end of a token went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenEnd {
    /// It is ended, now or before.
    Ended,
    /// [`ENDS_PER_HOUR`] of the same holder were ended in this hour, which is over then.
    TooMany(Timestamp),
}

fn partition(client: &ClientId) -> String {
    format!("REVOKED#{client}")
}

fn place(ends: Timestamp, token: &str) -> String {
    format!("{:012}#{token}", ends.unix())
}

/// Where the count of an hour stands: before all places, which begin with a digit.
fn count_key(client: &ClientId, holder: &str, hour: i64) -> Attributes {
    primary_key(partition(client), format!("#{hour}#{holder}"))
}

impl Store {
    /// The ids of a client's tokens that were ended and would still count: read strongly, a megabyte at a time.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn revoked_list(&self, client: &ClientId, now: Timestamp) -> Result<Vec<String>, StoreError> {
        let values = [(":revoked", string(partition(client))), (":now", string(place(now, "")))];
        let items = self.query_all(Table::Keys, "pk = :revoked AND sk > :now", values).await?;
        items.iter().map(|item| Ok(Reader(item).string("jti")?.to_owned())).collect()
    }

    /// Ends one token and all that was made or exchanged with it, and tells the feed; one that was ended before stays so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether it is ended is then unknown, and the call may be
    /// repeated.
    pub async fn revoked_add(&self, ending: Ending<'_>, act: &Act) -> Result<TokenEnd, StoreError> {
        let Ending { client, token, ends, holder } = ending;
        let item = Writer::new(partition(client), place(ends, token))
            .with_string("jti", token)
            .with_time("ttl", ends.plus(AFTERLIFE))
            .done();
        let table = self.table(Table::Keys)?;
        let hour = act.at.unix().div_euclid(HOUR);
        let over = Timestamp::from_unix((hour + 1) * HOUR);
        let change = Change {
            client,
            act,
            actions: vec![put_new(table, item)?, count(table, count_key(client, holder, hour), over)?],
            feed: vec![(FeedKind::Token, format!("{client}/{token}"))],
            deeds: Vec::new(),
            replay: None,
        };
        match self.commit(change).await? {
            Committed::ConditionFailed(1) => Ok(TokenEnd::TooMany(over)),
            // It was ended before, and the feed has told: whoever has a token could fill the feed with it otherwise.
            Committed::Done | Committed::ConditionFailed(_) | Committed::AnsweredBefore => Ok(TokenEnd::Ended),
        }
    }
}

/// Counts one more, where there are not too many.
fn count(table: &str, key: Attributes, over: Timestamp) -> Result<TransactWriteItem, StoreError> {
    let update = Update::builder()
        .table_name(table)
        .set_key(Some(key))
        .update_expression("SET #ttl = :ttl ADD #ended :one")
        .condition_expression("attribute_not_exists(pk) OR #ended < :most")
        .expression_attribute_names("#ttl", "ttl")
        .expression_attribute_names("#ended", "ended")
        .expression_attribute_values(":ttl", number(over.plus(AFTERLIFE).unix()))
        .expression_attribute_values(":one", number(1))
        .expression_attribute_values(":most", number(ENDS_PER_HOUR))
        .build()
        .map_err(StoreError::unavailable)?;
    Ok(TransactWriteItem::builder().update(update).build())
}
