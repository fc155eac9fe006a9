//! Hashing and verifying passwords: a few at once, and always as long.

use std::sync::LazyLock;

use domain::{Password, PasswordHash};
use edge::ApiError;
use tokio::sync::Semaphore;

/// Hashing takes 19 MB and a core each: no more of them at once, where one process serves several requests.
static HASHING: Semaphore = Semaphore::const_new(2);

/// What a password is verified with where there is no account: random digits in the place of a hash, which nothing
/// hashes to.
const NOBODY: &str =
    "$argon2id$v=19$m=19456,t=2,p=1$U+tdn76Y0284KUl7zAy3lw$yTotIrjQm+QDWqHLTqdlGkASl5iJghzxjPwr1cDTrNU";
static NOBODYS_HASH: LazyLock<Option<PasswordHash>> = LazyLock::new(|| PasswordHash::parse(NOBODY));

/// Hashes a new password, in its turn.
///
/// # Errors
/// 503 where it can't be hashed now.
pub async fn hash(password: Password) -> Result<PasswordHash, ApiError> {
    in_turn(move || PasswordHash::of(&password)).await
}

/// Whether `password` is the one that was hashed. Where there is no hash, or the text is too long to be a password, the
/// answer is no after the same time.
pub(crate) async fn verify(hash: Option<PasswordHash>, password: Option<Password>) -> Result<bool, ApiError> {
    in_turn(move || {
        let (known, hash) = (hash.is_some(), hash.or_else(|| NOBODYS_HASH.clone()));
        let usable = password.is_some();
        let password = password.or_else(|| Password::presented(""));
        let same = hash.zip(password).is_some_and(|(hash, password)| hash.matches(&password));
        same && known && usable
    })
    .await
}

async fn in_turn<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let unavailable = |error: Box<dyn std::error::Error + Send + Sync>| ApiError::Unavailable(error);
    let _turn = HASHING.acquire().await.map_err(|error| unavailable(error.into()))?;
    tokio::task::spawn_blocking(work).await.map_err(|error| unavailable(error.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobodys_hash_is_of_the_form_and_no_passwords() {
        let hash = NOBODYS_HASH.clone().unwrap();
        assert!(!hash.matches(&Password::presented("").unwrap()));
        let real = PasswordHash::of(&Password::new("a-strong-password").unwrap());
        let parameters = |hash: &PasswordHash| hash.as_str().split('$').take(4).collect::<Vec<_>>().join("$");
        assert_eq!(parameters(&hash), parameters(&real), "as slow as any other");
    }
}
