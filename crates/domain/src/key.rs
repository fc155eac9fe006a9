//! The record of a key, and what decides whether a credential of it still counts.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::address_range::AllowedAddresses;
use crate::environment::Environment;
use crate::foreign_key::{KeyPattern, KeyString};
use crate::id::{ClientId, KeyId, UserId, WorkspaceId};
use crate::key_string::{HashedKey, KeyPrefix, PlainKey};
use crate::metadata::Metadata;
use crate::scope::ScopeSet;
use crate::time::Timestamp;
use crate::workspace::Workspace;

/// How long a secret should live before it is rotated: 90 days, in seconds.
pub const ROTATION_PERIOD: i64 = 90 * 24 * 3600;

/// Whose key it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// A workspace's: shared by its members, managed by its admins.
    Workspace(WorkspaceId),
    /// One user's own, good in every workspace that the user is in.
    Personal(UserId),
}

impl KeyKind {
    /// The kind's name in records.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Workspace(_) => "workspace",
            Self::Personal(_) => "personal",
        }
    }
}

/// Counts a key's secrets: 1 when it is created, one more at each rotation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct SecretVersion(pub u32);

/// What is kept of a key. Its string is not: only the hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRecord {
    /// `ak_` and the id part of its string.
    pub id: KeyId,
    /// The client it belongs to.
    pub client_id: ClientId,
    /// The name that people know it by.
    pub name: String,
    /// Whose it is.
    pub kind: KeyKind,
    /// What it is for; the record says so, not the prefix.
    pub environment: Environment,
    /// What its string begins with.
    pub prefix: KeyPrefix,
    /// The hash of its string.
    pub hash: HashedKey,
    /// Which of its secrets that is.
    pub secret_version: SecretVersion,
    /// What its holder may do.
    pub scopes: ScopeSet,
    /// When it was made.
    pub created_at: Timestamp,
    /// The id of the user or key that made it.
    pub created_by: String,
    /// From this second on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Where it may be used from.
    pub allowed_ips: AllowedAddresses,
    /// What its makers note beside it.
    pub metadata: Metadata,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
    /// When its secret was last rotated.
    pub rotated_at: Option<Timestamp>,
    /// The secret before the last rotation, while it may still count.
    pub previous_secret: Option<PreviousSecret>,
    /// Grows with every change, so that none is made on what another has changed meanwhile.
    pub revision: u32,
}

/// What whoever makes a key decides; the rest of a record follows from its string, or begins the same for all.
#[derive(Clone, Debug)]
pub struct NewKey {
    /// The client it belongs to.
    pub client_id: ClientId,
    /// The name that people know it by.
    pub name: String,
    /// Whose it is.
    pub kind: KeyKind,
    /// What it is for.
    pub environment: Environment,
    /// What its holder may do.
    pub scopes: ScopeSet,
    /// When it is made.
    pub created_at: Timestamp,
    /// The id of the user or key that makes it.
    pub created_by: String,
    /// From this second on it is refused.
    pub expires_at: Option<Timestamp>,
    /// Where it may be used from.
    pub allowed_ips: AllowedAddresses,
    /// What its makers note beside it.
    pub metadata: Metadata,
}

impl NewKey {
    /// The record of the key whose string is `plain`.
    #[must_use]
    pub fn record(self, plain: &PlainKey) -> KeyRecord {
        self.with_secret(plain.id(), plain.key_prefix(), plain.hash())
    }

    /// The record of another system's key: nobody here has seen its string, which has this hash and looks like `pattern`.
    #[must_use]
    pub fn imported(self, hash: HashedKey, pattern: &KeyPattern) -> KeyRecord {
        self.with_secret(KeyId::random(), pattern.prefix().clone(), hash)
    }

    fn with_secret(self, id: KeyId, prefix: KeyPrefix, hash: HashedKey) -> KeyRecord {
        KeyRecord {
            id,
            client_id: self.client_id,
            name: self.name,
            kind: self.kind,
            environment: self.environment,
            prefix,
            hash,
            secret_version: SecretVersion(1),
            scopes: self.scopes,
            created_at: self.created_at,
            created_by: self.created_by,
            expires_at: self.expires_at,
            allowed_ips: self.allowed_ips,
            metadata: self.metadata,
            revoked_at: None,
            rotated_at: None,
            previous_secret: None,
            revision: 0,
        }
    }
}

