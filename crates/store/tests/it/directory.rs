use domain::{Action, ClientId, Deed, Email, Workspace};
use store::account_change::{AccountChange, AccountChanged, Edit};
use store::{Store, StoreError};
use testkit::{TestAccount, TestStore, account, act};

async fn create(store: &Store, account: &TestAccount) -> Result<AccountChanged, StoreError> {
    let change = AccountChange {
        client: Some(Edit::New(account.client.clone())),
        users: vec![Edit::New(account.owner.clone())],
        workspaces: vec![Edit::New(account.workspace.clone())],
        ..AccountChange::default()
    };
    let deed = Deed::new(Action::UserJoined, &account.owner.id);
    store.account_change(&account.client.id, &change, vec![deed], &act(), None).await
}

#[tokio::test]
async fn a_client_comes_with_its_default_workspace() {
    let test = TestStore::start().await;
    let client = test.client().await;
    assert_eq!(test.store.client_by_id(&client.id).await.unwrap(), Some(client.clone()));
    let workspace = test.store.workspace_by_id(&client.id, &client.default_workspace_id).await.unwrap().unwrap();
    assert_eq!(workspace.name, Workspace::DEFAULT);
}

#[tokio::test]
async fn a_client_is_made_once_and_whole() {
    let test = TestStore::start().await;
    let first = account("alice@example.com");
    assert_eq!(create(&test.store, &first).await.unwrap(), AccountChanged::Done);
    let same_email = account("ALICE@example.com");
    assert_eq!(create(&test.store, &same_email).await.unwrap(), AccountChanged::EmailTaken);
    let mut same_slug = account("bob@example.com");
    same_slug.client.slug.clone_from(&first.client.slug);
    assert_eq!(create(&test.store, &same_slug).await.unwrap(), AccountChanged::SlugTaken);
    for refused in [same_email, same_slug] {
        let (client, owner) = (&refused.client.id, &refused.owner.id);
        assert_eq!(test.store.client_by_id(client).await.unwrap(), None, "a refused transaction leaves nothing");
        assert_eq!(test.store.user_by_id(client, owner).await.unwrap(), None);
    }
    let bob = Email::parse("bob@example.com").unwrap();
    assert_eq!(test.store.user_by_email(&bob).await.unwrap(), None, "and takes nothing");
}

#[tokio::test]
async fn a_user_is_found_by_id_and_by_address() {
    let test = TestStore::start().await;
    let account = account("alice@example.com");
    create(&test.store, &account).await.unwrap();
    let by_id = test.store.user_by_id(&account.client.id, &account.owner.id).await.unwrap();
    let by_email = test.store.user_by_email(&Email::parse("Alice@Example.com").unwrap()).await.unwrap();
    assert_eq!((by_id.as_ref(), by_email.as_ref()), (Some(&account.owner), Some(&account.owner)));
    let elsewhere = test.store.user_by_id(&ClientId::random(), &account.owner.id).await.unwrap();
    assert_eq!(elsewhere, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn sign_ups_at_once_with_one_address_make_one_client() {
    let test = TestStore::start().await;
    let mut tasks = Vec::new();
    for _ in 0..6 {
        let (store, account) = (test.another_connection(), account("alice@example.com"));
        tasks.push(tokio::spawn(async move { create(&store, &account).await.unwrap() }));
    }
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            AccountChanged::Done => made += 1,
            other => assert_eq!(other, AccountChanged::EmailTaken),
        }
    }
    assert_eq!(made, 1);
}

#[tokio::test]
async fn another_clients_workspace_is_none() {
    let test = TestStore::start().await;
    let (one, other) = (test.client().await, test.client().await);
    let found = test.store.workspace_by_id(&one.id, &other.default_workspace_id).await.unwrap();
    assert_eq!(found, None);
}
