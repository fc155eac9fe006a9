//! Exchanging a key for a token: what the token may say.

use thiserror::Error;

use crate::access::Access;
use crate::claims::{Claims, Issue};
use crate::id::UserId;
use crate::key::{KeyRecord, Proved, SecretVersion};
use crate::reach::Unreachable;
use crate::scope::{Scope, ScopeSet};
use crate::time::Timestamp;
use crate::workspace::Workspace;

/// What a key is exchanged for, decided and not yet signed.
#[derive(Clone, Debug)]
pub struct Grant<'a> {
    /// The key.
    pub key: &'a KeyRecord,
    /// Which of its secrets it was proved with.
    pub secret_version: SecretVersion,
    /// What the token may do: the key's scopes, or those asked for.
    pub scopes: ScopeSet,
    /// The workspace that the token is bound to.
    pub workspace: &'a Workspace,
    /// When the token begins.
    pub issued_at: Timestamp,
    /// When it ends: never after the key, nor after the overlap of a secret that was replaced.
    pub expires_at: Timestamp,
}

/// Why a key is exchanged for nothing.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GrantError {
    /// Nobody can hold this scope, since access.toml does not name it.
    #[error("scope number {0} does not exist")]
    UnknownScope(usize),
    /// The key lacks a scope that was asked for.
    #[error("the key does not have the scope `{0}`")]
    ScopeNotHeld(Scope),
    /// The user of a personal key has lost all that the key was given.
    #[error("nothing is left of the key's scopes")]
    NothingHeld,
    /// The key can't be used in this workspace.
    #[error(transparent)]
    Unreachable(#[from] Unreachable),
}

/// Decides what a key is exchanged for that was proved: what it holds, or `asked`, which only narrows, in `workspace`, for
/// `lifetime` seconds and never past the key's own end.
///
/// `held` is what the key gives now, of which a personal key's user may have lost some since; `None` where nothing is left.
///
/// # Errors
/// [`GrantError`].
pub fn grant<'a>(
    proved: Proved<'a>,
    held: Option<&ScopeSet>,
    workspace: Result<&'a Workspace, Unreachable>,
    asked: Option<&ScopeSet>,
    lifetime: i64,
    access: &Access,
    now: Timestamp,
) -> Result<Grant<'a>, GrantError> {
    if let Some(place) = asked.and_then(|asked| access.first_unknown(asked)) {
        return Err(GrantError::UnknownScope(place));
    }
    let workspace = workspace?;
    let held = held.ok_or(GrantError::NothingHeld)?;
    if let Some(lacking) = asked.and_then(|asked| held.first_uncovered(asked)) {
        return Err(GrantError::ScopeNotHeld(lacking.clone()));
    }
    let end = now.plus(lifetime);
    Ok(Grant {
        key: proved.record,
        secret_version: proved.version,
        scopes: asked.unwrap_or(held).clone(),
        workspace,
        issued_at: now,
        expires_at: proved.ends().map_or(end, |own_end| own_end.min(end)),
    })
}

