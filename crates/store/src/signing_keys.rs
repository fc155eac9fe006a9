//! Signing keys at rest: the public half for all that verify, the wrapped private half for token-exchange alone, and where
//! each is in its life.
//!
//! They lie in different partitions, so that a role can be given the one without the other. All states are one item with
//! one revision: whatever becomes of the keys is a single transaction on the condition that nobody else was faster, so of
//! several that decide at once one is made, and the number of keys never passes its limit.

use std::collections::BTreeMap;

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::{
    Act, Action, Algorithm, ClientId, Deed, FeedKind, KeyState, Move, Party, PublishedKey, PublishedKeys, Timestamp,
    Turn,
};

use crate::calls::{delete_any, put_new};
use crate::change::{Change, Committed};
use crate::item::{Attributes, Reader, Writer, binary, number, primary_key, string};
use crate::{Store, StoreError, Table};

const PUBLIC: &str = "PUBLIC";
const PRIVATE: &str = "PRIVATE";
const STATE: &str = "STATE";
const KEYS: &str = "KEYS";

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

/// A key that was made for a turn that wants one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSigningKey {
    /// Its public half.
    pub public: PublicKeyItem,
    /// Its private half.
    pub private: PrivateKeyItem,
}

impl NewSigningKey {
    /// A key as it was made: the public JWK as JSON, and what the wrapper made of the private half.
    #[must_use]
    pub fn new(kid: String, algorithm: Algorithm, jwk: String, wrapped: Vec<u8>, created_at: Timestamp) -> Self {
        let algorithm = algorithm.name().to_owned();
        let private = PrivateKeyItem { kid: kid.clone(), algorithm: algorithm.clone(), wrapped };
        Self { public: PublicKeyItem { kid, algorithm, jwk, created_at }, private }
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

    /// The private half of a key; `None` where there is none, or none any more.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn signing_key_private(&self, kid: &str) -> Result<Option<PrivateKeyItem>, StoreError> {
        let Some(item) = self.get(Table::Signing, primary_key(PRIVATE, kid)).await? else { return Ok(None) };
        let reader = Reader(&item);
        Ok(Some(PrivateKeyItem {
            kid: kid.to_owned(),
            algorithm: reader.string("algorithm")?.to_owned(),
            wrapped: reader.binary("wrapped")?.to_vec(),
        }))
    }

    /// Where every key is in its life: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn signing_keys(&self) -> Result<PublishedKeys, StoreError> {
        let item = self.get(Table::Signing, primary_key(STATE, KEYS)).await?;
        item.as_ref().map_or(Ok(PublishedKeys::default()), read_keys)
    }

    /// Makes a turn, with the key that it wants; `false` where another was faster, and it must be decided anew. What
    /// verifies is told by the feed of each key that is published no more, and the audit log keeps which key signs.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: after the first whether it is made is unknown.
    pub async fn signing_keys_turn(
        &self,
        turn: &Turn,
        new: Option<&NewSigningKey>,
        act: &Act,
    ) -> Result<bool, StoreError> {
        let turn = new.map_or_else(|| turn.clone(), |new| turn.clone().with(&new.public.kid));
        let client = ClientId::of_nobody();
        let mut change = Change {
            client: &client,
            act,
            actions: vec![self.put_keys(&turn)?],
            feed: vec![],
            deeds: vec![],
            replay: None,
        };
        let table = self.table(Table::Signing)?;
        for (kid, what) in turn.moves() {
            match what {
                Move::Published => {
                    let new = new.filter(|new| new.public.kid == kid).ok_or(StoreError::Corrupt("kid"))?;
                    change.actions.push(put_new(table, write_public(&new.public))?);
                    change.actions.push(put_new(table, write_private(&new.private))?);
                }
                Move::Activated => change.deeds.push(activated(&turn, kid)),
                Move::Retired => change.actions.push(delete_any(table, primary_key(PRIVATE, kid))?),
                Move::Gone | Move::Withdrawn => {
                    change.actions.push(delete_any(table, primary_key(PUBLIC, kid))?);
                    change.actions.push(delete_any(table, primary_key(PRIVATE, kid))?);
                    change.feed.push((FeedKind::SigningKey, kid.to_owned()));
                    if what == Move::Withdrawn {
                        change.deeds.push(Deed::new(Action::SigningKeyWithdrawn, signing_key(kid)));
                    }
                }
            }
        }
        Ok(self.commit(change).await? == Committed::Done)
    }

    fn put_keys(&self, turn: &Turn) -> Result<TransactWriteItem, StoreError> {
        let put = Put::builder().table_name(self.table(Table::Signing)?).set_item(Some(write_keys(&turn.after)));
        let put = match turn.before.revision {
            0 => put.condition_expression("attribute_not_exists(pk)"),
            seen => put.condition_expression("revision = :seen").expression_attribute_values(":seen", number(seen)),
        };
        let put = put.build().map_err(StoreError::unavailable)?;
        Ok(TransactWriteItem::builder().put(put).build())
    }
}

fn signing_key(kid: &str) -> Party {
    Party { kind: "signing_key".to_owned(), id: kid.to_owned() }
}

fn activated(turn: &Turn, kid: &str) -> Deed {
    let deed = Deed::new(Action::SigningKeyRotated, signing_key(kid));
    turn.after.get(kid).map_or(deed.clone(), |key| deed.with("algorithm", key.algorithm.name()))
}

fn write_public(public: &PublicKeyItem) -> Attributes {
    Writer::new(PUBLIC, &public.kid)
        .with_string("kid", &public.kid)
        .with_string("algorithm", &public.algorithm)
        .with_string("jwk", &public.jwk)
        .with_time("created_at", public.created_at)
        .done()
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

fn write_private(private: &PrivateKeyItem) -> Attributes {
    Writer::new(PRIVATE, &private.kid)
        .with_string("algorithm", &private.algorithm)
        .with("wrapped", binary(private.wrapped.as_slice()))
        .done()
}

fn write_keys(keys: &PublishedKeys) -> Attributes {
    let keys_of = keys.iter().map(|(kid, key)| {
        let attributes = Attributes::from([
            ("algorithm".to_owned(), string(key.algorithm.name())),
            ("state".to_owned(), string(key.state.name())),
            ("since".to_owned(), number(key.state.since().unix())),
        ]);
        (kid.to_owned(), AttributeValue::M(attributes))
    });
    Writer::new(STATE, KEYS)
        .with("revision", number(keys.revision))
        .with("keys", AttributeValue::M(keys_of.collect()))
        .done()
}

fn read_keys(item: &Attributes) -> Result<PublishedKeys, StoreError> {
    let reader = Reader(item);
    let corrupt = || StoreError::Corrupt("keys");
    let stored = reader.optional("keys").and_then(|value| value.as_m().ok()).ok_or_else(corrupt)?;
    let mut keys = BTreeMap::new();
    for (kid, value) in stored {
        let reader = Reader(value.as_m().map_err(|_| corrupt())?);
        let since = reader.time("since")?;
        let key = PublishedKey {
            algorithm: reader.parsed("algorithm", Algorithm::parse)?,
            state: reader.parsed("state", |name| KeyState::parse(name, since))?,
        };
        keys.insert(kid.clone(), key);
    }
    Ok(PublishedKeys::new(keys, reader.number("revision")?))
}
