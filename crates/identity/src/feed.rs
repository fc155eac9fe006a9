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

/// What is promised where nothing else is set: what a change takes away counts nowhere in a call that begins this long after
/// it.
pub const DEFAULT_BOUND: Duration = Duration::from_secs(5);

/// What of the bound is left for the call itself.
const CALL: Duration = Duration::from_secs(1);

/// How old the last read of the feed may be under [`DEFAULT_BOUND`].
pub const FEED_INTERVAL: Duration = interval(DEFAULT_BOUND);

/// How old the last read of the feed may be where `bound` is promised.
const fn interval(bound: Duration) -> Duration {
    bound.saturating_sub(CALL)
}

/// The metric that counts calls which were refused since the feed could not be read.
const STALE: &str = "FeedUnreadable";

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
    /// How old the last read may be.
    interval: Duration,
}

impl Feed {
    /// Not read yet; what it says counts within `bound`.
    pub(crate) fn new(bound: Duration) -> Self {
        Self { place: Mutex::new(None), interval: interval(bound) }
    }

    /// Whether it was read. Before that it may tell of anything already: what is cached before the first read is forgotten.
    pub(crate) async fn has_begun(&self) -> bool {
        self.place.lock().await.is_some()
    }

    /// Makes `caches` as fresh as the interval asks. Where that can't be done, the log and a metric tell of it.
    pub(crate) async fn refresh(&self, store: &Store, caches: &Caches, now: Moment) -> Result<(), StoreError> {
        let mut place = self.place.lock().await;
        if place.as_ref().is_some_and(|place| now.since(place.sent).is_some_and(|age| age < self.interval)) {
            return Ok(());
        }
        self.advance(&mut place, store, caches, now).await
    }

    /// Makes `caches` as fresh as this moment.
    pub(crate) async fn catch_up(&self, store: &Store, caches: &Caches, now: Moment) -> Result<(), StoreError> {
        let mut place = self.place.lock().await;
        self.advance(&mut place, store, caches, now).await
    }

    async fn advance(
        &self,
        place: &mut Option<Place>,
        store: &Store,
        caches: &Caches,
        now: Moment,
    ) -> Result<(), StoreError> {
        let (last, named) = Self::read(place.as_ref(), store, caches).await.inspect_err(|error| {
            let age = place.as_ref().and_then(|place| now.since(place.sent)).map(|age| age.as_secs());
            tracing::error!(metric = STALE, age, %error, "the change feed can't be read; the call is refused");
        })?;
        named.forget(caches);
        *place = Some(Place { last, sent: now, named });
        Ok(())
    }

    /// The number of the last entry, and what stands between it and `place`.
    async fn read(place: Option<&Place>, store: &Store, caches: &Caches) -> Result<(Sequence, Named), StoreError> {
        let Some(place) = place else {
            // Before the first read everything that a record says may be told of already: begin with nothing.
            return Ok((store.feed_head().await?, Named::Everything));
        };
        let slice = store.feed_after(place.last).await?;
        place.named.forget(caches);
        Ok((slice.head, Named::by(slice, place.last)))
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

#[cfg(test)]
mod tests {
    use domain::FeedKind;

    use super::*;

    fn slice(numbers: &[u64], head: u64) -> FeedSlice {
        let entry = |number: &u64| FeedEntry { sequence: Sequence(*number), kind: FeedKind::Key, id: String::new() };
        FeedSlice { entries: numbers.iter().map(entry).collect(), head: Sequence(head) }
    }

    #[test]
    fn whatever_is_missing_is_everything() {
        let named = |numbers: &[u64], head| match Named::by(slice(numbers, head), Sequence(7)) {
            Named::These(entries) => Some(entries.len()),
            Named::Everything => None,
        };
        assert_eq!(named(&[], 7), Some(0));
        assert_eq!(named(&[8, 9], 9), Some(2));
        for (numbers, head, why) in [
            (&[8, 10][..], 10, "a gap"),
            (&[9, 10], 10, "the first is cut off"),
            (&[8], 9, "the last is missing"),
            (&[], 9, "all have expired"),
            (&[8, 9], 8, "a head that is behind"),
            (&[], 3, "a head that went back"),
            (&[], 0, "no head at all"),
            (&[8, 8, 9], 9, "one twice"),
        ] {
            assert_eq!(named(numbers, head), None, "{why}");
        }
    }
}
