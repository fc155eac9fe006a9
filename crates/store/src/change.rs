//! Changes: what is written, what the feed tells of it, and what the audit log keeps, all or none.
//!
//! 1. The head of the feed and the head of the client's chain are read strongly, side by side.
//! 2. One transaction makes the change, appends to both, and keeps the answer for a caller who may ask again.
//! 3. Where another was faster at either head the whole transaction is off; it waits a little and begins anew.

use aws_sdk_dynamodb::types::TransactWriteItem;
use domain::{Act, ClientId, Deed, FeedKind};

use crate::calls::{Cancelled, cancelled};
use crate::replay::Replay;
use crate::retry::{CHANGE_ATTEMPTS, back_off_far};
use crate::{Store, StoreError};

/// A change of what belongs to one client.
pub(crate) struct Change<'a> {
    /// Whose chain it stands in.
    pub(crate) client: &'a ClientId,
    /// Who makes it.
    pub(crate) act: &'a Act,
    /// What is written; the conditions are the caller's.
    pub(crate) actions: Vec<TransactWriteItem>,
    /// What functions that cache it must drop.
    pub(crate) feed: Vec<(FeedKind, String)>,
    /// What the audit log says of it; nothing where it is noted elsewhere.
    pub(crate) deeds: Vec<Deed>,
    /// The answer to give to whoever asks for the same again.
    pub(crate) replay: Option<&'a Replay>,
}

/// How a change went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Committed {
    /// It is made.
    Done,
    /// The condition of the action at this place (from 0) did not hold, and nothing is made.
    ConditionFailed(usize),
    /// The same was asked for before, and is answered already; nothing is made now.
    AnsweredBefore,
}

impl Store {
    /// Makes a change.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: after the first whether it is made is unknown.
    pub(crate) async fn commit(&self, change: Change<'_>) -> Result<Committed, StoreError> {
        // Boxed: it is the largest future of all, and would be part of each that waits for it.
        Box::pin(self.commit_in_turn(change)).await
    }

    async fn commit_in_turn(&self, change: Change<'_>) -> Result<Committed, StoreError> {
        let own = change.actions.len();
        for attempt in 0..CHANGE_ATTEMPTS {
            let mut actions = change.actions.clone();
            if let Some(replay) = change.replay {
                actions.push(self.replay_put(change.client, replay, change.act.at)?);
            }
            let feed = async { if change.feed.is_empty() { Ok(None) } else { self.feed_head().await.map(Some) } };
            let chain = async {
                if change.deeds.is_empty() { Ok(None) } else { self.chain_head(change.client).await.map(Some) }
            };
            let (feed, chain) = tokio::join!(feed, chain);
            if let Some(head) = feed? {
                actions.extend(self.feed_append(head, &change.feed, change.act.at)?);
            }
            if let Some(head) = chain? {
                actions.extend(self.chain_append(change.client, head.as_ref(), change.act, &change.deeds)?);
            }
            let sent = aws::boxed(self.client.transact_write_items().set_transact_items(Some(actions)).send()).await;
            let Err(error) = sent else { return Ok(Committed::Done) };
            match cancelled(error.as_service_error()) {
                Some(Cancelled::Conditions(places)) => {
                    // The caller's own conditions stand first; behind them the answer, then both heads.
                    if change.replay.is_some() && places.contains(&own) {
                        return Ok(Committed::AnsweredBefore);
                    }
                    match places.first() {
                        Some(&place) if place < own => return Ok(Committed::ConditionFailed(place)),
                        _ => back_off_far(attempt).await,
                    }
                }
                Some(Cancelled::Conflict) => back_off_far(attempt).await,
                None => return Err(StoreError::unavailable(error)),
            }
        }
        Err(StoreError::Contended)
    }
}
