//! When a key was last used.

use domain::DenyReason;
use serde_json::{Value, json};
use store::UsageBuffer;
use testkit::{Fault, TestKey, moment, now};

use crate::setup::Setup;

impl Setup {
    async fn last_used(&self, by: &TestKey, key: &TestKey) -> Value {
        let (status, one) = self.get(by, key).await;
        let (_, list) = self.call(by, "GET", &self.path(""), None).await;
        let listed = list["data"].as_array().unwrap().iter().find(|it| it["id"] == json!(key.record.id)).unwrap();
        assert_eq!((status, &listed["last_used_at"]), (200, &one["last_used_at"]));
        one["last_used_at"].clone()
    }
}

#[tokio::test]
async fn a_record_says_it_to_the_minute() {
    let setup = Setup::new().await;
    assert_eq!(now().unix() % 60, 0, "tests begin with a minute");
    let (admin, payer) = (setup.key("admin").await, &setup.account.owner.id);
    let (used, exchanged, refused) = (setup.key("read").await, setup.key("read").await, setup.key("read").await);
    let usage = UsageBuffer::new(setup.test.store.clone());
    for second in [0.0, 59.0, 61.0, 30.0] {
        usage.allowed(&used.record, payer, moment(second));
    }
    usage.exchanged(&exchanged.record, payer, moment(119.0));
    usage.denied(&refused.record, DenyReason::NoRoute, moment(0.0));
    assert_eq!(setup.last_used(&admin, &used).await, json!(null), "not before it is written");
    usage.flush(moment(120.0)).await.unwrap();
    assert_eq!(setup.last_used(&admin, &used).await, json!(now().plus(60)));
    assert_eq!(setup.last_used(&admin, &exchanged).await, json!(now().plus(60)));
    assert_eq!(setup.last_used(&admin, &refused).await, json!(null), "a refusal is no use");

    // Every answer shows it.
    let shown = json!(now().plus(60));
    assert_eq!(setup.patch(&admin, &used, json!({"name": "x"})).await.1["last_used_at"], shown);
    assert_eq!(setup.rotate(&admin, &used, None).await.1["record"]["last_used_at"], shown);
}

#[tokio::test]
async fn an_item_that_can_not_be_read_hides_no_key() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    let partition = format!("USED#{}", setup.client.id);
    let item = [("pk", partition.as_str()), ("sk", key.record.id.as_str()), ("last_used_at", "yesterday")];
    setup.test.put_raw("UsageTable", &item, &[]);
    assert_eq!(setup.last_used(&admin, &key).await, json!(null));
}

#[tokio::test]
async fn where_it_can_not_be_asked_for_nothing_is_changed_and_the_answer_is_503() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    setup.test.faults.always("BatchGetItem", Fault::Throttle);
    assert_eq!(setup.call(&admin, "GET", &setup.path(""), None).await.0, 503);
    setup.test.faults.heal();
    setup.test.faults.once("BatchGetItem", Fault::Unprocessed);
    setup.test.faults.once("BatchGetItem", Fault::Throttle);
    assert_eq!(setup.call(&admin, "GET", &setup.path(""), None).await.0, 200);
    assert_eq!(setup.record(&key).await, key.record);
}
