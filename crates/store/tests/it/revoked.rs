use domain::{Claims, FeedKind, ScopeSet, Sequence};
use testkit::{Fault, TestStore, act, login_claims, now};

async fn claims(test: &TestStore) -> Claims {
    let account = test.account().await;
    login_claims(&account.owner, &account.workspace, ScopeSet::parse("read").unwrap())
}

#[tokio::test]
async fn a_token_that_was_ended_is_listed_until_its_own_end() {
    let test = TestStore::start().await;
    assert!(test.store.revoked_list(now()).await.unwrap().is_empty());
    let first = claims(&test).await;
    let second = Claims { exp: first.exp + 60, jti: "another".to_owned(), ..first.clone() };
    for claims in [&second, &first] {
        test.store.revoked_add(claims, &act()).await.unwrap();
    }
    let listed = |seconds| {
        let store = &test.store;
        async move { store.revoked_list(now().plus(seconds)).await.unwrap() }
    };
    assert_eq!(listed(0).await, [first.jti.clone(), second.jti.clone()]);
    assert_eq!(listed(899).await.len(), 2);
    assert_eq!(listed(901).await, std::slice::from_ref(&second.jti), "what is over counts for nothing anyway");
    assert!(listed(1000).await.is_empty());
}

#[tokio::test]
async fn the_feed_tells_of_an_ended_token_once() {
    let test = TestStore::start().await;
    let claims = claims(&test).await;
    let head = test.store.feed_head().await.unwrap();
    for _ in 0..3 {
        test.store.revoked_add(&claims, &act()).await.unwrap();
    }
    let told = test.store.feed_after(head).await.unwrap();
    assert_eq!(told.head, Sequence(head.0 + 1), "nobody fills the feed with one token");
    let [entry] = &told.entries[..] else { panic!("{:?}", told.entries) };
    assert_eq!((&entry.kind, entry.id.as_str()), (&FeedKind::Token, claims.jti.as_str()));
    assert_eq!(test.store.revoked_list(now()).await.unwrap().len(), 1);
}

#[tokio::test]
async fn an_end_that_met_another_or_whose_answer_was_lost_is_made() {
    let test = TestStore::start().await;
    let claims = claims(&test).await;
    test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    test.store.revoked_add(&claims, &act()).await.unwrap();
    assert_eq!(test.store.revoked_list(now()).await.unwrap(), [claims.jti]);
}
