use domain::{Action, App, AppId, AuthorizationCode, Deed, Sequence, User};
use store::StoreError;
use store::grant_list::ListedGrant;
use store::grants::Redeemed;
use testkit::{Fault, TestAccount, TestStore, act, app, authorization_code, grant_of, now};

/// A client, its owner, and an app that has registered itself.
async fn setup() -> (TestStore, TestAccount, App) {
    let test = TestStore::start().await;
    let account = test.account().await;
    let app = app(None, None, None);
    test.store.app_register(&app).await.unwrap();
    (test, account, app)
}

/// What a user grants to an app, as it should stand in the list.
async fn granted(test: &TestStore, account: &TestAccount, app: &App, user: &User) -> ListedGrant {
    let code = authorization_code(&AuthorizationCode::random(), app, user, &account.client, "read");
    test.store.code_create(&code).await.unwrap();
    let (grant, _) = grant_of(&code);
    assert_eq!(test.store.code_redeem(&code, &grant).await.unwrap(), Redeemed::Done);
    ListedGrant { grant, app_name: app.name.clone() }
}

async fn listed(test: &TestStore, user: &User) -> Vec<ListedGrant> {
    test.store.grant_list(&user.id, 100, None, now()).await.unwrap().items
}

#[tokio::test]
async fn a_code_that_is_redeemed_stands_in_its_users_list_alone() {
    let (test, account, app) = setup().await;
    let other = account.user(&test.store, domain::Role::Member).await;
    let code = authorization_code("a code", &app, &account.owner, &account.client, "read");
    test.store.code_create(&code).await.unwrap();
    assert_eq!(listed(&test, &account.owner).await, []);
    let one = granted(&test, &account, &app, &account.owner).await;
    assert_eq!(listed(&test, &account.owner).await, [one]);
    assert_eq!(listed(&test, &other).await, []);
    // A code that is redeemed a second time leaves no second place.
    let (first, second) = (grant_of(&code).0, grant_of(&code).0);
    assert_eq!(test.store.code_redeem(&code, &first).await.unwrap(), Redeemed::Done);
    assert_eq!(test.store.code_redeem(&code, &second).await.unwrap(), Redeemed::Outdated);
    assert_eq!(listed(&test, &account.owner).await.len(), 2);
}

#[tokio::test]
async fn pages_hold_every_grant_once() {
    let (test, account, app) = setup().await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(granted(&test, &account, &app, &account.owner).await);
    }
    expected.sort_by(|one, other| one.grant.id.as_str().cmp(other.grant.id.as_str()));
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = test.store.grant_list(&account.owner.id, 2, after.as_deref(), now()).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items);
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

/// The place itself is gone, not only left out: a page of one would be empty and followed by another.
#[tokio::test]
async fn a_grant_that_ends_takes_its_place_with_it() {
    for is_taken_back in [false, true] {
        let (test, account, app) = setup().await;
        let mut grants = Vec::new();
        for _ in 0..2 {
            grants.push(granted(&test, &account, &app, &account.owner).await);
        }
        grants.sort_by(|one, other| one.grant.id.as_str().cmp(other.grant.id.as_str()));
        let ended = &grants[0].grant.id;
        if is_taken_back {
            test.store.grant_take_back(ended, Deed::new(Action::AppGrantEnded, &app.id), &act()).await.unwrap();
        } else {
            test.store.grant_end(ended, &act()).await.unwrap();
        }
        let page = test.store.grant_list(&account.owner.id, 1, None, now()).await.unwrap();
        assert_eq!((page.items, page.next), (vec![grants[1].clone()], None), "{is_taken_back}");
    }
}

#[tokio::test]
async fn what_is_over_or_hangs_on_an_app_that_is_gone_is_left_out() {
    let (test, account, _) = setup().await;
    let own = app(Some(&account.client), Some("read"), None);
    let deed = || Deed::new(Action::AppCreated, &own.id);
    test.store.app_create(&account.client.id, &own, deed(), &act(), None).await.unwrap();
    let described = App { id: AppId::parse("https://app.example/client.json").unwrap(), ..app(None, None, None) };
    let of_own = granted(&test, &account, &own, &account.owner).await;
    let again = granted(&test, &account, &own, &account.owner).await;
    let of_described = granted(&test, &account, &described, &account.owner).await;
    let mut all = vec![of_own.clone(), again, of_described.clone()];
    all.sort_by(|one, other| one.grant.id.as_str().cmp(other.grant.id.as_str()));
    assert_eq!(listed(&test, &account.owner).await, all);
    test.store.app_remove(&account.client.id, &own, deed(), &act()).await.unwrap();
    assert_eq!(
        listed(&test, &account.owner).await,
        std::slice::from_ref(&of_described),
        "a document's app has no record to be gone"
    );
    let ends = of_described.grant.expires_at;
    for (at, expected) in [(ends.plus(-1), 1), (ends, 0)] {
        let page = test.store.grant_list(&account.owner.id, 100, None, at).await.unwrap();
        assert_eq!(page.items.len(), expected);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_grant_that_is_taken_back_by_many_at_once_is_one_event_and_told_once() {
    let (test, account, app) = setup().await;
    let ListedGrant { grant, .. } = granted(&test, &account, &app, &account.owner).await;
    let told_before = test.store.feed_after(Sequence(0)).await.unwrap().entries.len();
    let mut racing = Vec::new();
    for _ in 0..6 {
        let (store, grant, app) = (test.another_connection(), grant.clone(), app.clone());
        racing.push(tokio::spawn(async move {
            let deed = || Deed::new(Action::AppGrantEnded, &app.id);
            while let Err(error) = store.grant_take_back(&grant.id, deed(), &act()).await {
                assert!(matches!(error, StoreError::Contended), "{error:?}");
            }
        }));
    }
    for call in racing {
        call.await.unwrap();
    }
    assert!(test.store.grant_by_id(&grant.id).await.unwrap().unwrap().ended_at.is_some());
    let told = test.store.feed_after(Sequence(0)).await.unwrap().entries.split_off(told_before);
    assert_eq!(
        told.iter().map(|entry| (entry.kind.as_str(), entry.id.as_str())).collect::<Vec<_>>(),
        [("grant", grant.id.as_str())]
    );
    let filter = store::audit::AuditFilter::default();
    let events = test.store.audit_list(&account.client.id, &filter, 100, None).await.unwrap().events;
    let ended: Vec<_> = events.iter().filter(|event| event.action == "app.grant_ended").collect();
    assert_eq!(ended.len(), 1);
    assert!(ended[0].hash.is_some(), "in the chain");
}

#[tokio::test]
async fn a_store_that_is_away_is_no_empty_list() {
    let (test, account, app) = setup().await;
    granted(&test, &account, &app, &account.owner).await;
    for operation in ["Query", "BatchGetItem"] {
        test.faults.always(operation, Fault::InternalError);
        let answer = test.store.grant_list(&account.owner.id, 100, None, now()).await;
        assert!(matches!(answer, Err(StoreError::Unavailable(_))), "{operation}");
        test.faults.heal();
    }
}
