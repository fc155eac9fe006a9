//! What becomes of the keys, decided from what they were.

use crate::algorithm::Algorithm;
use crate::published_keys::PublishedKeys;
use crate::published_keys::state::{KeyState, MAX_PUBLISHED, PublishedKey};
use crate::time::Timestamp;

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
    pub(super) fn of(keys: &PublishedKeys) -> Self {
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

    pub(super) fn move_on(&mut self, now: Timestamp) {
        self.after.keys.retain(|_, key| !matches!(key.state, KeyState::Retiring(_)) || key.state.until() > now);
        let due = |key: &PublishedKey| matches!(key.state, KeyState::Pending(_)) && key.state.until() <= now;
        let due: Vec<Algorithm> = self.after.keys.values().filter(|key| due(key)).map(|key| key.algorithm).collect();
        for algorithm in due {
            self.activate_pending(algorithm, now);
        }
    }

    pub(super) fn active_since(&self, algorithm: Algorithm) -> Option<Timestamp> {
        self.after.keys.values().filter(|key| key.algorithm == algorithm).find_map(|key| match key.state {
            KeyState::Active(since) => Some(since),
            _ => None,
        })
    }

    pub(super) fn pending(&mut self, algorithm: Algorithm) -> Option<&mut PublishedKey> {
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

    pub(super) fn retire(&mut self, which: impl Fn(&PublishedKey) -> bool, now: Timestamp) {
        for key in self.after.keys.values_mut() {
            if which(key) && matches!(key.state, KeyState::Active(_)) {
                key.state = KeyState::Retiring(now);
            }
        }
    }

    /// Ends what signs with other algorithms. What only was to sign has no tokens that anybody would miss.
    pub(super) fn end_others(&mut self, preferred: Algorithm, now: Timestamp) {
        self.retire(|key| key.algorithm != preferred, now);
        self.after.keys.retain(|_, key| key.algorithm == preferred || !matches!(key.state, KeyState::Pending(_)));
    }

    pub(super) fn is_full(&self) -> bool {
        self.after.keys.len() >= MAX_PUBLISHED
    }

    pub(super) fn want_pending(&mut self, algorithm: Algorithm, now: Timestamp) {
        if self.wants.is_none() && self.pending(algorithm).is_none() {
            self.want(PublishedKey { algorithm, state: KeyState::Pending(now) });
        }
    }

    /// Where no key signs: the pending one does at once, or a new one.
    pub(super) fn need_active(&mut self, algorithm: Algorithm, now: Timestamp) {
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
