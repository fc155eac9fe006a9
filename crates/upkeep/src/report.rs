//! What a run has done, and what is there now: the function's answer.

use domain::{Move, PublishedKeys, Timestamp, Turn};
use serde::Serialize;

/// What has become of the signing keys.
#[derive(Debug, Serialize)]
pub struct Report {
    /// What was done.
    pub moves: Vec<Moved>,
    /// All keys that are published now.
    pub keys: Vec<Key>,
}

/// A step in a key's life.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub struct Moved {
    /// The key's id.
    pub kid: String,
    /// `published`, `activated`, `retired`, `gone` or `withdrawn`.
    #[serde(rename = "move")]
    pub what: &'static str,
}

/// A published key.
#[derive(Debug, Serialize)]
pub struct Key {
    /// Its id.
    pub kid: String,
    /// The JWA name of its algorithm.
    pub algorithm: &'static str,
    /// `pending`, `active` or `retiring`.
    pub state: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// When the next state is due; the run that comes after it moves the key on.
    pub until: Timestamp,
}

impl Report {
    pub(crate) fn of(turn: &Turn) -> Self {
        let moves = turn.moves().into_iter().map(|(kid, what)| Moved { kid: kid.to_owned(), what: name(what) });
        Self { moves: moves.collect(), keys: keys(&turn.after) }
    }
}

fn keys(keys: &PublishedKeys) -> Vec<Key> {
    let key = |(kid, key): (&str, domain::PublishedKey)| Key {
        kid: kid.to_owned(),
        algorithm: key.algorithm.name(),
        state: key.state.name(),
        since: key.state.since(),
        until: key.state.until(),
    };
    keys.iter().map(key).collect()
}

fn name(what: Move) -> &'static str {
    match what {
        Move::Published => "published",
        Move::Activated => "activated",
        Move::Retired => "retired",
        Move::Gone => "gone",
        Move::Withdrawn => "withdrawn",
    }
}
