use domain::app_grant::Presented;
use domain::{AppGrant, AuthorizationCode, FeedKind, HashedKey, RefreshToken, Resource, Sequence};
use store::StoreError;
use store::grants::Redeemed;
use testkit::{Fault, TestStore, act, app, authorization_code, grant_of, now};

/// A code that is stored.
async fn code(test: &TestStore) -> AuthorizationCode {
    let account = test.account().await;
    let app = app(Some(&account.client), Some("read write"), None);
    let code = authorization_code("a code", &app, &account.owner, &account.client, "read write");
    let code = AuthorizationCode { resource: Resource::parse("https://mcp.example/mcp"), ..code };
    test.store.code_create(&code).await.unwrap();
    code
}

async fn grant(test: &TestStore) -> (AppGrant, RefreshToken) {
    let code = code(test).await;
    let (grant, first) = grant_of(&code);
    assert_eq!(test.store.code_redeem(&code, &grant).await.unwrap(), Redeemed::Done);
    (grant, first)
}

#[tokio::test]
async fn a_code_reads_back_as_it_was_written_and_is_redeemed_once() {
    let test = TestStore::start().await;
    let code = code(&test).await;
    assert_eq!(test.store.code_find(&code.hash).await.unwrap(), Some(code.clone()));
    assert_eq!(test.store.code_find(&HashedKey::of_text("another")).await.unwrap(), None);
    assert!(test.store.code_create(&code).await.is_err(), "no code is written over another");

    let (grant, _) = grant_of(&code);
    assert_eq!(test.store.code_redeem(&code, &grant).await.unwrap(), Redeemed::Done);
    let redeemed = AuthorizationCode { redeemed_for: Some(grant.id.clone()), ..code.clone() };
    assert_eq!(test.store.code_find(&code.hash).await.unwrap(), Some(redeemed));
    assert_eq!(test.store.grant_by_id(&grant.id).await.unwrap(), Some(grant));

    let (second, _) = grant_of(&code);
    assert_eq!(test.store.code_redeem(&code, &second).await.unwrap(), Redeemed::Outdated);
    assert_eq!(test.store.grant_by_id(&second.id).await.unwrap(), None, "all of it or nothing");
}

