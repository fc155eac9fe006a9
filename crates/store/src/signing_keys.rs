//! Signing keys at rest: the public half for all that verify, the wrapped private half for token-exchange alone.
//!
//! They lie in different partitions, so that a role can be given the one without the other.

use domain::Timestamp;

use crate::item::{Attributes, Reader, Writer, binary, primary_key, string};
use crate::{Store, StoreError, Table};

const PUBLIC: &str = "PUBLIC";
const PRIVATE: &str = "PRIVATE";
const ACTIVE: &str = "ACTIVE";

/// The public half.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKeyItem {
    /// The key's id in token headers and the JWKS.
    pub kid: String,
    /// The JWA name of its algorithm.
    pub algorithm: String,
    /// The public JWK as JSON.
    pub jwk: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// The private half, wrapped.
#[derive(Clone, PartialEq, Eq)]
pub struct PrivateKeyItem {
    /// The key's id.
    pub kid: String,
    /// The JWA name of its algorithm.
    pub algorithm: String,
    /// What the wrapper made of it; only the wrapper can read it.
    pub wrapped: Vec<u8>,
}

impl std::fmt::Debug for PrivateKeyItem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("PrivateKeyItem")
            .field("kid", &self.kid)
            .field("algorithm", &self.algorithm)
            .finish_non_exhaustive()
    }
}

impl Store {
    /// Every public half, in the order of their ids.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn signing_key_publics(&self) -> Result<Vec<PublicKeyItem>, StoreError> {
        let items = self.query_all(Table::Signing, "pk = :public", [(":public", string(PUBLIC))]).await?;
        items.iter().map(read_public).collect()
    }

    /// The private half of the key that signs with `algorithm` now; `None` before the first.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn signing_key_active(&self, algorithm: &str) -> Result<Option<PrivateKeyItem>, StoreError> {
        let Some(active) = self.signing_item(ACTIVE, algorithm).await? else { return Ok(None) };
        let kid = Reader(&active).string("kid")?.to_owned();
        let item = self.signing_item(PRIVATE, &kid).await?.ok_or(StoreError::Corrupt("kid"))?;
        let reader = Reader(&item);
        Ok(Some(PrivateKeyItem {
            kid,
            algorithm: reader.string("algorithm")?.to_owned(),
            wrapped: reader.binary("wrapped")?.to_vec(),
        }))
    }

    /// Makes a key the first of its algorithm, both halves in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Exists`] or [`StoreError::Contended`] where another was faster or is at it: the one that is
    /// there is the one to use. [`StoreError::Unavailable`].
    pub async fn signing_key_create_first(
        &self,
        public: &PublicKeyItem,
        private: &PrivateKeyItem,
    ) -> Result<(), StoreError> {
        let active = Writer::new(ACTIVE, &public.algorithm).with_string("kid", &public.kid).done();
        let public_item = Writer::new(PUBLIC, &public.kid)
            .with_string("kid", &public.kid)
            .with_string("algorithm", &public.algorithm)
            .with_string("jwk", &public.jwk)
            .with_time("created_at", public.created_at)
            .done();
        let private_item = Writer::new(PRIVATE, &private.kid)
            .with_string("algorithm", &private.algorithm)
            .with("wrapped", binary(private.wrapped.as_slice()))
            .done();
        Ok(self.create_together(Table::Signing, [active, public_item, private_item]).await?)
    }

    async fn signing_item(&self, pk: &str, sk: &str) -> Result<Option<Attributes>, StoreError> {
        self.get(Table::Signing, primary_key(pk, sk)).await
    }
}

fn read_public(item: &Attributes) -> Result<PublicKeyItem, StoreError> {
    let reader = Reader(item);
    Ok(PublicKeyItem {
        kid: reader.string("kid")?.to_owned(),
        algorithm: reader.string("algorithm")?.to_owned(),
        jwk: reader.string("jwk")?.to_owned(),
        created_at: reader.time("created_at")?,
    })
}
