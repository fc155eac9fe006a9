//! The tokens that were ended one by one, as far as they would still count: a set for each client.
//!
//! 1. A client's are read once, where its first token is seen; from then on the feed names each that is added. What the feed
//!    names while the read is under way is kept beside what that brings.
//! 2. So whoever ends tokens in masses burdens those who take the same client's tokens, and no others.
//! 3. A set that has doubled since it was read is read anew, which leaves out those whose time is over: a read of so many for as
//!    many that were added, however many would still count.

use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{ClientId, Timestamp};
use lru::LruCache;
use store::{Store, StoreError};

use crate::bounded::bounded;

/// Of how many clients they are kept.
const CLIENTS: NonZeroUsize = NonZeroUsize::new(1_000).unwrap();
/// As many as this are kept in any case: about 1 MB.
const FEW: usize = 10_000;

pub(crate) struct Revoked {
    clients: Mutex<LruCache<ClientId, Arc<OfClient>>>,
    few: usize,
}

/// A client's.
#[derive(Default)]
pub(crate) struct OfClient {
    state: Mutex<State>,
    /// Held over the read, so that requests that come at once cause one.
    reading: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    tokens: HashSet<String>,
    /// How many there were when they were read. Before that they are not all there are.
    read: Option<usize>,
}

impl Revoked {
    pub(crate) fn new() -> Self {
        Self::keeping(CLIENTS, FEW)
    }

    fn keeping(clients: NonZeroUsize, few: usize) -> Self {
        Self { clients: Mutex::new(bounded(clients)), few }
    }

    /// A client's, from memory or by one strong read of them.
    pub(crate) async fn of_client(
        &self,
        store: &Store,
        client: &ClientId,
        now: Timestamp,
    ) -> Result<Arc<OfClient>, StoreError> {
        // It is here before it is read: the feed may name one in that moment.
        let ended = self.lock().get_or_insert(client.clone(), Arc::default).clone();
        ended.read(store, client, now).await?;
        Ok(ended)
    }

