//! A local master key: AES-256-GCM, with the context as additional data, as KMS binds its encryption context.

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{HKDF_SHA256, Salt};
use domain::random;

use super::{WrapContext, WrapError};

/// First byte of everything wrapped here, so that another wrapper's form can be told apart.
const FORM: u8 = 1;
const NONCE: usize = 12;
/// A secret shorter than this is none.
const MIN_SECRET: usize = 32;

/// A key that is derived from a secret.
pub struct MasterKey {
    key: LessSafeKey,
}

impl MasterKey {
    /// Derives the wrapping key from a random secret of at least 32 characters (HKDF, RFC 5869).
    ///
    /// # Errors
    /// [`WrapError::NotConfigured`] where it is shorter.
    pub fn new(secret: &str) -> Result<Self, WrapError> {
        if secret.len() < MIN_SECRET {
            return Err(WrapError::NotConfigured);
        }
        let extracted = Salt::new(HKDF_SHA256, b"keygate").extract(secret.as_bytes());
        let derived = extracted.expand(&[b"wrap signing keys"], &AES_256_GCM).map_err(|_| WrapError::NotConfigured)?;
        Ok(Self { key: LessSafeKey::new(UnboundKey::from(derived)) })
    }

    pub(super) fn wrap(&self, plain: &[u8], context: WrapContext<'_>) -> Result<Vec<u8>, WrapError> {
        let nonce = random::bytes::<NONCE>();
        let mut sealed = plain.to_vec();
        self.key
            .seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), context.aad(), &mut sealed)
            .map_err(|_| WrapError::Refused)?;
        Ok([&[FORM], nonce.as_slice(), &sealed].concat())
    }

    pub(super) fn unwrap(&self, wrapped: &[u8], context: WrapContext<'_>) -> Result<Vec<u8>, WrapError> {
        let [FORM, rest @ ..] = wrapped else { return Err(WrapError::Refused) };
        let (nonce, sealed) = rest.split_first_chunk::<NONCE>().ok_or(WrapError::Refused)?;
        let mut opened = sealed.to_vec();
        let plain = self
            .key
            .open_in_place(Nonce::assume_unique_for_key(*nonce), context.aad(), &mut opened)
            .map_err(|_| WrapError::Refused)?;
        Ok(plain.to_vec())
    }
}

impl std::fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("MasterKey")
    }
}

impl WrapContext<'_> {
    fn aad(self) -> Aad<String> {
        Aad::from(self.pairs().map(|(name, value)| format!("{name}={value}")).join(";"))
    }
}

#[cfg(test)]
mod tests {
    use domain::Algorithm;

    use super::*;

    const CONTEXT: WrapContext<'_> = WrapContext { kid: "one", algorithm: Algorithm::Es256 };

    fn wrapper(secret: char) -> MasterKey {
        MasterKey::new(&secret.to_string().repeat(32)).unwrap()
    }

    #[test]
    fn a_wrapped_key_opens_in_its_own_context_alone() {
        let wrapped = wrapper('a').wrap(b"private", CONTEXT).unwrap();
        assert_eq!(wrapper('a').unwrap(&wrapped, CONTEXT).unwrap(), b"private");
        let other_kid = WrapContext { kid: "two", ..CONTEXT };
        let other_algorithm = WrapContext { algorithm: Algorithm::EdDsa, ..CONTEXT };
        assert_eq!(wrapper('a').unwrap(&wrapped, other_kid), Err(WrapError::Refused));
        assert_eq!(wrapper('a').unwrap(&wrapped, other_algorithm), Err(WrapError::Refused));
        assert_eq!(wrapper('b').unwrap(&wrapped, CONTEXT), Err(WrapError::Refused));
    }

    #[test]
    fn no_changed_byte_is_taken() {
        let wrapped = wrapper('a').wrap(b"private", CONTEXT).unwrap();
        for place in 0..wrapped.len() {
            let mut changed = wrapped.clone();
            changed[place] ^= 1;
            assert_eq!(wrapper('a').unwrap(&changed, CONTEXT), Err(WrapError::Refused), "byte {place}");
        }
        for length in 0..wrapped.len() {
            assert_eq!(wrapper('a').unwrap(&wrapped[..length], CONTEXT), Err(WrapError::Refused), "cut at {length}");
        }
    }

    #[test]
    fn two_wraps_of_one_key_differ_and_show_nothing_of_it() {
        let [one, two] = [(), ()].map(|()| wrapper('a').wrap(b"private", CONTEXT).unwrap());
        assert_ne!(one, two);
        assert!(!one.windows(7).any(|window| window == b"private"));
    }

    #[test]
    fn a_short_secret_is_no_wrapper() {
        for secret in ["", "short", &"a".repeat(31)] {
            assert_eq!(MasterKey::new(secret).unwrap_err(), WrapError::NotConfigured);
        }
    }
}
