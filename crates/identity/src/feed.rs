//! Following the change feed.
//!
//! A cache is only as good as the last read of the feed. Every request asks [`Feed::refresh`] first; the one that finds
//! the last read older than the interval reads what follows, strongly. Age counts from when that read was sent, by the
//! larger of both clocks; a wall clock that went back means that nothing is known. No clock orders the entries: their
//! dense numbers do. A number that is missing (cut off by expiry, or a head that went back after a restore) means an
//! empty cache, which is always right. A feed that can't be read is an error, never an old answer.

use std::time::Duration;

use domain::{FeedEntry, Moment, Sequence};
use store::feed::FeedSlice;
use store::{Store, StoreError};
use tokio::sync::Mutex;

use crate::caches::Caches;

/// How old the last read of the feed may be. A revocation is seen by every function within this time of the next call:
/// the promise is five seconds, and a second of it is left for the call itself.
pub const FEED_INTERVAL: Duration = Duration::from_secs(4);

/// What was read last, when that read was sent, and what it named.
struct Place {
    last: Sequence,
    sent: Moment,
    named: Named,
}

/// What a read of the feed has told to forget.
///
/// It is forgotten twice: at once, and again at the next read. A reader sees the items of a transaction one by one, the
/// entry perhaps a moment before the change that it tells of; what was filled again in that moment may be the old one.
enum Named {
    These(Vec<FeedEntry>),
    Everything,
}

pub(crate) struct Feed {
    /// Held over the read, so that requests that come at once cause one.
    place: Mutex<Option<Place>>,
}

impl Feed {
    pub(crate) fn new() -> Self {
        Self { place: Mutex::new(None) }
    }

    /// Whether it was read. Before that it may tell of anything already: what is cached before the first read is forgotten.
    pub(crate) async fn has_begun(&self) -> bool {
        self.place.lock().await.is_some()
    }

    /// Makes `caches` as fresh as the interval asks.
    pub(crate) async fn refresh(&self, store: &Store, caches: &Caches, now: Moment) -> Result<(), StoreError> {
        let mut place = self.place.lock().await;
        let (last, named) = match &*place {
            Some(place) if now.since(place.sent).is_some_and(|age| age < FEED_INTERVAL) => return Ok(()),
            Some(place) => {
                let slice = store.feed_after(place.last).await?;
                place.named.forget(caches);
                (slice.head, Named::by(slice, place.last))
            }
            // Before the first read everything that a record says may be told of already: begin with nothing.
            None => (store.feed_head().await?, Named::Everything),
        };
        named.forget(caches);
        *place = Some(Place { last, sent: now, named });
        Ok(())
    }
}

impl Named {
    /// What a slice that was asked for from behind `last` names: everything where something is missing.
    fn by(slice: FeedSlice, last: Sequence) -> Self {
        let mut expected = last;
        let dense = slice.entries.iter().all(|entry| {
            expected = expected.next();
            entry.sequence == expected
        });
        if dense && expected == slice.head { Self::These(slice.entries) } else { Self::Everything }
    }

    fn forget(&self, caches: &Caches) {
        match self {
            Self::These(entries) => {
                let understood = entries.iter().all(|entry| caches.drop_named(&entry.kind, &entry.id));
                if !understood {
                    caches.clear();
                }
            }
            Self::Everything => caches.clear(),
        }
    }
}
