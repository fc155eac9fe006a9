//! The key string: `<prefix><id: 16 base62><secret: 32 base62><check: 6 base62>`.
//!
//! The check is the CRC-32 (ISO-HDLC) of all that stands before it. It is no secret: it lets a mistyped or cut
//! string be refused before anything is read, and lets scanners find leaked keys without false alarms.

use std::fmt;
use std::ops::RangeInclusive;

use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use thiserror::Error;

use crate::id::KeyId;
use crate::random::{self, BASE62};

const ID: usize = 16;
const SECRET: usize = 32;
const CHECK: usize = 6;
const TAIL: usize = ID + SECRET + CHECK;
/// How an agent's token begins, and therefore no key.
pub(crate) const AGENT_TOKEN: &str = "agent_tok";

/// What stands before the random part: `sk_live_`, `sk_test_`, or a client's own.
///
/// 2 to 20 characters of `[A-Za-z0-9_-]`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct KeyPrefix(String);

impl KeyPrefix {
    /// How long it may be.
    pub(crate) const LENGTHS: RangeInclusive<usize> = 2..=20;

    /// Reads a prefix; `None` where it has another length, other characters, or is one that marks agent tokens.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::is_one(text).then(|| Self(text.to_owned()))
    }

    fn is_one(text: &str) -> bool {
        Self::LENGTHS.contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
            && !text.starts_with(AGENT_TOKEN)
    }

    /// The prefix as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A key string in the clear: well-formed, its check right, nothing else known of it.
///
/// Only the holder and the one answer that creates it ever see it; `Debug` shows the prefix alone.
#[derive(Clone)]
pub struct PlainKey(String);

/// The string is not a key: wrong length, characters or check.
#[derive(Debug, Error, PartialEq, Eq)]
#[error("not a well-formed API key")]
pub struct MalformedKey;

impl PlainKey {
    /// A new key with a new id and a new secret (about 190 bits).
    ///
    /// # Panics
    /// Where the operating system gives no random bytes.
    #[must_use]
    pub fn random(prefix: &KeyPrefix) -> Self {
        Self::random_for(prefix, &KeyId::random())
    }

    /// A key of an id that exists, with a new secret.
    ///
    /// # Panics
    /// Where the operating system gives no random bytes.
    #[must_use]
    pub fn random_for(prefix: &KeyPrefix, id: &KeyId) -> Self {
        Self(checked(format!("{}{}{}", prefix.as_str(), id.digits(), random::base62(SECRET))))
    }

    /// Takes a string for a key.
    ///
    /// # Errors
    /// [`MalformedKey`] for anything but exactly one well-formed key; spaces around it do not belong to it.
    pub fn parse(text: &str) -> Result<Self, MalformedKey> {
        if !Self::has_form(text) {
            return Err(MalformedKey);
        }
        if has_right_check(text) { Ok(Self(text.to_owned())) } else { Err(MalformedKey) }
    }

    /// Whether it is built like a key, right or wrong as its check may be.
    pub(crate) fn has_form(text: &str) -> bool {
        // The length first: a megabyte costs nothing.
        let Some(prefix) = Self::prefix_length(text.len()).filter(|_| text.is_ascii()) else { return false };
        let (prefix, tail) = text.split_at(prefix);
        KeyPrefix::is_one(prefix) && tail.bytes().all(|byte| byte.is_ascii_alphanumeric())
    }

    /// How long the prefix is of a key that has `length` characters; `None` where none has so many.
    pub(crate) fn prefix_length(length: usize) -> Option<usize> {
        length.checked_sub(TAIL).filter(|prefix| KeyPrefix::LENGTHS.contains(prefix))
    }

    /// Whether a well-formed key stands anywhere in `text`.
    #[must_use]
    pub fn is_in(text: &str) -> bool {
        // By where its digits and letters end, since in most texts they nowhere do: this is asked of long ones, too.
        let mut run = 0;
        (1..=text.len()).any(|end| {
            run = if text.as_bytes()[end - 1].is_ascii_alphanumeric() { run + 1 } else { 0 };
            run >= TAIL
                && KeyPrefix::LENGTHS
                    .filter_map(|prefix| text.get(end.checked_sub(TAIL + prefix)?..end))
                    .any(|piece| KeyPrefix::is_one(&piece[..piece.len() - TAIL]) && has_right_check(piece))
        })
    }

