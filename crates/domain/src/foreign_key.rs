//! Key strings of other systems, taken over by their hashes.
//!
//! 1. Whoever moves over says what the old strings look like: what they begin with and how long they are ([`KeyPattern`]). A
//!    pattern that one of our own strings, a JWT or an agent's token could match is refused, so that no string can be taken for
//!    two things.
//! 2. A string that is none of those and that a registered pattern matches is looked up by its hash. One that none matches is
//!    malformed and costs no read.
//! 3. Nothing is known of such a string but what it is: it has no check, and nobody here has made it.

use std::collections::{HashMap, HashSet};
use std::fmt;

use thiserror::Error;

use crate::key_string::{AGENT_TOKEN, HashedKey, KeyPrefix, MalformedKey, PlainKey};

/// How a JWT begins: `{` and a quotation mark or a space, or `{` and the end of a line, in base64url.
const TOKEN_STARTS: [&str; 2] = ["ey", "ew"];

/// What the strings of another system look like.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyPattern {
    prefix: KeyPrefix,
    length: usize,
}

/// Why a pattern is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PatternProblem {
    /// Too short to be a secret, or too long to be a key.
    #[error("`length` must be 20 to 200")]
    Length,
    /// One of our own strings could look like that.
    #[error(
        "strings that are made here could match: 56 to 74 characters need a `-` or `_` behind the place {0} of the prefix"
    )]
    OwnKeys(usize),
    /// A JWT could.
    #[error("a JWT could match: it begins with `ey` or `ew`")]
    Token,
    /// An agent's token could.
    #[error("an agent's token could match: it begins with `{AGENT_TOKEN}`")]
    AgentToken,
}

impl KeyPattern {
    /// How long its strings may be, in characters.
    pub const LENGTHS: std::ops::RangeInclusive<usize> = 20..=200;

    /// Strings of `length` characters that begin with `prefix`.
    ///
    /// # Errors
    /// [`PatternProblem`].
    pub fn new(prefix: KeyPrefix, length: usize) -> Result<Self, PatternProblem> {
        if !Self::LENGTHS.contains(&length) {
            return Err(PatternProblem::Length);
        }
        if TOKEN_STARTS.iter().any(|start| prefix.as_str().starts_with(start)) {
            return Err(PatternProblem::Token);
        }
        // The other way round it is no prefix at all.
        if AGENT_TOKEN.starts_with(prefix.as_str()) {
            return Err(PatternProblem::AgentToken);
        }
        if let Some(own) = PlainKey::prefix_length(length) {
            // Behind its prefix one of our own strings has digits and letters alone.
            let behind = prefix.as_str().as_bytes().get(own..).unwrap_or_default();
            if behind.iter().all(u8::is_ascii_alphanumeric) {
                return Err(PatternProblem::OwnKeys(own));
            }
        }
        Ok(Self { prefix, length })
    }

    /// What its strings begin with.
    #[must_use]
    pub fn prefix(&self) -> &KeyPrefix {
        &self.prefix
    }

    /// How long they are, in characters.
    #[must_use]
    pub fn length(&self) -> usize {
        self.length
    }

    /// Whether a string that it matches stands anywhere in `text`.
    #[must_use]
    pub fn is_in(&self, text: &str) -> bool {
        let pieces = text.char_indices().filter_map(|(start, _)| text.get(start..start + self.length));
        pieces.filter(|piece| piece.starts_with(self.prefix.as_str())).any(|piece| ForeignKey::parse(piece).is_ok())
    }
}

/// All patterns that are registered, whoever has registered them.
#[derive(Debug, Default)]
pub struct KeyPatterns(HashMap<usize, HashSet<String>>);

impl FromIterator<KeyPattern> for KeyPatterns {
    fn from_iter<T: IntoIterator<Item = KeyPattern>>(patterns: T) -> Self {
        let mut all = Self::default();
        for KeyPattern { prefix, length } in patterns {
            all.0.entry(length).or_default().insert(prefix.as_str().to_owned());
        }
        all
    }
}

impl KeyPatterns {
    /// Whether one of them matches. As much work for a thousand patterns as for one.
    #[must_use]
    pub fn match_key(&self, key: &ForeignKey) -> bool {
        let mut starts = KeyPrefix::LENGTHS.filter_map(|length| key.0.get(..length));
        self.0.get(&key.0.len()).is_some_and(|prefixes| starts.any(|start| prefixes.contains(start)))
    }
}

/// A string that may be a key of another system: visible ASCII without dot and comma, of a length that a pattern can have, and
/// none that begins or is built as something of our own. `Debug` shows nothing of it.
#[derive(Clone)]
pub struct ForeignKey(String);

