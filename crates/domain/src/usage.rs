//! Counting use, per key and hour.

use std::collections::BTreeMap;

use crate::time::Timestamp;

/// An hour of UTC, counted from the Unix epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UsageHour(i64);

impl UsageHour {
    /// The hour that `time` falls in.
    #[must_use]
    pub fn of(time: Timestamp) -> Self {
        Self(time.unix().div_euclid(3600))
    }

    /// When the hour begins.
    #[must_use]
    pub fn start(self) -> Timestamp {
        Timestamp::from_unix(self.0 * 3600)
    }
}

/// Why a call by a credential that was proved right was refused all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DenyReason {
    /// The route needs a scope that the credential lacks.
    InsufficientScope,
    /// No route of access.toml matches.
    NoRoute,
    /// The key is revoked, or the token was made with a secret that no longer counts.
    KeyRevoked,
    /// The key is past its expiry.
    Expired,
    /// The workspace is not one that the credential reaches.
    Workspace,
    /// The call came from an address that is not among the key's.
    Address,
}

impl DenyReason {
    /// Every reason.
    pub const ALL: [Self; 6] =
        [Self::InsufficientScope, Self::NoRoute, Self::KeyRevoked, Self::Expired, Self::Workspace, Self::Address];

    /// The reason's name in counters, logs and answers about use.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::InsufficientScope => "insufficient_scope",
            Self::NoRoute => "no_route",
            Self::KeyRevoked => "key_revoked",
            Self::Expired => "expired",
            Self::Workspace => "workspace",
            Self::Address => "address",
        }
    }
}

/// What was counted for one key in one hour.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Keys exchanged for tokens.
    pub exchanges: u64,
    /// Calls let through.
    pub allowed: u64,
    /// Calls refused, by reason.
    pub denied: BTreeMap<DenyReason, u64>,
}

impl Tally {
    /// Adds another tally to this one.
    pub fn add(&mut self, other: &Self) {
        self.exchanges += other.exchanges;
        self.allowed += other.allowed;
        for (reason, count) in &other.denied {
            *self.denied.entry(*reason).or_default() += count;
        }
    }
}
