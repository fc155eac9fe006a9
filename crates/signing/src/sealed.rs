//! What one secret alone opens: encrypted under a key that is derived from it, and kept beside its hash.
//!
//! 1. HKDF-SHA256 (RFC 5869) makes an AES-256-GCM key of the secret. It is random and long, so no slow hash is needed.
//! 2. Each secret seals once, under a random nonce that stands before the ciphertext.
//! 3. Whoever reads the store has the hash and what is sealed, and can open nothing.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use domain::random;

/// First byte of everything sealed here, so that another form can be told apart.
const FORM: u8 = 1;
const NONCE: usize = 12;

/// Seals `plain` so that `secret` opens it, for this `purpose` alone; `None` where the library fails.
///
/// # Panics
/// Where the operating system gives no random bytes.
#[must_use]
pub fn seal(secret: &str, purpose: &str, plain: &[u8]) -> Option<Vec<u8>> {
    let nonce = random::bytes::<NONCE>();
    let mut sealed = plain.to_vec();
    let key = key_of(secret, purpose)?;
    key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), Aad::empty(), &mut sealed).ok()?;
    Some([&[FORM], nonce.as_slice(), &sealed].concat())
}

/// Opens what [`seal`] has sealed; `None` for another secret, another purpose, or what was changed since.
#[must_use]
pub fn open(secret: &str, purpose: &str, sealed: &[u8]) -> Option<Vec<u8>> {
    let [FORM, rest @ ..] = sealed else { return None };
    let (nonce, sealed) = rest.split_first_chunk::<NONCE>()?;
    let mut opened = sealed.to_vec();
    let key = key_of(secret, purpose)?;
    let plain = key.open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::empty(), &mut opened).ok()?;
    Some(plain.to_vec())
}

fn key_of(secret: &str, purpose: &str) -> Option<LessSafeKey> {
    let extracted = Salt::new(HKDF_SHA256, b"keygate sealed").extract(secret.as_bytes());
    let info = [purpose.as_bytes()];
    let derived = extracted.expand(&info, &AES_256_GCM).ok()?;
    Some(LessSafeKey::new(UnboundKey::from(derived)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_secret_opens_it_and_for_its_own_purpose() {
        let sealed = seal("secret", "successor", b"the next one").unwrap();
        assert_eq!(open("secret", "successor", &sealed).unwrap(), b"the next one");
        assert_eq!(open("secret", "another", &sealed), None);
        for other in ["", "Secret", "secret ", "secre"] {
            assert_eq!(open(other, "successor", &sealed), None, "{other}");
        }
    }

    #[test]
    fn what_was_changed_or_is_none_opens_nothing() {
        let sealed = seal("secret", "successor", b"the next one").unwrap();
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(open("secret", "successor", &changed), None, "at {place}");
        }
        for length in 0..sealed.len() {
            assert_eq!(open("secret", "successor", &sealed[..length]), None, "cut at {length}");
        }
    }

    #[test]
    fn the_same_is_sealed_differently_each_time_and_shows_nothing() {
        let once = seal("secret", "successor", b"the next one").unwrap();
        assert_ne!(once, seal("secret", "successor", b"the next one").unwrap());
        assert!(!once.windows(4).any(|part| b"the next one".windows(4).any(|plain| plain == part)));
    }
}
