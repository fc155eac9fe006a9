//! Passwords: what may be one, and how they are kept (NIST SP 800-63B-4, section 3.1.1; OWASP ASVS 5, chapter 6).

use std::fmt;

use argon2::password_hash::phc::PasswordHash as Phc;
use argon2::{Argon2, PasswordHasher as _, PasswordVerifier as _};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use crate::random;

/// The fewest characters of a new password.
const MIN: usize = 12;
/// The most characters of any password: hashing has a cost, and nobody types more.
const MAX: usize = 1024;

/// A password in the clear, composed (NFC), so that it does not depend on the keyboard it was typed on. `Debug` shows
/// nothing of it.
pub struct Password(String);

/// Why something can't be a new password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum PasswordProblem {
    /// Fewer than 12 characters.
    #[error("a password must have {MIN} characters at least")]
    TooShort,
    /// More than 1,024 characters.
    #[error("a password must have {MAX} characters at most")]
    TooLong,
    /// One of those that are tried first.
    #[error("this password is among the first that anybody would try")]
    Guessable,
}

impl Password {
    /// Takes a new password.
    ///
    /// # Errors
    /// [`PasswordProblem`].
    pub fn new(text: &str) -> Result<Self, PasswordProblem> {
        let password = Self::presented(text).ok_or(PasswordProblem::TooLong)?;
        if password.0.chars().count() < MIN {
            return Err(PasswordProblem::TooShort);
        }
        if is_guessable(&password.0) {
            return Err(PasswordProblem::Guessable);
        }
        Ok(password)
    }

    /// Takes a password that somebody logs in with; `None` where it is too long to be one.
    #[must_use]
    pub fn presented(text: &str) -> Option<Self> {
        // Bytes first: counting the letters of a megabyte is work already.
        if text.len() > MAX * 4 {
            return None;
        }
        let composed: String = text.nfc().collect();
        (composed.chars().count() <= MAX).then_some(Self(composed))
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(…)")
    }
}

/// The words and runs that common passwords are made of; one that is nothing but these is guessed first.
const COMMON: [&str; 40] = [
    "password",
    "passw0rd",
    "p@ssw0rd",
    "p@ssword",
    "pass",
    "word",
    "qwertyuiop",
    "qwerty",
    "asdfghjkl",
    "zxcvbnm",
    "1q2w3e4r5t",
    "1q2w3e4r",
    "1qaz2wsx",
    "qazwsx",
    "abcdefghijkl",
    "abcdef",
    "abc",
    "letmein",
    "welcome",
    "iloveyou",
    "admin",
    "administrator",
    "login",
    "master",
    "dragon",
    "monkey",
    "football",
    "baseball",
    "sunshine",
    "princess",
    "trustno1",
    "changeme",
    "secret",
    "default",
    "test",
    "user",
    "root",
    "hello",
    "keygate",
    "superman",
];

/// Whether a password is made of common pieces and little else: those words, runs of neighbouring or equal digits and
/// letters, and punctuation.
fn is_guessable(password: &str) -> bool {
    let lower = password.to_lowercase();
    let mut rest = lower.as_str();
    let mut own = 0;
    while let Some(letter) = rest.chars().next() {
        let piece = COMMON.iter().filter(|word| rest.starts_with(**word)).map(|word| word.len()).max();
        let length = piece.unwrap_or_default().max(run(rest));
        if length > 0 {
            rest = &rest[length..];
        } else {
            own += usize::from(letter.is_alphanumeric());
            rest = &rest[letter.len_utf8()..];
        }
    }
    own < 4
}

/// The length in bytes of the run of at least three equal or neighbouring letters or digits that `text` begins with.
fn run(text: &str) -> usize {
    let bytes = text.as_bytes();
    [0i16, 1, -1]
        .into_iter()
        .map(|step| {
            let neighbours = bytes.windows(2).take_while(|pair| {
                pair.iter().all(u8::is_ascii_alphanumeric) && i16::from(pair[1]) - i16::from(pair[0]) == step
            });
            neighbours.count() + 1
        })
        .filter(|length| *length >= 3)
        .max()
        .unwrap_or_default()
}

