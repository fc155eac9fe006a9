//! Maps that forget what was used longest ago.

use std::hash::Hash;
use std::num::NonZeroUsize;

use lru::LruCache;

/// An empty one for so many. Its room grows with what is in it: a function that starts would pay for all of it otherwise.
pub(crate) fn bounded<K: Hash + Eq, V>(capacity: NonZeroUsize) -> LruCache<K, V> {
    let mut map = LruCache::unbounded();
    map.resize(capacity);
    map
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_are_kept_and_no_more() {
        let mut map = bounded(NonZeroUsize::new(3).unwrap());
        for key in 0..10 {
            map.put(key, ());
        }
        assert_eq!(map.iter().map(|(key, ())| *key).collect::<Vec<_>>(), [9, 8, 7]);
    }
}