impl ForeignKey {
    /// Takes a string for one.
    ///
    /// # Errors
    /// [`MalformedKey`] for what no pattern can match.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        let fits = KeyPattern::LENGTHS.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic() && !matches!(byte, b'.' | b','))
            && !TOKEN_STARTS.iter().chain([&AGENT_TOKEN]).any(|start| text.starts_with(start))
            // Cut, mistyped or guessed: it needs no look at any pattern to be refused.
            && !PlainKey::has_form(text);
        if fits { Ok(Self(text.to_owned())) } else { Err(MalformedKey) }
    }

    /// The SHA-256 of the whole string: what it is found by.
    #[must_use]
    pub fn hash(&self) -> HashedKey {
        HashedKey::of_text(&self.0)
    }
}

impl fmt::Debug for ForeignKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ForeignKey(…)")
    }
}

/// A string that somebody shows as a key.
#[derive(Clone, Debug)]
pub enum PresentedKey {
    /// One of our own: it names its record, and its check is right.
    Own(PlainKey),
    /// It may be another system's: only its hash can find its record, and only where a registered pattern matches.
    Foreign(ForeignKey),
}

impl PresentedKey {
    /// Takes a string for a key.
    ///
    /// # Errors
    /// [`MalformedKey`] for what can be neither.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        match PlainKey::parse(text) {
            Ok(key) => Ok(Self::Own(key)),
            Err(MalformedKey) => ForeignKey::parse(text).map(Self::Foreign),
        }
    }
}

/// What a record can judge.
pub trait KeyString {
    /// The SHA-256 of the whole string.
    fn hash(&self) -> HashedKey;

    /// Whether a key with this prefix can have such a string.
    fn may_begin_with(&self, prefix: &KeyPrefix) -> bool;
}

impl KeyString for PlainKey {
    fn hash(&self) -> HashedKey {
        Self::hash(self)
    }

    fn may_begin_with(&self, prefix: &KeyPrefix) -> bool {
        self.prefix() == prefix.as_str()
    }
}

impl KeyString for PresentedKey {
    fn hash(&self) -> HashedKey {
        match self {
            Self::Own(key) => key.hash(),
            Self::Foreign(key) => key.hash(),
        }
    }