    /// Adds one that the feed names, where its client's are kept.
    pub(crate) fn add(&self, client: &ClientId, token: &str) {
        let mut clients = self.lock();
        let Some(ended) = clients.peek(client) else { return };
        // Whoever has this set in hand began before, and has the token in it all the same.
        let has_grown = ended.add(token, self.few);
        if has_grown {
            clients.pop(client);
        }
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<ClientId, Arc<OfClient>>> {
        // Nothing panics while it is held.
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl OfClient {
    /// Whether this token was ended.
    pub(crate) fn contains(&self, token: &str) -> bool {
        self.lock().tokens.contains(token)
    }

    /// Whether one of these was.
    pub(crate) fn contains_any<'a>(&self, mut tokens: impl Iterator<Item = &'a str>) -> bool {
        let state = self.lock();
        tokens.any(|token| state.tokens.contains(token))
    }

    async fn read(&self, store: &Store, client: &ClientId, now: Timestamp) -> Result<(), StoreError> {
        if self.lock().read.is_some() {
            return Ok(());
        }
        let _reading = self.reading.lock().await;
        if self.lock().read.is_some() {
            return Ok(());
        }
        let listed = store.revoked_list(client, now).await?;
        let mut state = self.lock();
        state.tokens.extend(listed);
        state.read = Some(state.tokens.len());
        Ok(())
    }

    /// Adds one; whether there are more than `few` by now, and twice as many as were read.
    fn add(&self, token: &str, few: usize) -> bool {
        let mut state = self.lock();
        state.tokens.insert(token.to_owned());
        state.read.is_some_and(|read| state.tokens.len() > few.max(2 * read))
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing panics while it is held.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use store::revoked::{Ending, TokenEnd};
    use testkit::{TestStore, act, now};

    use super::*;

    /// Ends a token in the store, and tells of it as the feed would.
    async fn end(test: &TestStore, revoked: &Revoked, client: &ClientId, token: &str, lives: i64) {
        let ending = Ending { client, token, ends: now().plus(lives), holder: "somebody" };
        assert_eq!(test.store.revoked_add(ending, &act()).await.unwrap(), TokenEnd::Ended);
        revoked.add(client, token);
    }

    /// How many reads it takes to know of a token that it was ended, or was not.
    async fn reads(test: &TestStore, revoked: &Revoked, client: &ClientId, token: &str, ended: bool) -> usize {
        test.faults.reset_counts();
        let of_client = revoked.of_client(&test.store, client, now()).await.unwrap();
        assert_eq!(of_client.contains(token), ended, "{token}");
        test.faults.counts().get("Query").copied().unwrap_or_default()
    }

    #[tokio::test]
    async fn many_that_still_count_are_read_again_when_they_have_doubled_and_not_before() {
        let test = TestStore::start().await;
        let (revoked, client) = (Revoked::keeping(CLIENTS, 10), ClientId::random());
        for place in 0..12 {
            end(&test, &revoked, &client, &place.to_string(), 900).await;
        }
        assert_eq!(reads(&test, &revoked, &client, "11", true).await, 1);
        for place in 12..24 {
            end(&test, &revoked, &client, &place.to_string(), 900).await;
            assert_eq!(reads(&test, &revoked, &client, &place.to_string(), true).await, 0, "{place}");
        }
        end(&test, &revoked, &client, "24", 900).await;
        assert_eq!(reads(&test, &revoked, &client, "24", true).await, 1);
        for place in 25..50 {
            end(&test, &revoked, &client, &place.to_string(), 900).await;
            assert_eq!(reads(&test, &revoked, &client, &place.to_string(), true).await, 0, "{place}");
        }
    }

    #[tokio::test]
    async fn a_read_leaves_out_those_whose_time_is_over() {
        let test = TestStore::start().await;
        let (revoked, client) = (Revoked::keeping(CLIENTS, 10), ClientId::random());
        assert_eq!(reads(&test, &revoked, &client, "over-0", false).await, 1);
        for place in 0..10 {
            end(&test, &revoked, &client, &format!("over-{place}"), -1).await;
        }
        assert_eq!(reads(&test, &revoked, &client, "over-0", true).await, 0);
        end(&test, &revoked, &client, "last", 900).await;
        assert_eq!(reads(&test, &revoked, &client, "last", true).await, 1);
        assert_eq!(reads(&test, &revoked, &client, "over-0", false).await, 0);
    }

    #[tokio::test]
    async fn what_one_client_ends_costs_another_nothing() {
        let test = TestStore::start().await;
        let (revoked, [own, other]) = (Revoked::keeping(CLIENTS, 10), [ClientId::random(), ClientId::random()]);
        end(&test, &revoked, &own, "own", 900).await;
        assert_eq!(reads(&test, &revoked, &own, "own", true).await, 1);
        for place in 0..40 {
            end(&test, &revoked, &other, &place.to_string(), 900).await;
            assert_eq!(reads(&test, &revoked, &own, "own", true).await, 0);
        }
        assert!(revoked.lock().peek(&other).is_none(), "nor is it kept where nobody has asked for it");
        assert_eq!(reads(&test, &revoked, &own, "39", false).await, 0);
        assert_eq!(reads(&test, &revoked, &other, "39", true).await, 1);
    }

    #[tokio::test]
    async fn those_of_the_clients_that_were_asked_for_last_are_kept() {
        let test = TestStore::start().await;
        let revoked = Revoked::keeping(NonZeroUsize::new(2).unwrap(), 10);
        let [first, second, third] = [0; 3].map(|_| ClientId::random());
        for client in [&first, &second, &first, &third] {
            reads(&test, &revoked, client, "none", false).await;
        }
        assert_eq!(reads(&test, &revoked, &first, "none", false).await, 0);
        assert_eq!(reads(&test, &revoked, &second, "none", false).await, 1, "gone for the third");
        revoked.clear();
        assert_eq!(reads(&test, &revoked, &second, "none", false).await, 1);
    }
}