/// What is kept of a password: argon2id (m = 19,456 KiB, t = 2, p = 1) in PHC form. `Debug` shows nothing of it.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes a password with a new random salt. This takes milliseconds and 19 MB by design.
    ///
    /// # Panics
    /// Where the operating system gives no random bytes, or no memory.
    #[must_use]
    pub fn of(password: &Password) -> Self {
        let salt = random::bytes::<16>();
        #[expect(clippy::expect_used, reason = "constant parameters and a salt of a fixed length")]
        let hash = Argon2::default().hash_password_with_salt(password.0.as_bytes(), &salt).expect("argon2id hashes");
        Self(hash.to_string())
    }

    /// Takes a hash that was kept; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Phc::new(text).is_ok().then(|| Self(text.to_owned()))
    }

    /// The text to keep.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the password is the one that was hashed. As slow as hashing, whatever the answer.
    #[must_use]
    pub fn matches(&self, password: &Password) -> bool {
        Phc::new(&self.0).is_ok_and(|hash| Argon2::default().verify_password(password.0.as_bytes(), &hash).is_ok())
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_is_kept_as_argon2id_and_matches_itself_alone() {
        let password = Password::new("a-strong-password").unwrap();
        let hash = PasswordHash::of(&password);
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", hash.as_str());
        assert!(hash.matches(&password));
        assert!(!hash.matches(&Password::presented("a-strong-passwore").unwrap()));
        assert_ne!(hash, PasswordHash::of(&password), "salted");
        assert_eq!(PasswordHash::parse(hash.as_str()), Some(hash));
        assert_eq!(PasswordHash::parse("a-strong-password"), None);
    }

    #[test]
    fn a_password_does_not_depend_on_how_it_was_composed_and_is_never_cut() {
        let composed = Password::new("Müller-trinkt-Tee").unwrap();
        let hash = PasswordHash::of(&composed);
        assert!(hash.matches(&Password::presented("Mu\u{308}ller-trinkt-Tee").unwrap()));
        let long = "correct horse battery staple ".repeat(30);
        let hash = PasswordHash::of(&Password::new(&long).unwrap());
        assert!(!hash.matches(&Password::presented(&long[..long.len() - 1]).unwrap()));
    }

    #[test]
    fn length_counts_letters() {
        assert_eq!(Password::new("äöüßéñçåøæœ").unwrap_err(), PasswordProblem::TooShort);
        assert!(Password::new("äöüßéñçåøæœþ").is_ok());
        assert!(Password::new(&"xy4%".repeat(256)).is_ok());
        assert_eq!(Password::new(&"xy4%z".repeat(205)).unwrap_err(), PasswordProblem::TooLong);
        assert!(Password::presented(&"x".repeat(1 << 20)).is_none());
        assert!(Password::presented("short").is_some());
    }

    #[test]
    fn the_first_guesses_are_refused() {
        for bad in [
            "passwordpassword",
            "password1234",
            "Password123!",
            "P@ssw0rd1234",
            "qwertyuiop123",
            "123456789012",
            "1234567890abc",
            "aaaaaaaaaaaa",
            "abcdefghijklmnop",
            "letmein12345!",
            "adminadmin123",
            "welcome12345",
            "000000000000",
            "iloveyou1234",
            "987654321098",
        ] {
            assert_eq!(Password::new(bad).unwrap_err(), PasswordProblem::Guessable, "{bad}");
        }
        for good in ["a-strong-password", "correct horse battery", "kX9#mPq2vL5!", "tuesday-tea-at-noon"] {
            assert!(Password::new(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn debug_shows_nothing() {
        let password = Password::new("a-strong-password").unwrap();
        assert_eq!(format!("{password:?} {:?}", PasswordHash::of(&password)), "Password(…) PasswordHash(…)");
    }
}
