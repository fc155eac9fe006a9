//! What a user has granted to an app, and the codes and refresh tokens that stand for it (RFC 6749, sections 4.1 and 6).
//!
//! 1. A user who consents makes a code; the app redeems it once, within a minute, and with the verifier of its challenge.
//! 2. That makes the grant. All tokens of the app's hang on it: where it ends, they do.
//! 3. A refresh token is used once and leads to its successor. One that was used before ends the grant, since two hold it
//!    (RFC 9700, section 4.14.2); only the one before the newest leads to the very same successor again for a moment, since
//!    an answer may be lost.

use sha2::{Digest as _, Sha256};

use crate::app::AppId;
use crate::id::{ClientId, GrantId, UserId, WorkspaceId};
use crate::key_string::HashedKey;
use crate::random;
use crate::resource::Resource;
use crate::scope::ScopeSet;
use crate::time::Timestamp;

/// How long a code may be redeemed, in seconds (RFC 9700, section 2.1.1 asks for short).
pub const CODE_LIFETIME: i64 = 60;
/// How long a grant with refresh tokens lives, in seconds, however often it is refreshed: 90 days.
pub const GRANT_LIFETIME: i64 = 90 * 24 * 3600;
/// How long a refresh token that was used leads to its one successor again, in seconds.
pub const REPLAY_WINDOW: i64 = 10;

/// A code before and after it is redeemed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthorizationCode {
    /// The hash of the code itself.
    pub hash: HashedKey,
    /// The app that it was given to.
    pub app_id: AppId,
    /// The app's name as it was shown to the user; of an app that a document describes there is no other record.
    pub app_name: String,
    /// Where it was sent.
    pub redirect_uri: String,
    /// The S256 challenge that its verifier must answer (RFC 7636, section 4.2).
    pub challenge: String,
    /// The client of the user who has consented.
    pub client_id: ClientId,
    /// That user.
    pub user_id: UserId,
    /// The workspace that the tokens are bound to.
    pub workspace_id: WorkspaceId,
    /// What was granted.
    pub scopes: ScopeSet,
    /// For whom the tokens are; the client itself where none was asked for.
    pub resource: Option<Resource>,
    /// When the user consented.
    pub issued_at: Timestamp,
    /// The grant that it was redeemed for.
    pub redeemed_for: Option<GrantId>,
}

impl AuthorizationCode {
    /// A new code: 256 bits.
    #[must_use]
    pub fn random() -> String {
        random::base62(43)
    }

    /// Whether its time is over.
    #[must_use]
    pub fn is_over(&self, now: Timestamp) -> bool {
        now >= self.issued_at.plus(CODE_LIFETIME)
    }

    /// Whether `verifier` answers the challenge (RFC 7636, section 4.6).
    #[must_use]
    pub fn is_answered_by(&self, verifier: &str) -> bool {
        is_verifier(verifier) && challenge_of(verifier) == self.challenge
    }
}

/// Whether a text has the form of a code verifier: 43 to 128 unreserved characters (RFC 7636, section 4.1).
#[must_use]
pub fn is_verifier(text: &str) -> bool {
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
    (43..=128).contains(&text.len()) && text.bytes().all(unreserved)
}

/// Whether a text has the form of an S256 challenge: the base64url of 32 bytes.
#[must_use]
pub fn is_challenge(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

fn challenge_of(verifier: &str) -> String {
    use base64::Engine as _;
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}

/// What a user has granted to an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppGrant {
    /// Its id.
    pub id: GrantId,
    /// The user's client.
    pub client_id: ClientId,
    /// Who has granted it.
    pub user_id: UserId,
    /// To which app.
    pub app_id: AppId,
    /// What.
    pub scopes: ScopeSet,
    /// The workspace that its tokens are bound to.
    pub workspace_id: WorkspaceId,
    /// For whom its tokens are; the client itself where there is none.
    pub resource: Option<Resource>,
    /// When its code was redeemed.
    pub created_at: Timestamp,
    /// From this second on nothing of it counts.
    pub expires_at: Timestamp,
    /// When it was ended before that.
    pub ended_at: Option<Timestamp>,
    /// Its refresh tokens, where the app may have such.
    pub refresh: Option<Refresh>,
    /// Grows with every change.
    pub revision: u32,
}

