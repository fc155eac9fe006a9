//! Records, cached: bounded, and dropped when the feed names them.

use std::future::Future;
use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use lru::LruCache;
use store::StoreError;

use crate::bounded::bounded;

/// About 1 KB each.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

pub(crate) struct Records<K, V> {
    cache: Mutex<Cache<K, V>>,
}

struct Cache<K, V> {
    records: LruCache<K, Arc<V>>,
    /// Grows whenever anything is dropped: a fill that began before must not be kept.
    generation: u64,
}

/// A record, and whether it cost a read.
pub(crate) struct Found<V> {
    pub(crate) record: Arc<V>,
    pub(crate) was_cached: bool,
}

impl<K: Hash + Eq + Clone, V> Records<K, V> {
    pub(crate) fn new() -> Self {
        Self::with_capacity(CAPACITY)
    }

    /// For what there is only one of.
    pub(crate) fn of_one() -> Self {
        Self::with_capacity(NonZeroUsize::MIN)
    }

    fn with_capacity(capacity: NonZeroUsize) -> Self {
        Self { cache: Mutex::new(Cache { records: bounded(capacity), generation: 0 }) }
    }

    /// The record of `id`, from the cache or by `read`, which must be strong. Unknown ids are not kept.
    pub(crate) async fn get(
        &self,
        id: &K,
        read: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<Found<V>>, StoreError> {
        let generation = {
            let mut cache = self.lock();
            if let Some(record) = cache.records.get(id) {
                return Ok(Some(Found { record: record.clone(), was_cached: true }));
            }
            cache.generation
        };
        let Some(record) = read.await?.map(Arc::new) else { return Ok(None) };
        let mut cache = self.lock();
        // What was read may be older than what the feed said meanwhile; this request began before that and may use
        // it, the next one may not.
        if cache.generation == generation {
            cache.records.put(id.clone(), record.clone());
        }
        Ok(Some(Found { record, was_cached: false }))
    }

    /// The record of `id` by `read`, which must be strong, whatever the cache has of it; the cache has this one then.
    pub(crate) async fn get_anew(
        &self,
        id: &K,
        read: impl Future<Output = Result<Option<V>, StoreError>>,
    ) -> Result<Option<Arc<V>>, StoreError> {
        let generation = self.lock().generation;
        let read = read.await?.map(Arc::new);
        let mut cache = self.lock();
        if cache.generation == generation {
            match &read {
                Some(record) => drop(cache.records.put(id.clone(), record.clone())),
                None => drop(cache.records.pop(id)),
            }
        }
        Ok(read)
    }

    /// Forgets a record, and every fill that is under way.
    pub(crate) fn drop_one(&self, id: &K) {
        let mut cache = self.lock();
        cache.records.pop(id);
        cache.generation += 1;
    }

    /// Forgets everything, and every fill that is under way.
    pub(crate) fn clear(&self) {
        let mut cache = self.lock();
        cache.records.clear();
        cache.generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Cache<K, V>> {
        // Nothing panics while it is held, and a cache is right in every state that it can be left in.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