    /// The id of the record that this string claims to belong to.
    ///
    /// # Panics
    /// Never: 16 base62 digits stand there in every [`PlainKey`].
    #[must_use]
    pub fn id(&self) -> KeyId {
        let start = self.0.len() - TAIL;
        #[expect(clippy::expect_used, reason = "both constructors put 16 base62 digits there")]
        KeyId::parse(&format!("{}{}", KeyId::PREFIX, &self.0[start..start + ID])).expect("16 base62 digits")
    }

    /// What stands before the random part.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.0[..self.0.len() - TAIL]
    }

    /// The same as what it is.
    ///
    /// # Panics
    /// Never: a prefix stands there in every [`PlainKey`].
    #[must_use]
    pub fn key_prefix(&self) -> KeyPrefix {
        #[expect(clippy::expect_used, reason = "both constructors put a prefix there")]
        KeyPrefix::parse(self.prefix()).expect("a prefix")
    }

    /// The SHA-256 of the whole string: all that is kept of it.
    #[must_use]
    pub fn hash(&self) -> HashedKey {
        HashedKey::of_text(&self.0)
    }

    /// The string itself, for the one answer that creates or rotates the key.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PlainKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PlainKey({}…)", self.prefix())
    }
}

/// The SHA-256 of a key string. A random secret of 190 bits needs no slow hash (OWASP ASVS 5, 6.5.2).
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct HashedKey([u8; 32]);

impl HashedKey {
    /// A hash that no string has: what an unknown id is compared with, so that it takes as long as a known one.
    pub const DUMMY: Self = Self([0; 32]);

    /// The 32 bytes of a stored hash; `None` for another length.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Reads 64 hex digits, of either case; `None` for anything else.
    #[must_use]
    pub fn parse_hex(text: &str) -> Option<Self> {
        let digits = text.chars().map(|digit| digit.to_digit(16)?.try_into().ok()).collect::<Option<Vec<u8>>>()?;
        let (pairs, rest) = digits.as_chunks::<2>();
        let bytes: Vec<u8> = pairs.iter().map(|[high, low]| high << 4 | low).collect();
        Self::from_bytes(&bytes).filter(|_| rest.is_empty())
    }

    /// The hash of any text, for names that must not show what they are made of.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// The hash of any bytes.
    #[must_use]
    pub fn of_bytes(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// The bytes to store.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Whether both are the same, in constant time.
    #[must_use]
    pub fn matches(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }

    /// A name for this secret that gives nothing away: `fp_` and 12 hex digits.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        format!("fp_{}", &self.to_hex()[..12])
    }

    /// All of it, in 64 hex digits.
    #[must_use]
    pub fn to_hex(&self) -> String {
        use fmt::Write as _;
        self.0.iter().fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}");
            text
        })
    }
}

impl fmt::Debug for HashedKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HashedKey({})", self.fingerprint())
    }
}

/// `body` with its check behind it.
pub(crate) fn checked(body: String) -> String {
    let check = check(&body);
    body + &check
}

/// Whether the last characters of an ASCII text, which must be that long, are the check of what stands before them.
pub(crate) fn has_right_check(text: &str) -> bool {
    let (body, given) = text.split_at(text.len() - CHECK);
    check_digits(body) == *given.as_bytes()
}

fn check(body: &str) -> String {
    check_digits(body).map(char::from).iter().collect()
}

