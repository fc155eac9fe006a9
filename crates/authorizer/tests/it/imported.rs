//! Keys of other systems open what their records say.

use domain::DenyReason;
use testkit::{ImportedKey, act, event, moment, now};

use crate::setup::{Setup, rest, unauthorized};

#[tokio::test]
async fn an_imported_key_counts_in_either_header_and_no_longer_than_its_record() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "models:read workflows:execute").stored(&setup.test.store).await;
    for name in ["rest-raw-key", "rest-x-api-key"] {
        let text = event(&format!("authorizer-{name}"), &[("REPLACE_WITH_KEY", &key.text)]);
        let answer = setup.ask(&text).await.answer();
        assert_eq!(answer["policyDocument"]["Statement"][0]["Effect"], "Allow", "{name}: {answer}");
        let context = &answer["context"];
        assert_eq!(context["key_id"], key.record.id.as_str());
        assert_eq!(context["client_id"], setup.client.id.as_str());
        assert_eq!((&context["credential"], &context["environment"]), (&"api_key".into(), &"live".into()));
        assert!(!answer.to_string().contains(&key.text), "{answer}");
    }
    let ask = rest("GET/v1/models", &[("X-API-Key", &key.text)]);
    setup.test.store.key_revoke(&setup.client.id, &key.record.id, &act()).await.unwrap();
    assert_eq!(setup.ask_at(&ask, moment(4.0)).await, unauthorized());
    setup.app.usage.flush(moment(4.0)).await.unwrap();
    let hours = setup.test.store.usage_of_key(&key.record.id, now(), now()).await.unwrap();
    let tally = hours.into_values().next().unwrap();
    assert_eq!((tally.allowed, tally.denied[&DenyReason::KeyRevoked]), (2, 1));
}

#[tokio::test]
async fn a_string_that_leads_nowhere_is_the_same_unauthorized() {
    let setup = Setup::new().await;
    let key = ImportedKey::new(&setup.client, "read").stored(&setup.test.store).await;
    let unknown = ImportedKey::new(&setup.client, "read").text;
    let bearer = |text: &str| format!("Bearer {text}");
    for headers in [
        vec![("X-API-Key", unknown.clone())],
        vec![("X-API-Key", key.text[1..].to_owned())],
        vec![("X-API-Key", format!("{}x", key.text))],
        vec![("X-API-Key", key.text.to_uppercase())],
        vec![("X-API-Key", format!(" {}", key.text))],
        vec![("X-API-Key", key.record.hash.to_hex())],
        vec![("Authorization", key.text.clone())],
        vec![("Authorization", bearer(&unknown))],
        vec![("Authorization", bearer(&key.text)), ("X-API-Key", key.text.clone())],
        vec![("Cookie", key.text.clone())],
    ] {
        let sent: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        assert_eq!(setup.ask(&rest("GET/api/v1/users", &sent)).await, unauthorized(), "{headers:?}");
    }
    assert_eq!(setup.ask(&rest("GET/api/v1/users", &[("X-API-Key", &key.text)])).await.effect(), "Allow");
}
