//! The life of signing keys.
//!
//! 1. **pending**: published and not signing, until every verifier that keeps the key set for a while must have it.
//! 2. **active**: signing. One key of an algorithm is, at most.
//! 3. **retiring**: published and not signing; its private half is deleted. The last token that it signed ends here.
//! 4. **gone**: published no more. A key that is withdrawn is gone at once, from whichever state.
//!
//! What is due is decided here and made by the store, in one transaction that holds only where nobody else was faster. So
//! it does not matter who decides, or how many at once.

mod state;
mod turn;

use std::collections::BTreeMap;

use crate::algorithm::Algorithm;
use crate::time::Timestamp;

pub use state::{
    ACTIVE_FOR, KeyState, MAX_PUBLISHED, PENDING_FOR, PublishedKey, RETIRING_FOR, SET_KEPT, SET_MAX_AGE, SIGNER_BOUND,
    UNKNOWN_KEY_COOLDOWN,
};
pub use turn::{Move, Turn};

/// All published keys, by their ids, as they were at one revision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PublishedKeys {
    keys: BTreeMap<String, PublishedKey>,
    /// Grows with every change; 0 before the first.
    pub revision: u64,
}

impl PublishedKeys {
    /// Keys that were stored.
    #[must_use]
    pub fn new(keys: BTreeMap<String, PublishedKey>, revision: u64) -> Self {
        Self { keys, revision }
    }

    /// All of them, by their ids.
    pub fn iter(&self) -> impl Iterator<Item = (&str, PublishedKey)> {
        self.keys.iter().map(|(kid, key)| (kid.as_str(), *key))
    }

    /// One of them.
    #[must_use]
    pub fn get(&self, kid: &str) -> Option<PublishedKey> {
        self.keys.get(kid).copied()
    }

    /// The key to sign with: that of `preferred`, or of another algorithm until that one has an active key.
    #[must_use]
    pub fn signing(&self, preferred: Algorithm) -> Option<(&str, Algorithm)> {
        let active = || self.iter().filter(|(_, key)| matches!(key.state, KeyState::Active(_)));
        let found = active().find(|(_, key)| key.algorithm == preferred).or_else(|| active().next());
        found.map(|(kid, key)| (kid, key.algorithm))
    }

    /// What is due: keys go on to their next states, and one of `preferred` is made in time to follow the one that signs.
    /// Keys of other algorithms end once it has one.
    #[must_use]
    pub fn due(&self, preferred: Algorithm, now: Timestamp) -> Turn {
        let mut turn = Turn::of(self);
        turn.move_on(now);
        if let Some(since) = turn.active_since(preferred) {
            turn.end_others(preferred, now);
            if since.plus(ACTIVE_FOR - PENDING_FOR) <= now {
                turn.want_pending(preferred, now);
            }
        } else if turn.after.signing(preferred).is_some() {
            turn.want_pending(preferred, now);
        } else {
            turn.need_active(preferred, now);
        }
        turn
    }

    /// What makes a key of `preferred` follow before its time: at once pending, and active when that is due. Where one is
    /// pending already, that is the one.
    #[must_use]
    pub fn rotated(&self, preferred: Algorithm, now: Timestamp) -> Turn {
        let mut turn = self.due(preferred, now);
        turn.want_pending(preferred, now);
        turn
    }

    /// What makes another key sign at once: for one that can't be opened any more. Tokens of the old one stay good, and
    /// verifiers elsewhere must look for the new one.
    #[must_use]
    pub fn replaced(&self, preferred: Algorithm, now: Timestamp) -> Turn {
        let mut turn = self.due(preferred, now);
        if turn.wants.is_none() && turn.pending(preferred).is_none() && turn.is_full() {
            turn.is_refused = true;
            return turn;
        }
        // What was pending, or was to be, signs now.
        turn.wants = None;
        turn.retire(|_| true, now);
        turn.need_active(preferred, now);
        turn
    }

    /// What takes a key out at once; `None` where no such key is published. Another one signs where none would.
    #[must_use]
    pub fn withdrawn(&self, kid: &str, preferred: Algorithm, now: Timestamp) -> Option<Turn> {
        let mut turn = Turn::of(self);
        turn.after.keys.remove(kid)?;
        turn.withdrawn = Some(kid.to_owned());
        if turn.after.signing(preferred).is_none() {
            turn.need_active(preferred, now);
        }
        Some(turn)
    }

    /// What gives a deployment its first key; `None` where some key signs.
    #[must_use]
    pub fn first(&self, preferred: Algorithm, now: Timestamp) -> Option<Turn> {
        if self.signing(preferred).is_some() {
            return None;
        }
        let mut turn = Turn::of(self);
        turn.need_active(preferred, now);
        Some(turn)
    }
}

