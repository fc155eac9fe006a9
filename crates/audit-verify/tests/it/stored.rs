//! A chain that the store has written.

use audit_verify::chain::{Expected, Problem};
use domain::{Action, Deed, Outcome};
use serde_json::{Value, json};
use store::audit::AuditFilter;
use testkit::{TestKey, TestStore, act};

use crate::setup::judge;

/// As the list answers it, page by page.
async fn export(test: &TestStore, client: &domain::ClientId) -> String {
    let (mut pages, mut after) = (String::new(), None);
    loop {
        let page = test.store.audit_list(client, &AuditFilter::default(), 3, after.as_ref()).await.unwrap();
        let next = page.next.as_ref().map(ToString::to_string);
        pages.push_str(&json!({"data": page.events, "next_cursor": next}).to_string());
        after = page.next;
        if after.is_none() {
            return pages;
        }
    }
}

#[tokio::test]
async fn what_the_store_has_written_is_whole_until_somebody_changes_it_there() {
    let test = TestStore::start().await;
    let account = testkit::account("alice@example.com").stored(&test.store).await;
    let client = &account.client;
    for _ in 0..4 {
        let key = TestKey::new(client, "read").stored(&test.store).await;
        let deed = Deed::new(Action::LoginSucceeded, &account.owner.id);
        test.store.audit_note(&client.id, &act(), deed, Outcome::Done).await.unwrap();
        test.store.key_revoke(&client.id, &key.record.id, &act()).await.unwrap();
    }
    let pages = export(&test, &client.id).await;
    let summary = judge(&pages, &Expected::default()).whole();
    assert_eq!((summary.events, summary.outside), (9, 4));

    let all = test.store.audit_list(&client.id, &AuditFilter::default(), 100, None).await.unwrap().events;
    let mut forged: Value = json!(all[4]);
    forged["actor"]["id"] = json!("cu_0123456789abcdef");
    let (partition, event) = (format!("CHAIN#{}", client.id), forged.to_string());
    let at_id = format!("{}#{:020}", all[4].at, 5);
    let strings = [
        ("pk", partition.as_str()),
        ("sk", "00000000000000000005"),
        ("client_id", client.id.as_str()),
        ("at_id", &at_id),
        ("id", all[4].id.as_str()),
        ("event", &event),
    ];
    test.put_raw("AuditTable", &strings, &[]);
    let broken = judge(&export(&test, &client.id).await, &Expected::default()).broken();
    assert_eq!((broken.problem, broken.event.unwrap().id), (Problem::Changed, all[4].id.to_string()));
}