impl AppGrant {
    /// Whether what hangs on it still counts.
    #[must_use]
    pub fn counts(&self, now: Timestamp) -> bool {
        self.ended_at.is_none() && now < self.expires_at
    }

    /// When its app last used a refresh token, if it ever did.
    #[must_use]
    pub fn last_refreshed_at(&self) -> Option<Timestamp> {
        self.refresh.as_ref()?.predecessor.as_ref().map(|used| used.used_at)
    }
}

/// The refresh tokens of a grant: the one that counts, and for a moment the one before it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refresh {
    /// The hash of the part that all refresh tokens of the grant share.
    pub family: HashedKey,
    /// The hash of the token that counts.
    pub current: HashedKey,
    /// The one that it has followed.
    pub predecessor: Option<Predecessor>,
}

/// A refresh token that was used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Predecessor {
    /// The hash of the token.
    pub hash: HashedKey,
    /// When it was used.
    pub used_at: Timestamp,
    /// Its successor, encrypted under a key that only the token itself gives.
    pub successor: Vec<u8>,
}

/// What a refresh token that was presented is to a grant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Presented {
    /// The one that counts.
    Current,
    /// The one before it, within its moment: lead to the same successor again.
    Lost(Predecessor),
    /// One that was used before: two hold it, and the grant ends.
    Reused,
    /// None of this grant's.
    Foreign,
}

/// A refresh token: the grant, the part that all of the grant's share, and its own.
#[derive(Clone, PartialEq, Eq)]
pub struct RefreshToken(String);

impl RefreshToken {
    const PREFIX: &'static str = "refresh_tok_";
    const GRANT: usize = 16;
    const FAMILY: usize = 32;
    const OWN: usize = 43;

    /// The first one of a grant.
    #[must_use]
    pub fn first(grant: &GrantId) -> Self {
        Self::of(grant.digits(), &random::base62(Self::FAMILY))
    }

    /// The one that follows.
    #[must_use]
    pub fn next(&self) -> Self {
        Self::of(self.part(0, Self::GRANT), self.part(Self::GRANT, Self::FAMILY))
    }

    fn of(grant: &str, family: &str) -> Self {
        Self(format!("{}{grant}{family}{}", Self::PREFIX, random::base62(Self::OWN)))
    }

    /// Reads one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let parts = text.strip_prefix(Self::PREFIX)?;
        let fits = parts.len() == Self::GRANT + Self::FAMILY + Self::OWN;
        (fits && parts.bytes().all(|byte| byte.is_ascii_alphanumeric())).then(|| Self(text.to_owned()))
    }

    fn part(&self, from: usize, length: usize) -> &str {
        let from = Self::PREFIX.len() + from;
        &self.0[from..from + length]
    }

    /// The grant that it names.
    #[must_use]
    pub fn grant(&self) -> GrantId {
        // Sixteen base62 digits, by its form.
        GrantId::of_digits(self.part(0, Self::GRANT))
    }

    /// The hash of the part that all of its grant's tokens share.
    #[must_use]
    pub fn family(&self) -> HashedKey {
        HashedKey::of_text(self.part(Self::GRANT, Self::FAMILY))
    }

    /// The hash of the whole.
    #[must_use]
    pub fn hash(&self) -> HashedKey {
        HashedKey::of_text(&self.0)
    }

    /// The token itself: for its one answer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Debug for RefreshToken {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("RefreshToken(…)")
    }
}

impl Refresh {
    /// Begins with the first token of a grant.
    #[must_use]
    pub fn begin(first: &RefreshToken) -> Self {
        Self { family: first.family(), current: first.hash(), predecessor: None }
    }