#[cfg(test)]
mod tests {
    use super::state::{CLOCKS_APART, KEPT_ELSEWHERE, LEEWAY, seconds};
    use super::*;
    use crate::claims::MAX_TOKEN_LIFETIME;
    use Algorithm::{EdDsa, Es256, Rs256};

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + seconds)
    }

    /// Makes the turn, with a new key of the next name where it wants one.
    fn made(turn: Turn) -> PublishedKeys {
        let name = format!("k{}", turn.after.revision);
        turn.with(&name).after
    }

    fn states(keys: &PublishedKeys) -> Vec<String> {
        keys.iter().map(|(kid, key)| format!("{kid} {} {}", key.algorithm, key.state.name())).collect()
    }

    #[test]
    fn a_key_goes_through_its_whole_life() {
        let mut keys = made(PublishedKeys::default().due(Es256, at(0)));
        assert_eq!(states(&keys), ["k1 ES256 active"], "the very first signs at once");
        assert!(!keys.due(Es256, at(ACTIVE_FOR - PENDING_FOR - 1)).changes());
        keys = made(keys.due(Es256, at(ACTIVE_FOR - PENDING_FOR)));
        assert_eq!(states(&keys), ["k1 ES256 active", "k2 ES256 pending"]);
        assert!(!keys.due(Es256, at(ACTIVE_FOR - 1)).changes());
        keys = made(keys.due(Es256, at(ACTIVE_FOR)));
        assert_eq!(states(&keys), ["k1 ES256 retiring", "k2 ES256 active"]);
        assert!(!keys.due(Es256, at(ACTIVE_FOR + RETIRING_FOR - 1)).changes());
        let turn = keys.due(Es256, at(ACTIVE_FOR + RETIRING_FOR));
        assert_eq!(turn.moves(), [("k1", Move::Gone)]);
        assert_eq!(states(&made(turn)), ["k2 ES256 active"]);
    }

    #[test]
    fn a_run_that_comes_late_makes_up_for_it_in_turns_that_refuse_no_token() {
        let mut keys = made(PublishedKeys::default().due(Es256, at(0)));
        let late = 10 * ACTIVE_FOR;
        keys = made(keys.due(Es256, at(late)));
        assert_eq!(states(&keys), ["k1 ES256 active", "k2 ES256 pending"], "not before it was published");
        keys = made(keys.due(Es256, at(late + PENDING_FOR)));
        assert_eq!(states(&keys), ["k1 ES256 retiring", "k2 ES256 active"]);
    }

    #[test]
    fn a_rotation_asked_for_twice_makes_one_key() {
        let first = made(PublishedKeys::default().due(Es256, at(0)));
        let keys = made(first.rotated(Es256, at(10)));
        assert_eq!(states(&keys), ["k1 ES256 active", "k2 ES256 pending"]);
        assert!(!keys.rotated(Es256, at(20)).changes());
    }

    #[test]
    fn another_algorithm_is_published_before_it_signs() {
        let mut keys = made(PublishedKeys::default().due(Es256, at(0)));
        assert_eq!(keys.first(EdDsa, at(5)), None);
        keys = made(keys.due(EdDsa, at(10)));
        assert_eq!(keys.signing(EdDsa), Some(("k1", Es256)), "the old one goes on signing");
        assert!(!keys.due(EdDsa, at(10 + PENDING_FOR - 1)).changes());
        keys = made(keys.due(EdDsa, at(10 + PENDING_FOR)));
        assert_eq!(states(&keys), ["k1 ES256 retiring", "k2 EdDSA active"]);
        assert_eq!(keys.signing(Es256), Some(("k2", EdDsa)), "for a function that still prefers the old one");
    }

    #[test]
    fn a_change_of_mind_leaves_nothing_behind() {
        let first = made(PublishedKeys::default().due(Es256, at(0)));
        let keys = made(made(first.due(EdDsa, at(10))).due(Es256, at(20)));
        assert_eq!(states(&keys), ["k1 ES256 active"]);
    }

    #[test]
    fn a_withdrawn_key_is_followed_at_once_by_the_pending_or_a_new_one() {
        let first = made(PublishedKeys::default().due(Es256, at(0)));
        let turn = first.withdrawn("k1", Es256, at(10)).unwrap().with("new");
        assert_eq!(turn.moves(), [("k1", Move::Withdrawn), ("new", Move::Published), ("new", Move::Activated)]);
        let rotating = made(first.rotated(Es256, at(10)));
        let turn = rotating.withdrawn("k1", Es256, at(20)).unwrap();
        assert_eq!(turn.moves(), [("k1", Move::Withdrawn), ("k2", Move::Activated)]);
        let turn = rotating.withdrawn("k2", Es256, at(20)).unwrap();
        assert_eq!((turn.wants, states(&turn.after)), (None, vec!["k1 ES256 active".to_owned()]));
        assert_eq!(rotating.withdrawn("k3", Es256, at(20)), None);
        // While the algorithm is being changed, the one that is preferred takes over.
        let changing = made(first.due(EdDsa, at(10)));
        assert_eq!(states(&made(changing.withdrawn("k1", EdDsa, at(20)).unwrap())), ["k2 EdDSA active"]);
    }

    #[test]
    fn a_replaced_key_is_followed_at_once_and_its_tokens_stay_good() {
        let first = made(PublishedKeys::default().due(Es256, at(0)));
        assert_eq!(states(&made(first.replaced(Es256, at(10)))), ["k1 ES256 retiring", "k2 ES256 active"]);
        let rotating = made(first.rotated(Es256, at(10)));
        assert_eq!(states(&made(rotating.replaced(Es256, at(20)))), ["k1 ES256 retiring", "k2 ES256 active"]);
        assert_eq!(states(&made(first.replaced(Rs256, at(10)))), ["k1 ES256 retiring", "k2 RS256 active"]);
    }

    #[test]
    fn no_more_than_ten_are_published() {
        let mut keys = made(PublishedKeys::default().due(Es256, at(0)));
        for second in 1..MAX_PUBLISHED {
            keys = made(keys.replaced(Es256, at(i64::try_from(second).unwrap())));
        }
        assert_eq!(keys.iter().count(), MAX_PUBLISHED);
        for turn in [keys.replaced(Es256, at(20)), keys.rotated(Es256, at(20)), keys.due(EdDsa, at(20))] {
            assert!(turn.is_refused && !turn.changes(), "{turn:?}");
        }
        let (signing, _) = keys.signing(Es256).unwrap();
        let withdrawn = made(keys.withdrawn(signing, Es256, at(20)).unwrap());
        assert_eq!(withdrawn.iter().count(), MAX_PUBLISHED, "whoever goes makes room");
        assert!(withdrawn.signing(Es256).is_some());
        assert!(!keys.rotated(Es256, at(1 + RETIRING_FOR)).is_refused, "the first of them are gone by then");
    }

    /// When each thing has happened to a key, in true time.
    #[derive(Clone, Copy, Debug, Default)]
    struct Life {
        published: i64,
        activated: Option<i64>,
        retired: Option<i64>,
    }

    /// What passes between two runs: mostly minutes, so that each end is met closely, and at times days.
    fn gap() -> impl proptest::strategy::Strategy<Value = i64> {
        proptest::prop_oneof![20 => 60..600_i64, 1 => 600..3_000_000_i64]
    }

    proptest::proptest! {
        /// Whoever runs whenever, and whatever the clocks say: each key is published before it signs for as long as anybody
        /// may keep an older set, and after it has signed for as long as any of its tokens may count.
        #[test]
        fn no_verifier_lacks_the_key_of_a_token_that_counts(
            runs in proptest::collection::vec((gap(), -300..=300_i64, 0..20_u8), 1..120),
        ) {
            let kept = seconds(KEPT_ELSEWHERE) + seconds(SET_MAX_AGE) + seconds(SET_KEPT) + seconds(UNKNOWN_KEY_COOLDOWN);
            let counts = seconds(SIGNER_BOUND) + MAX_TOKEN_LIFETIME + seconds(LEEWAY) + seconds(CLOCKS_APART);
            let (mut keys, mut preferred, mut time) = (PublishedKeys::default(), Es256, 0);
            let mut lives = BTreeMap::<String, Life>::new();
            for (passed, clock_error, what) in runs {
                time += passed;
                let now = at(time + clock_error);
                let turn = match what {
                    0 | 1 => keys.rotated(preferred, now),
                    2 => {
                        preferred = Algorithm::ALL[usize::try_from(passed % 3).unwrap()];
                        keys.due(preferred, now)
                    }
                    _ => keys.due(preferred, now),
                };
                let turn = turn.clone().with(&format!("k{time}"));
                for (kid, step) in turn.moves() {
                    let life = lives.entry(kid.to_owned()).or_default();
                    match step {
                        Move::Published => life.published = time,
                        Move::Activated => {
                            let first = lives.len() == 1;
                            let life = lives.get_mut(kid).unwrap();
                            life.activated = Some(time);
                            proptest::prop_assert!(first || time - life.published >= kept, "{kid}: {life:?}");
                        }
                        Move::Retired => life.retired = Some(time),
                        Move::Gone => match (life.activated, life.retired) {
                            (Some(_), Some(retired)) => proptest::prop_assert!(time - retired >= counts, "{kid}"),
                            (None, None) => {}
                            other => proptest::prop_assert!(false, "{kid}: {other:?}"),
                        },
                        Move::Withdrawn => proptest::prop_assert!(false, "nobody has asked for that"),
                    }
                }
                keys = turn.after;
                let active = |algorithm| {
                    keys.iter().filter(|(_, key)| key.algorithm == algorithm && matches!(key.state, KeyState::Active(_))).count()
                };
                proptest::prop_assert!(Algorithm::ALL.into_iter().all(|algorithm| active(algorithm) <= 1));
                proptest::prop_assert!(keys.signing(preferred).is_some());
                proptest::prop_assert!(keys.iter().count() <= MAX_PUBLISHED);
            }
        }
    }
}