impl Grant<'_> {
    /// The claims of one new token, under a new random `jti`.
    ///
    /// # Panics
    /// Where the operating system gives no random bytes.
    #[must_use]
    pub fn claims(&self, issuer: &str) -> Claims {
        let key = self.key;
        let sub = key.owner_user_id().map_or(key.id.as_str(), UserId::as_str);
        let issue = Issue {
            issuer,
            client_id: &key.client_id,
            workspace_id: &self.workspace.id,
            at: self.issued_at,
            ends: self.expires_at,
        };
        Claims {
            key_id: Some(key.id.clone()),
            secret_version: Some(self.secret_version),
            env: key.environment,
            ..Claims::begin(issue, sub, self.scopes.clone(), key.payer(self.workspace))
        }
    }

    /// Seconds until the token ends.
    #[must_use]
    pub fn expires_in(&self) -> i64 {
        self.expires_at.unix() - self.issued_at.unix()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::KeyKind;
    use crate::key::tests::{key, now};
    use crate::key_string::PlainKey;

    const ISSUER: &str = "https://auth.example";

    fn workspace(record: &KeyRecord) -> Workspace {
        Workspace::new(record.client_id.clone(), "default".to_owned(), UserId::random(), now())
    }

    fn claims(record: &KeyRecord, plain: &PlainKey) -> Claims {
        let proved = KeyRecord::check(Some(record), plain, now()).unwrap();
        let (workspace, access) = (workspace(record), Access::built_in().unwrap());
        grant(proved, Some(&record.scopes), Ok(&workspace), None, 900, &access, now()).unwrap().claims(ISSUER)
    }

    fn decide(held: &str, asked: Option<&str>) -> Result<String, GrantError> {
        let (plain, record) = key(held);
        let (workspace, access) = (workspace(&record), Access::built_in().unwrap());
        let asked = asked.map(|text| ScopeSet::parse(text).unwrap());
        let proved = KeyRecord::check(Some(&record), &plain, now()).unwrap();
        grant(proved, Some(&record.scopes), Ok(&workspace), asked.as_ref(), 900, &access, now())
            .map(|grant| grant.scopes.to_string())
    }

    #[test]
    fn scopes_are_the_keys_own_or_fewer() {
        assert_eq!(decide("read write", None).unwrap(), "read write");
        assert_eq!(decide("read write", Some("write")).unwrap(), "write");
        assert_eq!(decide("admin", Some("read")).unwrap(), "read");
        assert_eq!(decide("insights:*", Some("insights:read")).unwrap(), "insights:read");
        let lacks = |scope| Err(GrantError::ScopeNotHeld(Scope::parse(scope).unwrap()));
        assert_eq!(decide("read", Some("read write")), lacks("write"));
        assert_eq!(decide("read", Some("admin")), lacks("admin"));
        assert_eq!(decide("insights:read", Some("insights:*")), lacks("insights:*"));
        assert_eq!(decide("admin", Some("read no:such")), Err(GrantError::UnknownScope(2)));
    }

    #[test]
    fn what_a_personal_keys_user_has_lost_is_not_given() {
        let (plain, record) = key("read write");
        let (workspace, access) = (workspace(&record), Access::built_in().unwrap());
        let proved = KeyRecord::check(Some(&record), &plain, now()).unwrap();
        let of = |held: Option<&str>, reached| {
            let held = held.map(|text| ScopeSet::parse(text).unwrap());
            grant(proved, held.as_ref(), reached, None, 900, &access, now()).map(|grant| grant.scopes.to_string())
        };
        assert_eq!(of(Some("read"), Ok(&workspace)).unwrap(), "read");
        assert_eq!(of(None, Ok(&workspace)), Err(GrantError::NothingHeld));
        let off = Unreachable::PersonalKeysOff;
        assert_eq!(of(Some("read"), Err(off)), Err(GrantError::Unreachable(off)));
    }

    #[test]
    fn a_workspaces_key_is_billed_to_its_owner_and_a_personal_one_to_its_user() {
        let (plain, mut record) = key("read");
        let (workspace, access) = (workspace(&record), Access::built_in().unwrap());
        let billed = |record: &KeyRecord| {
            let proved = KeyRecord::check(Some(record), &plain, now()).unwrap();
            grant(proved, Some(&record.scopes), Ok(&workspace), None, 900, &access, now()).unwrap().claims(ISSUER)
        };
        assert_eq!(billed(&record).billed_to, workspace.owner_user_id);
        let user = UserId::random();
        record.kind = KeyKind::Personal(user.clone());
        let claims = billed(&record);
        assert_eq!((claims.billed_to, claims.sub), (user.clone(), user.to_string()));
    }

    #[test]
    fn no_token_outlives_its_key() {
        let (plain, mut record) = key("read");
        record.expires_at = Some(now().plus(100));
        let claims = claims(&record, &plain);
        assert_eq!(claims.exp, now().unix() + 100);
        assert_eq!((claims.sub.as_str(), claims.aud.as_str()), (record.id.as_str(), record.client_id.as_str()));
    }

    #[test]
    fn a_token_of_a_replaced_secret_ends_with_its_overlap() {
        let (old, record) = key("read");
        let new = PlainKey::random_for(&record.prefix, &record.id);
        let record = record.rotated(&new, 100, now());
        let of = |plain| claims(&record, plain);
        assert_eq!((of(&old).exp, of(&old).secret_version), (now().unix() + 100, Some(SecretVersion(1))));
        assert_eq!((of(&new).exp, of(&new).secret_version), (now().unix() + 900, Some(SecretVersion(2))));
    }
}