    /// Judges a token. Who merely knows the grant's id can end nothing: the shared part must be right.
    #[must_use]
    pub fn judge(&self, token: &RefreshToken, now: Timestamp) -> Presented {
        let hash = token.hash();
        if !self.family.matches(&token.family()) {
            return Presented::Foreign;
        }
        if self.current.matches(&hash) {
            return Presented::Current;
        }
        match &self.predecessor {
            Some(before) if before.hash.matches(&hash) && now < before.used_at.plus(REPLAY_WINDOW) => {
                Presented::Lost(before.clone())
            }
            _ => Presented::Reused,
        }
    }

    /// After `used` has led to `next`, which is kept as `successor` for a moment.
    #[must_use]
    pub fn followed(&self, used: &RefreshToken, next: &RefreshToken, successor: Vec<u8>, now: Timestamp) -> Self {
        Self {
            family: self.family.clone(),
            current: next.hash(),
            predecessor: Some(Predecessor { hash: used.hash(), used_at: now, successor }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_unix(1_800_000_000 + second)
    }

    #[test]
    fn a_refresh_token_names_its_grant_and_nothing_reads_another_form() {
        let grant = GrantId::random();
        let first = RefreshToken::first(&grant);
        assert_eq!(RefreshToken::parse(first.expose()).unwrap(), first);
        assert_eq!(first.grant(), grant);
        let next = first.next();
        assert_eq!((next.grant(), next.family()), (first.grant(), first.family()));
        assert_ne!(next, first);
        assert_eq!(format!("{first:?}"), "RefreshToken(…)");
        let text = first.expose();
        for bad in
            ["", "refresh_tok_", &text[1..], &text[..text.len() - 1], &format!("{text}0"), &text.replace('_', "-")]
        {
            assert!(RefreshToken::parse(bad).is_none());
        }
    }

    #[test]
    fn a_used_token_ends_the_grant_but_for_the_one_before_the_newest_and_its_moment() {
        let grant = GrantId::random();
        let first = RefreshToken::first(&grant);
        let refresh = Refresh::begin(&first);
        assert_eq!(refresh.judge(&first, at(0)), Presented::Current);
        let second = first.next();
        let refresh = refresh.followed(&first, &second, vec![1], at(0));
        assert_eq!(refresh.judge(&second, at(0)), Presented::Current);
        assert!(matches!(refresh.judge(&first, at(9)), Presented::Lost(before) if before.successor == [1]));
        assert_eq!(refresh.judge(&first, at(10)), Presented::Reused);
        let third = second.next();
        let refresh = refresh.followed(&second, &third, vec![2], at(1));
        assert_eq!(refresh.judge(&first, at(2)), Presented::Reused);
        assert!(matches!(refresh.judge(&second, at(2)), Presented::Lost(_)));
        assert_eq!(refresh.judge(&third.next(), at(2)), Presented::Reused);
        assert_eq!(refresh.judge(&RefreshToken::first(&grant), at(2)), Presented::Foreign);
    }

    #[test]
    fn a_verifier_answers_its_challenge_alone() {
        // RFC 7636, appendix B.
        let code = AuthorizationCode {
            hash: HashedKey::of_text("x"),
            app_id: AppId::random(),
            app_name: String::new(),
            redirect_uri: String::new(),
            challenge: "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".to_owned(),
            client_id: ClientId::random(),
            user_id: UserId::random(),
            workspace_id: WorkspaceId::random(),
            scopes: ScopeSet::parse("read").unwrap(),
            resource: None,
            issued_at: at(0),
            redeemed_for: None,
        };
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert!(code.is_answered_by(verifier));
        for wrong in ["", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM", &verifier[1..], &format!("{verifier}a")] {
            assert!(!code.is_answered_by(wrong), "{wrong}");
        }
        assert!(is_challenge(&code.challenge) && !is_challenge("short") && !is_challenge(&"=".repeat(43)));
        assert!(!code.is_over(at(59)) && code.is_over(at(60)));
    }
}