#[tokio::test]
async fn a_code_that_is_none_is_redeemed_for_nothing() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let app = app(Some(&account.client), Some("read"), None);
    let code = authorization_code("never stored", &app, &account.owner, &account.client, "read");
    let (grant, _) = grant_of(&code);
    assert_eq!(test.store.code_redeem(&code, &grant).await.unwrap(), Redeemed::Outdated);
    assert_eq!(test.store.code_find(&code.hash).await.unwrap(), None);
    assert_eq!(test.store.grant_by_id(&grant.id).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_that_redeem_a_code_at_once_one_does() {
    let test = TestStore::start().await;
    let code = code(&test).await;
    let mut racing = Vec::new();
    for _ in 0..20 {
        let (store, code, grant) = (test.another_connection(), code.clone(), grant_of(&code).0);
        racing.push(tokio::spawn(async move { (store.code_redeem(&code, &grant).await.unwrap(), grant.id) }));
    }
    let mut winners = Vec::new();
    for call in racing {
        let (outcome, id) = call.await.unwrap();
        let written = test.store.grant_by_id(&id).await.unwrap().is_some();
        assert_eq!(written, outcome == Redeemed::Done);
        if written {
            winners.push(id);
        }
    }
    let redeemed_for = test.store.code_find(&code.hash).await.unwrap().unwrap().redeemed_for;
    assert_eq!(winners, redeemed_for.into_iter().collect::<Vec<_>>(), "one, and the code names it");
}

#[tokio::test]
async fn a_redemption_whose_answer_was_lost_was_done_or_names_its_own_grant() {
    let test = TestStore::start().await;
    let code = code(&test).await;
    let (grant, _) = grant_of(&code);
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    let outcome = test.store.code_redeem(&code, &grant).await.unwrap();
    let redeemed_for = test.store.code_find(&code.hash).await.unwrap().unwrap().redeemed_for;
    assert_eq!(redeemed_for, Some(grant.id.clone()), "{outcome:?}");
    assert_eq!(test.store.grant_by_id(&grant.id).await.unwrap(), Some(grant));
}

#[tokio::test]
async fn a_conflict_redeems_nothing_and_says_so() {
    let test = TestStore::start().await;
    let code = code(&test).await;
    let (grant, _) = grant_of(&code);
    test.faults.once("TransactWriteItems", Fault::TransactionConflict);
    assert_eq!(test.store.code_redeem(&code, &grant).await.unwrap(), Redeemed::Outdated);
    assert_eq!(test.store.code_find(&code.hash).await.unwrap().unwrap().redeemed_for, None);
    assert_eq!(test.store.code_redeem(&code, &grant).await.unwrap(), Redeemed::Done);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_twenty_refreshes_at_once_one_is_written() {
    let test = TestStore::start().await;
    let (grant, first) = grant(&test).await;
    let mut racing = Vec::new();
    for _ in 0..20 {
        let (store, grant, first) = (test.another_connection(), grant.clone(), first.clone());
        racing.push(tokio::spawn(async move {
            let next = first.next();
            let followed = grant.refresh.as_ref().unwrap().followed(&first, &next, vec![7], now());
            (store.grant_refresh(&grant, followed).await.unwrap(), next)
        }));
    }
    let mut winners = Vec::new();
    for call in racing {
        let (outcome, next) = call.await.unwrap();
        if outcome == Redeemed::Done {
            winners.push(next);
        }
    }
    let [winner] = &winners[..] else { panic!("{} winners", winners.len()) };
    let kept = test.store.grant_by_id(&grant.id).await.unwrap().unwrap();
    assert_eq!((kept.revision, kept.expires_at), (1, grant.expires_at), "the end never moves");
    let kept = kept.refresh.unwrap();
    assert_eq!(kept.judge(winner, now()), Presented::Current);
    assert!(matches!(kept.judge(&first, now()), Presented::Lost(before) if before.successor == [7]));
}

#[tokio::test]
async fn a_grant_that_ends_is_told_once_and_refreshed_no_more() {
    let test = TestStore::start().await;
    let (grant, first) = grant(&test).await;
    let told = || async { test.store.feed_after(Sequence(0)).await.unwrap().entries };
    let told_before = told().await.len();
    for _ in 0..2 {
        test.store.grant_end(&grant.id, &act()).await.unwrap();
    }
    let kept = test.store.grant_by_id(&grant.id).await.unwrap().unwrap();
    assert_eq!(kept.ended_at, Some(now()));
    assert!(!kept.counts(now()));
    let entries = told().await;
    assert_eq!(entries.len(), told_before + 1);
    let last = entries.last().unwrap();
    assert_eq!((&last.kind, last.id.as_str()), (&FeedKind::Grant, grant.id.as_str()));

    let followed = kept.refresh.as_ref().unwrap().followed(&first, &first.next(), Vec::new(), now());
    for seen in [&grant, &kept] {
        let outcome = test.store.grant_refresh(seen, followed.clone()).await.unwrap();
        assert_eq!(outcome, Redeemed::Outdated, "not even by who has read it as ended");
    }
    let unknown = domain::GrantId::random();
    test.store.grant_end(&unknown, &act()).await.unwrap();
    assert_eq!(test.store.grant_by_id(&unknown).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_end_and_refreshes_at_once_leave_the_grant_ended() {
    let test = TestStore::start().await;
    let (grant, first) = grant(&test).await;
    let mut racing = Vec::new();
    for place in 0..8 {
        let (store, grant, first) = (test.another_connection(), grant.clone(), first.clone());
        racing.push(tokio::spawn(async move {
            if place % 2 == 0 {
                let followed = grant.refresh.as_ref().unwrap().followed(&first, &first.next(), Vec::new(), now());
                store.grant_refresh(&grant, followed).await.unwrap();
            } else {
                while let Err(error) = store.grant_end(&grant.id, &act()).await {
                    assert!(matches!(error, StoreError::Contended), "{error:?}");
                }
            }
        }));
    }
    for call in racing {
        call.await.unwrap();
    }
    let kept = test.store.grant_by_id(&grant.id).await.unwrap().unwrap();
    assert!(!kept.counts(now()));
}

#[tokio::test]
async fn a_store_that_is_away_is_an_error_and_no_answer() {
    let test = TestStore::start().await;
    let (grant, first) = grant(&test).await;
    let code = HashedKey::of_text("a code");
    test.faults.always("*", Fault::InternalError);
    let followed = grant.refresh.as_ref().unwrap().followed(&first, &first.next(), Vec::new(), now());
    assert!(matches!(test.store.grant_by_id(&grant.id).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(test.store.code_find(&code).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(test.store.grant_refresh(&grant, followed).await, Err(StoreError::Unavailable(_))));
    assert!(matches!(test.store.grant_end(&grant.id, &act()).await, Err(StoreError::Unavailable(_))));
}
