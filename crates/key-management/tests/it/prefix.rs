//! A client's own prefix.

use domain::{KeyPrefix, KeyRecord, PlainKey};
use serde_json::{Value, json};
use testkit::{change_client, now};

use crate::setup::Setup;

fn string_of(answer: &Value) -> PlainKey {
    PlainKey::parse(answer["raw_key"].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn it_is_on_new_keys_and_on_rotated_ones() {
    let setup = Setup::new().await;
    let admin = setup.key("admin").await;
    let path = |plain: &PlainKey| setup.path(&format!("/{}/rotate", plain.id()));
    for prefix in ["sk-sim-", "simbee_"] {
        let old = setup.made(&admin, json!({"name": "x"})).await;
        change_client(&setup.test.store, &setup.client, |client| {
            client.settings.key_prefix = KeyPrefix::parse(prefix);
        })
        .await;
        for environment in ["live", "test"] {
            let made = setup.made(&admin, json!({"name": "x", "environment": environment})).await;
            let plain = string_of(&made);
            assert_eq!((plain.prefix(), &made["record"]["prefix"]), (prefix, &json!(prefix)));
            assert_eq!(made["record"]["environment"], json!(environment), "the record says so, not the prefix");
            let (_, rotated) = setup.call(&admin, "POST", &path(&plain), None).await;
            assert_eq!(string_of(&rotated).prefix(), prefix);
            let stored = setup.test.store.key_by_id(&plain.id()).await.unwrap().unwrap();
            for string in [&plain, &string_of(&rotated)] {
                assert!(KeyRecord::check(Some(&stored), string, now()).is_ok());
            }
        }

        // A key keeps the prefix that it was made with, while its old secret counts.
        let plain = string_of(&old);
        let (_, rotated) = setup.call(&admin, "POST", &path(&plain), None).await;
        assert_eq!(string_of(&rotated).prefix(), plain.prefix());
        let (_, rotated) = setup.call(&admin, "POST", &path(&plain), Some(json!({"overlap_seconds": 0}))).await;
        let new = string_of(&rotated);
        assert_eq!((new.prefix(), &rotated["record"]["prefix"]), (prefix, &json!(prefix)));
        let stored = setup.test.store.key_by_id(&plain.id()).await.unwrap();
        assert!(KeyRecord::check(stored.as_ref(), &new, now()).is_ok());
    }
}
