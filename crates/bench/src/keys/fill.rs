//! Many keys, fast: made by the store itself it would take a transaction for each.
//!
//! The store writes three keys. The item of the second, with what is a key's own put in its place, is the form of all others,
//! and must give the third as the store has written it, letter by letter. So a store that begins to write keys in another
//! way is followed, or this ends with [`Failure::OutOfStep`].

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::{Client, KeyRecord, PlainKey};
use serde_json::{Value, json};
use store::Store;
use testkit::{TestKey, act, call_store, now};

use crate::failure::Failure;
use crate::store_process::StoreProcess;

/// What the embedded store calls the table of the keys.
pub(crate) const KEYS_TABLE: &str = "KeysTable";

/// How many are put at once, to keep the memory that it takes small.
const PUT_TOGETHER: usize = 10_000;

/// Gives a client that has no keys `count` of them, three at least, and the strings of all in the order of its list. The first
/// may manage the others.
pub(crate) async fn fill(
    store: &Store,
    stored: &mut StoreProcess,
    client: &Client,
    count: usize,
) -> Result<Vec<PlainKey>, Failure> {
    // Each is a second younger than the one before, and all are older than the time that tests begin at.
    let start = now().plus(-i64::try_from(count).unwrap_or(i64::MAX));
    let key = |place: usize| {
        let mut key = TestKey::new(client, if place == 0 { "keys:manage" } else { "read" });
        key.record.created_at = start.plus(i64::try_from(place).unwrap_or(i64::MAX));
        key.record.created_by = client.owner_user_id.to_string();
        key
    };
    let written = [key(0), key(1), key(2)];
    for key in &written {
        store.key_create(&key.record, &act(), None).await?;
    }
    let [_, model, witness] = &written;
    let form =
        KeyForm { item: stored_item(stored.endpoint(), &model.record).await?.to_string(), record: &model.record };
    form.must_give(&witness.record, &stored_item(stored.endpoint(), &witness.record).await?)?;

    let filled: Vec<_> = (written.len()..count).map(key).collect();
    for keys in filled.chunks(PUT_TOGETHER) {
        let items = keys.iter().map(|key| form.item(&key.record)).collect::<Result<Vec<_>, _>>()?;
        stored.put_all(KEYS_TABLE, items)?;
    }
    Ok(written.into_iter().chain(filled).map(|key| key.plain).collect())
}

async fn stored_item(endpoint: &str, record: &KeyRecord) -> Result<Value, Failure> {
    let key = json!({"pk": {"S": format!("KEY#{}", record.id)}, "sk": {"S": "KEY"}});
    let request = json!({"TableName": KEYS_TABLE, "Key": key, "ConsistentRead": true});
    match call_store(endpoint, "GetItem", &request).await["Item"].take() {
        Value::Null => Err(Failure::OutOfStep(format!("{} is not where keys are looked for", record.id))),
        item => Ok(item),
    }
}

/// The item of one key, of which those of others are made.
struct KeyForm<'a> {
    item: String,
    record: &'a KeyRecord,
}

impl KeyForm<'_> {
    /// The item of a key that differs from the model in id, string and age alone.
    fn item(&self, record: &KeyRecord) -> Result<Value, Failure> {
        let own = own_texts(self.record).into_iter().zip(own_texts(record));
        let item = own.fold(self.item.clone(), |item, (old, new)| item.replace(&old, &new));
        serde_json::from_str(&item).map_err(|error| Failure::OutOfStep(error.to_string()))
    }

    fn must_give(&self, record: &KeyRecord, stored: &Value) -> Result<(), Failure> {
        let given = self.item(record)?;
        if given == *stored { Ok(()) } else { Err(Failure::OutOfStep(format!("{given} would be {stored}"))) }
    }
}

/// What in an item is this key's own, wherever it stands.
fn own_texts(record: &KeyRecord) -> [String; 4] {
    [
        record.id.to_string(),
        STANDARD.encode(record.hash.as_bytes()),
        record.created_at.to_string(),
        record.created_at.unix().to_string(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_that_gives_another_item_than_the_store_has_written_is_none() {
        let client = testkit::account("o@example.com").client;
        let (model, mut witness) = (TestKey::new(&client, "read").record, TestKey::new(&client, "read").record);
        witness.created_at = model.created_at.plus(1);
        let item = |record: &KeyRecord, more: &str| {
            let [id, hash, created_at, unix] = own_texts(record);
            json!({"pk": {"S": id}, "created_id": {"S": format!("{created_at}#{id}")}, "created_at": {"N": unix},
                   "hash": {"B": hash}, "more": {"S": more}})
        };
        let form = KeyForm { item: item(&model, "same").to_string(), record: &model };
        form.must_give(&witness, &item(&witness, "same")).unwrap();
        let failure = form.must_give(&witness, &item(&witness, "its own")).unwrap_err();
        assert!(matches!(&failure, Failure::OutOfStep(what) if what.contains("its own")), "{failure}");
    }
}
