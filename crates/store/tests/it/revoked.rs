//! Tokens that were ended before their time: listed for their client until they would have ended, and told once.

use domain::{ClientId, FeedKind, Sequence};
use store::revoked::{Ending, TokenEnd};
use testkit::{Fault, TestStore, act, now};

const LIFE: i64 = 900;

fn ending<'a>(client: &'a ClientId, token: &'a str) -> Ending<'a> {
    Ending { client, token, ends: now().plus(LIFE), holder: "somebody" }
}

async fn end(test: &TestStore, ending: Ending<'_>) {
    assert_eq!(test.store.revoked_add(ending, &act()).await.unwrap(), TokenEnd::Ended);
}

#[tokio::test]
async fn a_token_that_was_ended_is_listed_for_its_client_until_its_own_end() {
    let test = TestStore::start().await;
    let [client, other] = [ClientId::random(), ClientId::random()];
    assert!(test.store.revoked_list(&client, now()).await.unwrap().is_empty());
    end(&test, Ending { ends: now().plus(LIFE + 60), ..ending(&client, "second") }).await;
    end(&test, ending(&client, "first")).await;
    end(&test, ending(&other, "another's")).await;
    let listed = async |seconds| test.store.revoked_list(&client, now().plus(seconds)).await.unwrap();
    assert_eq!(listed(0).await, ["first", "second"]);
    assert_eq!(listed(LIFE - 1).await.len(), 2);
    assert_eq!(listed(LIFE + 1).await, ["second"], "what is over counts for nothing anyway");
    assert!(listed(LIFE + 100).await.is_empty());
    assert_eq!(test.store.revoked_list(&other, now()).await.unwrap(), ["another's"]);
}

#[tokio::test]
async fn the_feed_tells_of_an_ended_token_once() {
    let test = TestStore::start().await;
    let client = ClientId::random();
    let head = test.store.feed_head().await.unwrap();
    for _ in 0..3 {
        end(&test, ending(&client, "token")).await;
    }
    let told = test.store.feed_after(head).await.unwrap();
    assert_eq!(told.head, Sequence(head.0 + 1), "nobody fills the feed with one token");
    let [entry] = &told.entries[..] else { panic!("{:?}", told.entries) };
    assert_eq!((&entry.kind, entry.id.as_str()), (&FeedKind::Token, &*format!("{client}/token")));
    assert_eq!(test.store.revoked_list(&client, now()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_end_that_met_another_or_whose_answer_was_lost_is_made() {
    let test = TestStore::start().await;
    let client = ClientId::random();
    test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    end(&test, ending(&client, "token")).await;
    assert_eq!(test.store.revoked_list(&client, now()).await.unwrap(), ["token"]);
}
