//! Where a key is in its life, and how long it stays there: long enough for everybody who keeps the key set, whatever their clocks
//! say.

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
pub(super) const KEPT_ELSEWHERE: Duration = Duration::from_hours(2);
/// What two clocks may differ by, each being five minutes wrong.
pub(super) const CLOCKS_APART: Duration = Duration::from_mins(10);
/// What verifiers may grant beyond a token's end.
pub(super) const LEEWAY: Duration = Duration::from_secs(5);

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
pub(super) const fn seconds(duration: Duration) -> i64 {
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