/// A secret that was replaced and counts until its overlap ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreviousSecret {
    /// The hash of the string that held it.
    pub hash: HashedKey,
    /// Which of the key's secrets it is.
    pub version: SecretVersion,
    /// From this second on it is refused, and all that was made with it.
    pub expires_at: Timestamp,
}

/// A key whose string was proved right, and with which of its secrets.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Proved<'a> {
    /// The record.
    pub record: &'a KeyRecord,
    /// The secret.
    pub version: SecretVersion,
}

impl Proved<'_> {
    /// What is made with this secret ends no later than this: the key's own end, or the secret's.
    #[must_use]
    pub fn ends(&self) -> Option<Timestamp> {
        self.record.ends(self.version)
    }
}

/// Why a credential of a key does not count. The caller is told none of it: every one of them is the same 401.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyRefusal {
    /// No record has this id.
    #[error("no such key")]
    Unknown,
    /// The id is known, the secret is another.
    #[error("wrong secret")]
    WrongSecret,
    /// The string begins otherwise than the record says.
    #[error("wrong prefix")]
    WrongPrefix,
    /// The token was made with a secret that no longer counts.
    #[error("secret replaced")]
    SecretReplaced,
    /// Revoked.
    #[error("key revoked")]
    Revoked,
    /// Past its expiry.
    #[error("key expired")]
    Expired,
    /// Called from an address that is not among the key's.
    #[error("address not allowed")]
    Address,
    /// The user of a personal key is gone.
    #[error("the key's user is gone")]
    UserGone,
}

