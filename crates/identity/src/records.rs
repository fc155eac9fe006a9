//! Key records, cached: bounded, and dropped when the feed names them.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{KeyId, KeyRecord};
use lru::LruCache;
use store::{Store, StoreError};

/// About 1 KB each.
const CAPACITY: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

pub(crate) struct Records {
    cache: Mutex<Cache>,
}

struct Cache {
    records: LruCache<KeyId, Arc<KeyRecord>>,
    /// Grows whenever anything is dropped: a fill that began before must not be kept.
    generation: u64,
}

impl Records {
    pub(crate) fn new() -> Self {
        Self { cache: Mutex::new(Cache { records: LruCache::new(CAPACITY), generation: 0 }) }
    }

    /// The record of `id`, from the cache or by one strong read. Unknown ids are not kept.
    pub(crate) async fn get(&self, store: &Store, id: &KeyId) -> Result<Option<Arc<KeyRecord>>, StoreError> {
        let generation = {
            let mut cache = self.lock();
            if let Some(record) = cache.records.get(id) {
                return Ok(Some(record.clone()));
            }
            cache.generation
        };
        let Some(record) = store.key_by_id(id).await?.map(Arc::new) else { return Ok(None) };
        let mut cache = self.lock();
        // What was read may be older than what the feed said meanwhile; this request began before that and may use
        // it, the next one may not.
        if cache.generation == generation {
            cache.records.put(id.clone(), record.clone());
        }
        Ok(Some(record))
    }

    /// Forgets some records, and every fill that is under way.
    pub(crate) fn drop_all_of<'a>(&self, ids: impl IntoIterator<Item = &'a KeyId>) {
        let mut cache = self.lock();
        for id in ids {
            cache.records.pop(id);
            cache.generation += 1;
        }
    }

    /// Forgets everything, and every fill that is under way.
    pub(crate) fn clear(&self) {
        let mut cache = self.lock();
        cache.records.clear();
        cache.generation += 1;
    }

    fn lock(&self) -> MutexGuard<'_, Cache> {
        // Nothing panics while it is held, and a cache is right in every state that it can be left in.
        self.cache.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