    fn may_begin_with(&self, prefix: &KeyPrefix) -> bool {
        match self {
            Self::Own(key) => key.may_begin_with(prefix),
            // Whoever has imported its hash may have been wrong about how it begins, and the hash is of all of it.
            Self::Foreign(_) => true,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::environment::Environment;
    use crate::random::base62;

    fn pattern(prefix: &str, length: usize) -> Result<KeyPattern, PatternProblem> {
        KeyPattern::new(KeyPrefix::parse(prefix).unwrap(), length)
    }

    fn matches(pattern: &KeyPattern, text: &str) -> bool {
        let patterns: KeyPatterns = [pattern.clone()].into_iter().collect();
        matches!(PresentedKey::parse(text), Ok(PresentedKey::Foreign(key)) if patterns.match_key(&key))
    }

    #[test]
    fn a_pattern_is_what_nothing_of_our_own_looks_like() {
        for (prefix, length) in [
            ("sk-sim-", 39),
            ("simbee_", 20),
            ("AB", 200),
            ("sk_live_", 55),
            ("sk_live_", 75),
            ("a-", 55),
            ("agent-", 40),
        ] {
            assert!(pattern(prefix, length).is_ok(), "{prefix} {length}");
        }
        for (prefix, length) in [("sk", 19), ("sk", 201), ("sk", 0), ("sk", usize::MAX)] {
            assert_eq!(pattern(prefix, length), Err(PatternProblem::Length));
        }
        for prefix in ["ey", "eyJ", "eyJhbGciOiJub25lIn0", "ew"] {
            assert_eq!(pattern(prefix, 40), Err(PatternProblem::Token), "{prefix}");
        }
        for prefix in ["ag", "agent", "agent_", "agent_to"] {
            assert_eq!(pattern(prefix, 40), Err(PatternProblem::AgentToken), "{prefix}");
        }
        assert_eq!(KeyPrefix::parse("agent_tok"), None);
    }

    #[test]
    fn of_our_own_lengths_a_pattern_needs_what_our_own_strings_have_only_in_front() {
        for length in 56..=74 {
            assert_eq!(pattern("sk", length), Err(PatternProblem::OwnKeys(length - 54)), "{length}");
        }
        // Our own string of 56 characters has a prefix of two, and digits and letters behind it.
        assert!(pattern("sk_live_", 56).is_ok() && pattern("sk_live_", 61).is_ok());
        assert_eq!(pattern("sk_live_", 62), Err(PatternProblem::OwnKeys(8)));
        assert_eq!(pattern("skABC", 56), Err(PatternProblem::OwnKeys(2)));
    }

    #[test]
    fn a_string_is_matched_by_prefix_and_exact_length() {
        let sim = pattern("sk-sim-", 39).unwrap();
        assert!(matches(&sim, &format!("sk-sim-{}", "x".repeat(32))));
        assert!(matches(&sim, &format!("sk-sim-{}", "+/=!~'".repeat(6).get(..32).unwrap())));
        for text in [
            format!("sk-sim-{}", "x".repeat(31)),
            format!("sk-sim-{}", "x".repeat(33)),
            format!("sk-sin-{}", "x".repeat(32)),
            format!("Sk-sim-{}", "x".repeat(32)),
            format!("sk-sim-{}.", "x".repeat(31)),
            format!("sk-sim-{},", "x".repeat(31)),
            format!("sk-sim-{} ", "x".repeat(31)),
            format!(" sk-sim-{}", "x".repeat(31)),
            format!("sk-sim-{}\0", "x".repeat(31)),
            format!("sk-sim-{}é", "x".repeat(30)),
            String::new(),
            "x".repeat(1 << 20),
        ] {
            assert!(!matches(&sim, &text), "{text:.60}");
        }
        assert!(!KeyPatterns::default().match_key(&ForeignKey::parse(&"x".repeat(39)).unwrap()));
    }

    #[test]
    fn what_looks_like_something_of_our_own_is_never_foreign() {
        let own = PlainKey::random(&Environment::Live.default_prefix());
        assert!(matches!(PresentedKey::parse(own.expose()), Ok(PresentedKey::Own(_))));
        for text in [
            own.expose()[1..].to_owned(),
            own.expose().replace("sk_live_", "sk_test_"),
            format!("agent_tok_{}", base62(30)),
            format!("eyJ{}", base62(30)),
        ] {
            assert!(PresentedKey::parse(&text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_key_is_found_in_a_text() {
        let sim = pattern("sk-sim-", 39).unwrap();
        let key = format!("sk-sim-{}", "x".repeat(32));
        assert!(sim.is_in(&key) && sim.is_in(&format!("sk-sim-»{key}é")));
        assert!(pattern("aa", 20).unwrap().is_in(&format!("a{}", "a".repeat(20))));
        assert!(!sim.is_in(&key[..38]) && !sim.is_in("moved over from sk-sim- in the spring of last year"));
    }

    #[test]
    fn debug_shows_nothing() {
        let key = PresentedKey::parse(&format!("sk-sim-{}", "secret".repeat(5))).unwrap();
        assert_eq!(format!("{key:?}"), "Foreign(ForeignKey(…))");
    }

    prop_compose! {
        /// Patterns that are close to our own strings and tokens, accepted or not.
        fn any_pattern()(
            prefix in "[Aa0gs_-][Aaegkyw_-][A-Za-z0-9_-]{0,18}|ey[A-Za-z0-9_-]{0,10}|agent_?[a-z]{0,5}",
            length in prop_oneof![18usize..=80, 18usize..=210],
        ) -> Option<KeyPattern> {
            KeyPattern::new(KeyPrefix::parse(&prefix)?, length).ok()
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// The string is made to match as far as one of our own can: its own prefix is as much of the pattern's as fits.
        #[test]
        fn no_string_of_ours_matches_a_pattern(pattern in any_pattern(), rest in "[A-Za-z0-9_-]{20}") {
            let Some(pattern) = pattern else { return Ok(()) };
            let Some(own) = PlainKey::prefix_length(pattern.length()) else { return Ok(()) };
            let prefix = &format!("{}{rest}", pattern.prefix().as_str())[..own];
            if let Some(prefix) = KeyPrefix::parse(prefix) {
                let key = PlainKey::random(&prefix);
                prop_assert_eq!(key.expose().len(), pattern.length());
                // What the pattern says behind the prefix no id and secret can be.
                let behind = pattern.prefix().as_str().get(own..).unwrap_or_default();
                prop_assert!(!behind.bytes().all(|byte| byte.is_ascii_alphanumeric()));
                prop_assert!(!matches(&pattern, key.expose()));
                prop_assert!(!key.expose().starts_with(pattern.prefix().as_str()));
            }
        }

        #[test]
        fn no_token_matches_a_pattern(pattern in any_pattern(), space in "[ \"\n\r\t]", claims in "[A-Za-z0-9_-]{180}") {
            let Some(pattern) = pattern else { return Ok(()) };
            // `{` and what may stand behind it.
            let first = (u32::from(b'{') << 16) | (u32::from(space.as_bytes()[0]) << 8) | u32::from(b'"');
            let digits = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
            let start: String = [18, 12, 6, 0].map(|bits| char::from(digits[(first >> bits & 63) as usize])).iter().collect();
            let jwt = format!("{start}.{claims}.{claims}");
            prop_assert!(!matches(&pattern, &jwt[..pattern.length()]));
            // Nor would it without its dots.
            prop_assert!(!start.starts_with(&pattern.prefix().as_str()[..2]));
            let agent = format!("agent_tok_{claims}{claims}");
            prop_assert!(!matches(&pattern, &agent[..pattern.length()]));
            prop_assert!(!agent.starts_with(pattern.prefix().as_str()));
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text in "\\PC*") {
            let _ = PresentedKey::parse(&text);
            let _ = pattern("sk-sim-", 39).unwrap().is_in(&text);
        }
    }
}
