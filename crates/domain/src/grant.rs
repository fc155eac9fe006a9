//! Exchanging a key for a token: what the token may say.

use thiserror::Error;

use crate::access::Access;
use crate::claims::Claims;
use crate::id::WorkspaceId;
use crate::key::{KeyRecord, KeyRefusal, SecretVersion};
use crate::key_string::PlainKey;
use crate::random;
use crate::scope::{Scope, ScopeSet};
use crate::time::Timestamp;

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
    pub workspace_id: WorkspaceId,
    /// When the token begins.
    pub issued_at: Timestamp,
    /// When it ends: never after the key, nor after the overlap of a secret that was replaced.
    pub expires_at: Timestamp,
}

/// Why a key is exchanged for nothing.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum GrantError {
    /// The key itself does not count.
    #[error(transparent)]
    Key(#[from] KeyRefusal),
    /// Nobody can hold this scope, since access.toml does not name it.
    #[error("scope number {0} does not exist")]
    UnknownScope(usize),
    /// The key lacks a scope that was asked for.
    #[error("the key does not have the scope `{0}`")]
    ScopeNotHeld(Scope),
    /// The key is not bound to a workspace, and none was found for it.
    #[error("the key reaches no such workspace")]
    NoWorkspace,
}

/// Decides what `presented` is exchanged for: the scopes of its key, or `asked`, which only narrows, for `lifetime`
/// seconds and never past the key's own end.
///
/// # Errors
/// [`GrantError`]; the key is judged before the scopes, so that only its holder learns of them.
pub fn grant<'a>(
    record: Option<&'a KeyRecord>,
    presented: &PlainKey,
    asked: Option<&ScopeSet>,
    lifetime: i64,
    access: &Access,
    now: Timestamp,
) -> Result<Grant<'a>, GrantError> {
    let proved = KeyRecord::check(record, presented, now)?;
    let key = proved.record;
    if let Some(asked) = asked {
        if let Some(place) = access.first_unknown(asked) {
            return Err(GrantError::UnknownScope(place));
        }
        if let Some(lacking) = key.scopes.first_uncovered(asked) {
            return Err(GrantError::ScopeNotHeld(lacking.clone()));
        }
    }
    let end = now.plus(lifetime);
    Ok(Grant {
        key,
        secret_version: proved.version,
        scopes: asked.unwrap_or(&key.scopes).clone(),
        workspace_id: key.workspace_id().cloned().ok_or(GrantError::NoWorkspace)?,
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
        Claims {
            iss: issuer.to_owned(),
            sub: key.owner_user_id().map_or_else(|| key.id.to_string(), ToString::to_string),
            aud: key.client_id.to_string(),
            client_id: key.client_id.clone(),
            scope: self.scopes.clone(),
            iat: self.issued_at.unix(),
            nbf: self.issued_at.unix(),
            exp: self.expires_at.unix(),
            jti: random::base62(22),
            key_id: Some(key.id.clone()),
            secret_version: Some(self.secret_version),
            workspace_id: self.workspace_id.clone(),
            env: key.environment,
            billed_to: key.billed_to.clone(),
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
    use crate::key::tests::{key, now};

    fn decide(held: &str, asked: Option<&str>) -> Result<String, GrantError> {
        let (plain, record) = key(held);
        let access = Access::built_in().unwrap();
        let asked = asked.map(|text| ScopeSet::parse(text).unwrap());
        grant(Some(&record), &plain, asked.as_ref(), 900, &access, now()).map(|grant| grant.scopes.to_string())
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
    fn no_token_outlives_its_key() {
        let (plain, mut record) = key("read");
        record.expires_at = Some(now().plus(100));
        let access = Access::built_in().unwrap();
        let grant = grant(Some(&record), &plain, None, 900, &access, now()).unwrap();
        assert_eq!(grant.expires_in(), 100);
        let claims = grant.claims("https://auth.example");
        assert_eq!(claims.exp, now().unix() + 100);
        assert_eq!((claims.sub.as_str(), claims.aud.as_str()), (record.id.as_str(), record.client_id.as_str()));
    }

    #[test]
    fn a_token_of_a_replaced_secret_ends_with_its_overlap() {
        let (old, record) = key("read");
        let new = PlainKey::random_for(&record.prefix, &record.id);
        let record = record.rotated(&new, 100, now());
        let access = Access::built_in().unwrap();
        let of = |plain| grant(Some(&record), plain, None, 900, &access, now()).unwrap().claims("https://auth.example");
        assert_eq!((of(&old).exp, of(&old).secret_version), (now().unix() + 100, Some(SecretVersion(1))));
        assert_eq!((of(&new).exp, of(&new).secret_version), (now().unix() + 900, Some(SecretVersion(2))));
    }

    #[test]
    fn a_refused_key_learns_nothing_of_scopes() {
        let (plain, _) = key("read");
        let asked = ScopeSet::parse("no:such").unwrap();
        let access = Access::built_in().unwrap();
        let refused = grant(None, &plain, Some(&asked), 900, &access, now());
        assert_eq!(refused.unwrap_err(), GrantError::Key(KeyRefusal::Unknown));
    }
}