impl KeyRecord {
    /// Judges a key string by the record that its id names, or its hash leads to, where there is one.
    ///
    /// Unknown, wrong and right secrets take the same time: an unknown one is compared with a hash that none has.
    ///
    /// # Errors
    /// [`KeyRefusal`]; the secret is judged first, so that the rest is decided for its holder alone.
    pub fn check<'a>(
        record: Option<&'a Self>,
        presented: &impl KeyString,
        now: Timestamp,
    ) -> Result<Proved<'a>, KeyRefusal> {
        let presented_hash = presented.hash();
        let previous = record.and_then(|record| record.previous_secret.as_ref());
        // Both are compared, whatever the first says: which of them it was is nobody's to measure.
        let current = record.map_or(&HashedKey::DUMMY, |record| &record.hash).matches(&presented_hash);
        let replaced = previous.map_or(&HashedKey::DUMMY, |secret| &secret.hash).matches(&presented_hash);
        let record = record.ok_or(KeyRefusal::Unknown)?;
        let version = match previous.filter(|_| replaced) {
            _ if current => record.secret_version,
            Some(secret) => secret.version,
            None => return Err(KeyRefusal::WrongSecret),
        };
        if !presented.may_begin_with(&record.prefix) {
            return Err(KeyRefusal::WrongPrefix);
        }
        record.check_version(version, now)?;
        Ok(Proved { record, version })
    }

    /// What is made with the secret of `version` ends no later than this: the key's own end, or that secret's.
    #[must_use]
    pub fn ends(&self, version: SecretVersion) -> Option<Timestamp> {
        let previous = self.previous_secret.as_ref().filter(|secret| secret.version == version);
        [self.expires_at, previous.map(|secret| secret.expires_at)].into_iter().flatten().min()
    }

    /// Judges what was made with the secret of `version`.
    ///
    /// # Errors
    /// [`KeyRefusal`] where that secret or the key itself no longer counts.
    pub fn check_version(&self, version: SecretVersion, now: Timestamp) -> Result<(), KeyRefusal> {
        let counts = version == self.secret_version
            || self.previous_secret.as_ref().is_some_and(|secret| secret.version == version && now < secret.expires_at);
        if !counts {
            return Err(KeyRefusal::SecretReplaced);
        }
        self.alive(now)
    }

    /// The record after a rotation: `plain` counts from now on, and what counted until now for `overlap` more seconds.
    /// A secret that was still in its overlap ends.
    #[must_use]
    pub fn rotated(self, plain: &PlainKey, overlap: i64, now: Timestamp) -> Self {
        let previous = PreviousSecret { hash: self.hash, version: self.secret_version, expires_at: now.plus(overlap) };
        Self {
            hash: plain.hash(),
            prefix: plain.key_prefix(),
            secret_version: SecretVersion(self.secret_version.0 + 1),
            rotated_at: Some(now),
            previous_secret: (overlap > 0).then_some(previous),
            ..self
        }
    }

    /// Whether the key itself still counts.
    ///
    /// # Errors
    /// [`KeyRefusal::Revoked`], [`KeyRefusal::Expired`].
    pub fn alive(&self, now: Timestamp) -> Result<(), KeyRefusal> {
        if self.revoked_at.is_some() {
            return Err(KeyRefusal::Revoked);
        }
        match self.expires_at {
            Some(end) if end <= now => Err(KeyRefusal::Expired),
            _ => Ok(()),
        }
    }

    /// Whether the key may be used from `address`, as the gateway has seen it.
    ///
    /// # Errors
    /// [`KeyRefusal::Address`].
    pub fn check_address(&self, address: Option<IpAddr>) -> Result<(), KeyRefusal> {
        if self.allowed_ips.allow(address) { Ok(()) } else { Err(KeyRefusal::Address) }
    }

    /// Who pays for its use in `workspace`: the user of a personal key, else the workspace's owner.
    #[must_use]
    pub fn payer<'a>(&'a self, workspace: &'a Workspace) -> &'a UserId {
        self.owner_user_id().unwrap_or(&workspace.owner_user_id)
    }

    /// The workspace that the key is bound to; a personal key is bound to none.
    #[must_use]
    pub fn workspace_id(&self) -> Option<&WorkspaceId> {
        match &self.kind {
            KeyKind::Workspace(id) => Some(id),
            KeyKind::Personal(_) => None,
        }
    }

    /// The user who stands behind the key; behind a workspace's key stands none.
    #[must_use]
    pub fn owner_user_id(&self) -> Option<&UserId> {
        match &self.kind {
            KeyKind::Workspace(_) => None,
            KeyKind::Personal(id) => Some(id),
        }
    }

    /// When the key's secret should be rotated.
    #[must_use]
    pub fn rotation_due_at(&self) -> Timestamp {
        self.rotated_at.unwrap_or(self.created_at).plus(ROTATION_PERIOD)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::foreign_key::PresentedKey;

    pub(crate) const NOW: i64 = 1_800_000_000;

    pub(crate) fn now() -> Timestamp {
        Timestamp::from_unix(NOW)
    }

    /// A live key of a workspace with `scopes`, and its string.
    pub(crate) fn key(scopes: &str) -> (PlainKey, KeyRecord) {
        let plain = PlainKey::random(&Environment::Live.default_prefix());
        let record = NewKey {
            client_id: ClientId::random(),
            name: "production".to_owned(),
            kind: KeyKind::Workspace(WorkspaceId::random()),
            environment: Environment::Live,
            scopes: ScopeSet::parse(scopes).unwrap(),
            created_at: now(),
            created_by: UserId::random().to_string(),
            expires_at: None,
            allowed_ips: AllowedAddresses::default(),
            metadata: Metadata::default(),
        }
        .record(&plain);
        (plain, record)
    }

    #[test]
    fn only_the_right_string_of_a_living_key_counts() {
        let (plain, record) = key("read");
        assert!(KeyRecord::check(Some(&record), &plain, now()).is_ok());
        assert_eq!(KeyRecord::check(None, &plain, now()), Err(KeyRefusal::Unknown));

        let (other, _) = key("read");
        assert_eq!(KeyRecord::check(Some(&record), &other, now()), Err(KeyRefusal::WrongSecret));

        let renamed = KeyRecord { prefix: Environment::Test.default_prefix(), ..record.clone() };
        assert_eq!(KeyRecord::check(Some(&renamed), &plain, now()), Err(KeyRefusal::WrongPrefix));

        let revoked = KeyRecord { revoked_at: Some(now()), ..record.clone() };
        assert_eq!(KeyRecord::check(Some(&revoked), &plain, now()), Err(KeyRefusal::Revoked));

        let ends = KeyRecord { expires_at: Some(now()), ..record.clone() };
        assert_eq!(KeyRecord::check(Some(&ends), &plain, now()), Err(KeyRefusal::Expired));
        assert!(KeyRecord::check(Some(&ends), &plain, now().plus(-1)).is_ok());
    }

    #[test]
    fn a_rotated_key_has_two_strings_until_the_overlap_ends() {
        let (old, record) = key("read");
        let new = PlainKey::random_for(&record.prefix, &record.id);
        let rotated = record.clone().rotated(&new, 60, now());
        let proved =
            |plain, at| KeyRecord::check(Some(&rotated), plain, at).map(|proved| (proved.version, proved.ends()));
        let end = now().plus(60);
        assert_eq!(proved(&new, now()), Ok((SecretVersion(2), None)));
        assert_eq!(proved(&old, end.plus(-1)), Ok((SecretVersion(1), Some(end))));
        assert_eq!(proved(&old, end), Err(KeyRefusal::SecretReplaced));
        assert_eq!(rotated.check_version(SecretVersion(1), end.plus(-1)), Ok(()));
        assert_eq!(rotated.check_version(SecretVersion(1), end), Err(KeyRefusal::SecretReplaced));
        assert_eq!(rotated.rotation_due_at(), now().plus(ROTATION_PERIOD));

        let third = PlainKey::random_for(&record.prefix, &record.id);
        let again = rotated.clone().rotated(&third, 60, now());
        assert_eq!(KeyRecord::check(Some(&again), &old, now()), Err(KeyRefusal::WrongSecret), "two at most");
        assert!(KeyRecord::check(Some(&again), &new, now()).is_ok());
        let at_once = record.rotated(&new, 0, now());
        assert_eq!(KeyRecord::check(Some(&at_once), &old, now()), Err(KeyRefusal::WrongSecret));
    }

    #[test]
    fn an_imported_key_counts_by_its_hash_and_then_as_any_other() {
        let foreign = |text: &str| PresentedKey::parse(text).unwrap();
        let old = foreign("sk-sim-0123456789abcdef");
        let pattern = KeyPattern::new(KeyPrefix::parse("sk-sim-").unwrap(), 23).unwrap();
        let (_, like) = key("read");
        let new = NewKey {
            client_id: like.client_id,
            name: like.name,
            kind: like.kind,
            environment: like.environment,
            scopes: like.scopes,
            created_at: like.created_at,
            created_by: like.created_by,
            expires_at: None,
            allowed_ips: like.allowed_ips,
            metadata: like.metadata,
        };
        let record = new.imported(old.hash(), &pattern);
        assert_eq!((record.prefix.as_str(), record.secret_version), ("sk-sim-", SecretVersion(1)));
        let check = |record: &KeyRecord, key: &PresentedKey, at| KeyRecord::check(Some(record), key, at).map(|_| ());
        assert_eq!(check(&record, &old, now()), Ok(()));
        assert_eq!(check(&record, &foreign("sk-sim-0123456789abcdeg"), now()), Err(KeyRefusal::WrongSecret));
        assert_eq!(KeyRecord::check(None, &old, now()).map(|_| ()), Err(KeyRefusal::Unknown));

        let own = PlainKey::random_for(&record.prefix, &record.id);
        let rotated = record.rotated(&own, 60, now());
        let own = foreign(own.expose());
        assert!(matches!(own, PresentedKey::Own(_)), "from now on a string of our own");
        assert_eq!(check(&rotated, &own, now()), Ok(()));
        assert_eq!(check(&rotated, &old, now().plus(59)), Ok(()));
        assert_eq!(check(&rotated, &old, now().plus(60)), Err(KeyRefusal::SecretReplaced));
        let revoked = KeyRecord { revoked_at: Some(now()), ..rotated };
        assert_eq!(check(&revoked, &old, now()), Err(KeyRefusal::Revoked));
    }

    #[test]
    fn a_token_lives_no_longer_than_its_secret_and_key() {
        let (_, record) = key("read");
        assert_eq!(record.check_version(SecretVersion(1), now()), Ok(()));
        assert_eq!(record.check_version(SecretVersion(2), now()), Err(KeyRefusal::SecretReplaced));
        let revoked = KeyRecord { revoked_at: Some(now()), ..record };
        assert_eq!(revoked.check_version(SecretVersion(1), now()), Err(KeyRefusal::Revoked));
    }
}
