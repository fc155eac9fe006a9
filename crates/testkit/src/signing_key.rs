//! A signing key that is published.

use signing::{Algorithm, Audience, KeyMaterial, Signer};
use store::Store;
use store::signing_keys::{PrivateKeyItem, PublicKeyItem};

use crate::builders::now;

/// The issuer of all tests.
pub const ISSUER: &str = "https://auth.example";

/// A verifier's settings for [`ISSUER`].
#[must_use]
pub fn audience() -> Audience {
    Audience { issuer: ISSUER.to_owned(), resource: ISSUER.to_owned() }
}

/// Makes a signing key and publishes it in `store`.
pub async fn published_signer(store: &Store, algorithm: Algorithm) -> Signer {
    let signer = Signer::new(&KeyMaterial::generate(algorithm).unwrap()).unwrap();
    let public = signer.public();
    let algorithm = public.algorithm.name().to_owned();
    let item = PublicKeyItem {
        kid: public.kid.clone(),
        algorithm: algorithm.clone(),
        jwk: public.json.clone(),
        created_at: now(),
    };
    let private = PrivateKeyItem { kid: public.kid.clone(), algorithm, wrapped: vec![0] };
    store.signing_key_create_first(&item, &private).await.unwrap();
    signer
}
