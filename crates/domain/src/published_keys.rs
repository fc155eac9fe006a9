//! The life of signing keys.
//!
//! 1. **pending**: published and not signing, until every verifier that keeps the key set for a while must have it.
//! 2. **active**: signing. One key of an algorithm is, at most.
//! 3. **retiring**: published and not signing; its private half is deleted. The last token that it signed ends here.
//! 4. **gone**: published no more. A key that is withdrawn is gone at once, from whichever state.
//!
//! What is due is decided here and made by the store, in one transaction that holds only where nobody else was faster. So
//! it does not matter who decides, or how many at once.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::algorithm::Algorithm;
use crate::claims::MAX_TOKEN_LIFETIME;
use crate::time::Timestamp;

/// How long a reader of the key set may keep it, as its `Cache-Control` says.
pub const SET_MAX_AGE: Duration = Duration::from_mins(5);
/// How long an instance of `jwks` answers from memory.
pub const SET_KEPT: Duration = Duration::from_secs(4);
/// How long one of our own verifiers that has just read the keys looks no further for one that is not there.
pub const UNKNOWN_KEY_COOLDOWN: Duration = Duration::from_secs(10);
/// How long a signing function may go on with a key after it has last seen it active. It looks far more often; this is
/// for a store or a KMS that is away.
pub const SIGNER_BOUND: Duration = Duration::from_mins(10);

/// How long other people's verifiers keep a key set, whatever it says: API Gateway's and others keep it for two hours.
const KEPT_ELSEWHERE: Duration = Duration::from_hours(2);
/// What two clocks may differ by, each being five minutes wrong.
const CLOCKS_APART: Duration = Duration::from_mins(10);
/// What verifiers may grant beyond a token's end.
const LEEWAY: Duration = Duration::from_secs(5);

/// How long a key is published before it signs, in seconds.
pub const PENDING_FOR: i64 = seconds(KEPT_ELSEWHERE)
    + seconds(SET_MAX_AGE)
    + seconds(SET_KEPT)
    + seconds(UNKNOWN_KEY_COOLDOWN)
    + seconds(CLOCKS_APART);
/// How long a key stays published after it has signed, in seconds: from the clock that retires it to the clock that signs,
/// and from that one to the clock that verifies.
pub const RETIRING_FOR: i64 = seconds(SIGNER_BOUND) + MAX_TOKEN_LIFETIME + seconds(LEEWAY) + 2 * seconds(CLOCKS_APART);
/// How long a key signs, in seconds.
pub const ACTIVE_FOR: i64 = 30 * 24 * 3600;
/// How many keys a load balancer reads of a set.
pub const MAX_PUBLISHED: usize = 10;

#[expect(clippy::cast_possible_wrap, reason = "hours, in seconds")]
const fn seconds(duration: Duration) -> i64 {
    duration.as_secs() as i64
}

/// Where a key is in its life, and since when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyState {
    /// Published, not signing yet.
    Pending(Timestamp),
    /// Signing.
    Active(Timestamp),
    /// Published, not signing any more.
    Retiring(Timestamp),
}

impl KeyState {
    /// The state's name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending(_) => "pending",
            Self::Active(_) => "active",
            Self::Retiring(_) => "retiring",
        }
    }

    /// The state of this name.
    #[must_use]
    pub fn parse(name: &str, since: Timestamp) -> Option<Self> {
        match name {
            "pending" => Some(Self::Pending(since)),
            "active" => Some(Self::Active(since)),
            "retiring" => Some(Self::Retiring(since)),
            _ => None,
        }
    }

    /// When it began.
    #[must_use]
    pub fn since(self) -> Timestamp {
        let (Self::Pending(since) | Self::Active(since) | Self::Retiring(since)) = self;
        since
    }

    /// When the next one is due.
    #[must_use]
    pub fn until(self) -> Timestamp {
        match self {
            Self::Pending(since) => since.plus(PENDING_FOR),
            Self::Active(since) => since.plus(ACTIVE_FOR),
            Self::Retiring(since) => since.plus(RETIRING_FOR),
        }
    }
}

/// A published key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedKey {
    /// What it signs with.
    pub algorithm: Algorithm,
    /// Where it is in its life.
    pub state: KeyState,
}

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

/// What becomes of the keys: decided, not made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    /// As they were.
    pub before: PublishedKeys,
    /// As they become, once what is wanted is there ([`Turn::with`]).
    pub after: PublishedKeys,
    /// The key that must be made for it.
    pub wants: Option<PublishedKey>,
    /// The key that was withdrawn.
    pub withdrawn: Option<String>,
    /// A key would have been wanted, and there are [`MAX_PUBLISHED`] already.
    pub is_refused: bool,
}

