use store::StoreError;
use testkit::TestStore;

use domain::{Role, User, UserId, Workspace};
use testkit::now;

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
    let client = test.client().await;
    let owner = User {
        id: UserId::random(),
        client_id: client.id.clone(),
        email: "bob@example.com".to_owned(),
        role: Role::Owner,
        created_at: now(),
    };
    let workspace = Workspace {
        id: domain::WorkspaceId::random(),
        client_id: client.id.clone(),
        name: "second".to_owned(),
        owner_user_id: owner.id.clone(),
        created_at: now(),
    };
    let again = test.store.client_create(&client, &owner, &workspace).await;
    assert!(matches!(again, Err(StoreError::Exists)));
    let second = test.store.workspace_by_id(&client.id, &workspace.id).await.unwrap();
    assert_eq!(second, None, "a refused transaction leaves nothing behind");
}

#[tokio::test]
async fn another_clients_workspace_is_none() {
    let test = TestStore::start().await;
    let (one, other) = (test.client().await, test.client().await);
    let found = test.store.workspace_by_id(&one.id, &other.default_workspace_id).await.unwrap();
    assert_eq!(found, None);
}
