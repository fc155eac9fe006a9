//! Tokens whose signature is known to be right.
//!
//! Who has a token sends it with every call, up to an hour long, and its signature costs more than everything else of a call
//! together. It is a matter of the token's bytes and of the key alone, so what one verification has said stays true; only the
//! bytes' hash is kept, and what they claim. Everything that changes (the time, whether the key is still published, what was
//! ended) is asked with every call, as for a token that is new.
//!
//! A token is kept only after its signature was right: nobody gets anything in here, or out of it, by sending what is none.

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::{Claims, HashedKey};
use lru::LruCache;
use signing::{TokenRefusal, UnverifiedToken, VerifyingKey};

use crate::bounded::bounded;

/// How many are kept, of less than a kilobyte each: those that came last.
const KEPT: NonZeroUsize = NonZeroUsize::new(1024).unwrap();

pub(crate) struct Verified {
    tokens: Mutex<LruCache<HashedKey, Token>>,
}

struct Token {
    /// What has verified it.
    by: Arc<VerifyingKey>,
    claims: Arc<Claims>,
}

impl Verified {
    pub(crate) fn new() -> Self {
        Self::keeping(KEPT)
    }

    fn keeping(tokens: NonZeroUsize) -> Self {
        Self { tokens: Mutex::new(bounded(tokens)) }
    }

    /// What a token says that `key` has signed, as [`VerifyingKey::claims`].
    pub(crate) fn claims(
        &self,
        token: &UnverifiedToken<'_>,
        key: &Arc<VerifyingKey>,
    ) -> Result<Arc<Claims>, TokenRefusal> {
        let hash = HashedKey::of_bytes(token.text().as_bytes());
        if let Some(known) = self.lock().get(&hash).filter(|known| Arc::ptr_eq(&known.by, key)) {
            return Ok(known.claims.clone());
        }
        let claims = Arc::new(key.claims(token)?);
        self.lock().put(hash, Token { by: key.clone(), claims: claims.clone() });
        Ok(claims)
    }

    /// Forgets everything.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<HashedKey, Token>> {
        // Nothing panics while it is held.
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use signing::{Algorithm, KeyMaterial, Signer};
    use testkit::TestStore;

    use super::*;

    fn key_of(signer: &Signer) -> Arc<VerifyingKey> {
        let public = signer.public();
        Arc::new(VerifyingKey::from_jwk(public.algorithm, &public.json).unwrap())
    }

    fn signer() -> Signer {
        Signer::new(&KeyMaterial::generate(Algorithm::Es256).unwrap()).unwrap()
    }

    #[tokio::test]
    async fn a_signature_is_asked_for_once_and_the_tokens_that_came_last_are_kept() {
        let test = TestStore::start().await;
        let account = test.account().await;
        let (signer, verified) = (signer(), Verified::keeping(NonZeroUsize::new(2).unwrap()));
        let key = key_of(&signer);
        let token =
            || signer.sign(&testkit::TestKey::new(&account.client, "read").claims_in(&account.workspace)).unwrap();
        let tokens = [token(), token(), token()];
        let claims = |place: usize| verified.claims(&UnverifiedToken::parse(&tokens[place]).unwrap(), &key).unwrap();
        let (first, second) = (claims(0), claims(1));
        assert!(Arc::ptr_eq(&first, &claims(0)) && Arc::ptr_eq(&second, &claims(1)));
        assert!(Arc::ptr_eq(&first, &claims(0)));
        claims(2);
        assert!(Arc::ptr_eq(&first, &claims(0)), "it came before the last");
        assert!(!Arc::ptr_eq(&second, &claims(1)), "gone for the third");
        verified.clear();
        assert!(!Arc::ptr_eq(&first, &claims(0)));
    }

    #[tokio::test]
    async fn what_one_key_has_verified_another_has_not() {
        let test = TestStore::start().await;
        let account = test.account().await;
        let (signer, stranger, verified) = (signer(), signer(), Verified::new());
        let token = signer.sign(&testkit::TestKey::new(&account.client, "read").claims_in(&account.workspace)).unwrap();
        let token = UnverifiedToken::parse(&token).unwrap();
        assert!(verified.claims(&token, &key_of(&signer)).is_ok());
        assert_eq!(verified.claims(&token, &key_of(&stranger)).unwrap_err(), TokenRefusal::Signature);
        assert!(verified.claims(&token, &key_of(&signer)).is_ok());
    }
}
