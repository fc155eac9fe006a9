//! A signing key that is published.

use domain::{KeyState, PublishedKey, Turn};
use signing::{Algorithm, Audience, KeyMaterial, Signer};
use store::Store;
use store::signing_keys::NewSigningKey;

use crate::builders::{act, now};

/// The issuer of all tests.
pub const ISSUER: &str = "https://auth.example";

/// A verifier's settings for [`ISSUER`].
#[must_use]
pub fn audience() -> Audience {
    Audience { issuer: ISSUER.to_owned(), resource: ISSUER.to_owned() }
}

/// Makes a signing key of an algorithm that has none yet, and publishes it in `store` as one that signs.
pub async fn published_signer(store: &Store, algorithm: Algorithm) -> Signer {
    make(store, &first_turn(store, algorithm).await).await
}

/// Publishes a key that a test has made, of an algorithm that has none yet.
pub async fn publish(store: &Store, signer: &Signer) {
    put(store, &first_turn(store, signer.public().algorithm).await, signer).await;
}

async fn first_turn(store: &Store, algorithm: Algorithm) -> Turn {
    let mut turn = store.signing_keys().await.unwrap().due(algorithm, now());
    turn.wants = Some(PublishedKey { algorithm, state: KeyState::Active(now()) });
    turn
}

/// Withdraws the one signing key of ES256, and answers the one that signs in its place.
pub async fn withdraw_signer(store: &Store, signer: &Signer) -> Signer {
    let keys = store.signing_keys().await.unwrap();
    make(store, &keys.withdrawn(&signer.public().kid, Algorithm::Es256, now()).unwrap()).await
}

async fn make(store: &Store, turn: &Turn) -> Signer {
    let signer = Signer::new(&KeyMaterial::generate(turn.wants.unwrap().algorithm).unwrap()).unwrap();
    put(store, turn, &signer).await;
    signer
}

async fn put(store: &Store, turn: &Turn, signer: &Signer) {
    let public = signer.public();
    let new = NewSigningKey::new(public.kid.clone(), public.algorithm, public.json.clone(), vec![0], now());
    assert!(store.signing_keys_turn(turn, Some(&new), &act()).await.unwrap());
}
