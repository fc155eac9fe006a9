use domain::{ClientId, Email, Workspace};
use store::SignUpError;
use testkit::{TestAccount, TestStore, account};

async fn create(test: &TestStore, account: &TestAccount) -> Result<(), SignUpError> {
    test.store.client_create(&account.client, &account.owner, &account.workspace).await
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
    create(&test, &first).await.unwrap();
    let same_email = account("ALICE@example.com");
    assert!(matches!(create(&test, &same_email).await, Err(SignUpError::EmailTaken)));
    let mut same_slug = account("bob@example.com");
    same_slug.client.slug.clone_from(&first.client.slug);
    assert!(matches!(create(&test, &same_slug).await, Err(SignUpError::SlugTaken)));
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
    create(&test, &account).await.unwrap();
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
        let (store, account) = (test.another_connection().await, account("alice@example.com"));
        tasks.push(tokio::spawn(async move {
            store.client_create(&account.client, &account.owner, &account.workspace).await
        }));
    }
    let mut made = 0;
    for task in tasks {
        match task.await.unwrap() {
            Ok(()) => made += 1,
            Err(error) => assert!(matches!(error, SignUpError::EmailTaken), "{error:?}"),
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