/// What has become of one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Move {
    /// It is new.
    Published,
    /// It signs.
    Activated,
    /// It signs no more.
    Retired,
    /// It is published no more.
    Gone,
    /// The same, before its time.
    Withdrawn,
}

impl Turn {
    fn of(keys: &PublishedKeys) -> Self {
        let after = PublishedKeys { keys: keys.keys.clone(), revision: keys.revision + 1 };
        Self { before: keys.clone(), after, wants: None, withdrawn: None, is_refused: false }
    }

    /// The same, with the wanted key, which was made and has this id.
    #[must_use]
    pub fn with(mut self, kid: &str) -> Self {
        if let Some(key) = self.wants.take() {
            self.after.keys.insert(kid.to_owned(), key);
        }
        self
    }

    /// Whether there is anything to do.
    #[must_use]
    pub fn changes(&self) -> bool {
        self.wants.is_some() || self.before.keys != self.after.keys
    }

    /// What becomes of each key.
    #[must_use]
    pub fn moves(&self) -> Vec<(&str, Move)> {
        let mut moves = Vec::new();
        for (kid, before) in &self.before.keys {
            let kid = kid.as_str();
            match (before.state, self.after.get(kid).map(|key| key.state)) {
                (_, None) if self.withdrawn.as_deref() == Some(kid) => moves.push((kid, Move::Withdrawn)),
                (_, None) => moves.push((kid, Move::Gone)),
                (KeyState::Pending(_), Some(KeyState::Active(_))) => moves.push((kid, Move::Activated)),
                (KeyState::Active(_), Some(KeyState::Retiring(_))) => moves.push((kid, Move::Retired)),
                _ => {}
            }
        }
        for (kid, key) in self.after.iter().filter(|(kid, _)| self.before.get(kid).is_none()) {
            moves.push((kid, Move::Published));
            if matches!(key.state, KeyState::Active(_)) {
                moves.push((kid, Move::Activated));
            }
        }
        moves
    }

    fn move_on(&mut self, now: Timestamp) {
        self.after.keys.retain(|_, key| !matches!(key.state, KeyState::Retiring(_)) || key.state.until() > now);
        let due = |key: &PublishedKey| matches!(key.state, KeyState::Pending(_)) && key.state.until() <= now;
        let due: Vec<Algorithm> = self.after.keys.values().filter(|key| due(key)).map(|key| key.algorithm).collect();
        for algorithm in due {
            self.activate_pending(algorithm, now);
        }
    }

    fn active_since(&self, algorithm: Algorithm) -> Option<Timestamp> {
        self.after.keys.values().filter(|key| key.algorithm == algorithm).find_map(|key| match key.state {
            KeyState::Active(since) => Some(since),
            _ => None,
        })
    }

    fn pending(&mut self, algorithm: Algorithm) -> Option<&mut PublishedKey> {
        let is_pending =
            |key: &&mut PublishedKey| key.algorithm == algorithm && matches!(key.state, KeyState::Pending(_));
        self.after.keys.values_mut().find(is_pending)
    }

    /// Makes the pending key of an algorithm the one that signs; `false` where there is none.
    fn activate_pending(&mut self, algorithm: Algorithm, now: Timestamp) -> bool {
        if self.pending(algorithm).is_none() {
            return false;
        }
        self.retire(|key| key.algorithm == algorithm, now);
        if let Some(key) = self.pending(algorithm) {
            key.state = KeyState::Active(now);
        }
        true
    }

    fn retire(&mut self, which: impl Fn(&PublishedKey) -> bool, now: Timestamp) {
        for key in self.after.keys.values_mut() {
            if which(key) && matches!(key.state, KeyState::Active(_)) {
                key.state = KeyState::Retiring(now);
            }
        }
    }

    /// Ends what signs with other algorithms. What only was to sign has no tokens that anybody would miss.
    fn end_others(&mut self, preferred: Algorithm, now: Timestamp) {
        self.retire(|key| key.algorithm != preferred, now);
        self.after.keys.retain(|_, key| key.algorithm == preferred || !matches!(key.state, KeyState::Pending(_)));
    }

    fn is_full(&self) -> bool {
        self.after.keys.len() >= MAX_PUBLISHED
    }

    fn want_pending(&mut self, algorithm: Algorithm, now: Timestamp) {
        if self.wants.is_none() && self.pending(algorithm).is_none() {
            self.want(PublishedKey { algorithm, state: KeyState::Pending(now) });
        }
    }

    /// Where no key signs: the pending one does at once, or a new one.
    fn need_active(&mut self, algorithm: Algorithm, now: Timestamp) {
        if !self.activate_pending(algorithm, now) {
            self.want(PublishedKey { algorithm, state: KeyState::Active(now) });
        }
    }

    fn want(&mut self, key: PublishedKey) {
        if self.is_full() {
            self.is_refused = true;
        } else {
            self.wants = Some(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
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
