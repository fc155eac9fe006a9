//! Following the change feed.
//!
//! A cache is only as good as the last read of the feed. Every request asks [`Feed::refresh`] first; the one that finds
//! the last read older than the interval reads what follows, strongly. Age counts from when that read was sent, by the
//! larger of both clocks; a wall clock that went back means that nothing is known. No clock orders the entries: their
//! dense numbers do. A number that is missing (cut off by expiry, or a head that went back after a restore) means an
//! empty cache, which is always right. A feed that can't be read is an error, never an old answer.

use std::time::Duration;

use domain::{Moment, Sequence};
use store::feed::FeedSlice;
use store::{Store, StoreError};
use tokio::sync::Mutex;

use crate::caches::Caches;

/// How old the last read of the feed may be. A revocation is seen by every function within this time of the next call:
/// the promise is five seconds, and a second of it is left for the call itself.
pub const FEED_INTERVAL: Duration = Duration::from_secs(4);

/// What was read last, and when that read was sent.
#[derive(Clone, Copy)]
struct Place {
    last: Sequence,
    sent: Moment,
}

pub(crate) struct Feed {
    /// Held over the read, so that requests that come at once cause one.
    place: Mutex<Option<Place>>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { place: Mutex::new(None) }
    }

    /// Makes `caches` as fresh as the interval asks.
    pub(crate) async fn refresh(&self, store: &Store, caches: &Caches, now: Moment) -> Result<(), StoreError> {
        let mut place = self.place.lock().await;
        let last = match *place {
            Some(Place { sent, last }) => match now.since(sent) {
                Some(age) if age < FEED_INTERVAL => return Ok(()),
                _ => Some(last),
            },
            None => None,
        };
        let head = if let Some(last) = last {
            apply(&store.feed_after(last).await?, last, caches)
        } else {
            // Before the first read everything that a record says may be told of already: begin with nothing.
            let head = store.feed_head().await?;
            caches.clear();
            head
        };
        *place = Some(Place { last: head, sent: now });
        Ok(())
    }
}

/// Drops what the entries name and gives the new last number.
fn apply(slice: &FeedSlice, last: Sequence, caches: &Caches) -> Sequence {
    let mut expected = last;
    let mut understood = true;
    for entry in &slice.entries {
        expected = expected.next();
        understood &= entry.sequence == expected && caches.drop_named(&entry.kind, &entry.id);
    }
    if !understood || expected != slice.head {
        caches.clear();
    }
    slice.head
}