fn check_digits(body: &str) -> [u8; CHECK] {
    let mut rest = crc32fast::hash(body.as_bytes());
    let mut digits = [b'0'; CHECK];
    for digit in digits.iter_mut().rev() {
        *digit = BASE62[(rest % 62) as usize];
        rest /= 62;
    }
    digits
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn live() -> KeyPrefix {
        KeyPrefix::parse("sk_live_").unwrap()
    }

    /// `body` with a right check behind it.
    fn checked(body: &str) -> String {
        super::checked(body.to_owned())
    }

    #[test]
    fn check_is_crc_32_iso_hdlc_in_base62() {
        // CRC-32/ISO-HDLC of "123456789" is the catalogue's check value 0xCBF43926 = 3,421,780,262.
        let value = "123456789".to_owned();
        let digits: u64 = check(&value)
            .bytes()
            .fold(0, |sum, byte| sum * 62 + BASE62.iter().position(|digit| *digit == byte).unwrap() as u64);
        assert_eq!(digits, 0xCBF4_3926);
        assert_eq!(check("").as_str(), "000000", "zero-padded");
    }

    #[test]
    fn new_key_reads_back() {
        let key = PlainKey::random(&live());
        let read = PlainKey::parse(key.expose()).unwrap();
        assert_eq!(read.id(), key.id());
        assert_eq!(read.prefix(), "sk_live_");
        assert_eq!(key.expose().len(), 8 + 54);
        assert!(read.hash().matches(&key.hash()));
        assert_eq!(key.hash().fingerprint().len(), 15);
    }

    #[test]
    fn a_key_is_found_in_a_text() {
        let key = PlainKey::random(&live());
        assert!(PlainKey::is_in(&format!("my key: »{}«", key.expose())));
        assert!(PlainKey::is_in(key.expose()));
        assert!(PlainKey::is_in(&format!("{}{}{}", "x".repeat(99), key.expose(), "x".repeat(99))));
        assert!(PlainKey::is_in(&format!("é{}é", key.expose())));
        assert!(!PlainKey::is_in(&key.expose()[1..61]));
        assert!(!PlainKey::is_in("production, the one that Alice made for the nightly export of 2026 (see the wiki)"));
    }

    #[test]
    fn a_hash_reads_back_from_its_hex() {
        let hash = HashedKey::of_text("x");
        assert_eq!(HashedKey::parse_hex(&hash.to_hex()), Some(hash.clone()));
        assert_eq!(HashedKey::parse_hex(&hash.to_hex().to_uppercase()), Some(hash.clone()));
        let hex = hash.to_hex();
        for bad in [
            "",
            &hex[1..],
            &hex[2..],
            &format!("{hex}0"),
            &format!("{hex}00"),
            &format!("+{}", &hex[1..]),
            &hex.replace('a', "g"),
        ] {
            assert_eq!(HashedKey::parse_hex(bad), None, "{bad}");
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let key = PlainKey::random(&live());
        assert_eq!(format!("{key:?}"), "PlainKey(sk_live_…)");
        assert!(!format!("{:?}", key.hash()).contains(&key.expose()[30..]));
    }

    #[test]
    fn own_prefixes_may_hold_what_the_contract_names() {
        for good in ["sk-sim-", "simbee_", "ab", "A1_-A1_-A1_-A1_-A1_-"] {
            let key = PlainKey::random(&KeyPrefix::parse(good).unwrap());
            assert_eq!(PlainKey::parse(key.expose()).unwrap().prefix(), good);
        }
        for bad in ["", "a", "abcdefghijklmnopqrstu", "sk.live", "sk live", "schlüssel_", "agent_tok_"] {
            assert_eq!(KeyPrefix::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn malformed_strings_are_refused_even_with_a_right_check() {
        let key = PlainKey::random(&live());
        let body = &key.expose()[..key.expose().len() - CHECK];
        assert!(PlainKey::parse(&checked(body)).is_ok());
        let bad = [
            String::new(),
            checked(&body[1..].replacen('k', "", 1)[..40]),
            checked(&format!("a{}", &body[8..])),
            checked(&format!("{}{body}", "x".repeat(20))),
            checked(&format!("sk live_{}", &body[8..])),
            checked(&format!("{}-", &body[..body.len() - 1])),
            format!(" {}", key.expose()),
            format!("{} ", key.expose()),
            format!("{}\0", key.expose()),
            "x".repeat(1 << 20),
            key.expose().replace("sk_live_", "sk_test_"),
        ];
        for text in bad {
            assert!(PlainKey::parse(&text).is_err(), "{text:.80}");
        }
    }

    proptest! {
        #[test]
        fn no_single_changed_character_passes(position in 0usize..62, byte in 0x20u8..0x7f) {
            let key = PlainKey::random(&live());
            let mut bytes = key.expose().as_bytes().to_vec();
            prop_assume!(bytes[position] != byte);
            bytes[position] = byte;
            prop_assert!(PlainKey::parse(std::str::from_utf8(&bytes).unwrap()).is_err());
        }

        #[test]
        fn any_text_is_answered_without_a_panic(text in "\\PC*") {
            let _ = PlainKey::parse(&text);
        }
    }
}
