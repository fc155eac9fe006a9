//! What calls cost: store calls by operation, with a caller that is known and a feed that is fresh.

use serde_json::json;

use crate::setup::{Setup, calls};

#[tokio::test]
async fn a_change_is_one_transaction_and_a_page_one_query_and_one_batch_read() {
    let setup = Setup::new().await;
    let (admin, key) = (setup.key("admin").await, setup.key("read").await);
    setup.warm(&admin, &key).await;
    let creation = (Some(json!({"name": "x"})), setup.path(""));
    let one = setup.path_of(&key);
    let rotation = format!("{one}/rotate");
    let name = [("idempotency-key", "one")];
    for (method, path, body, more, expected) in [
        // What the feed has told of since; the client, the workspace, the chain's head.
        ("POST", creation.1.clone(), creation.0.clone(), &[][..], "GetItem 3, Query 1, TransactWriteItems 1"),
        // And whether it is answered already.
        ("POST", creation.1.clone(), creation.0.clone(), &name[..], "GetItem 4, Query 1, TransactWriteItems 1"),
        // The client, the workspace, the answer.
        ("POST", creation.1, creation.0, &name[..], "GetItem 3, Query 1"),
        ("GET", setup.path(""), None, &[], "BatchGetItem 1, Query 1"),
        ("GET", setup.path("?limit=1"), None, &[], "BatchGetItem 1, Query 1"),
        // The record, and when it was last used.
        ("GET", one.clone(), None, &[], "GetItem 2"),
        // The same, and the heads of feed and chain.
        ("PATCH", one.clone(), Some(json!({"name": "x"})), &[], "GetItem 4, Query 1, TransactWriteItems 1"),
        ("PATCH", one.clone(), Some(json!({"name": "x"})), &[], "GetItem 2, Query 1"),
        ("POST", rotation.clone(), None, &[], "GetItem 4, Query 1, TransactWriteItems 1"),
        // For the prefix, the client.
        ("POST", rotation, Some(json!({"overlap_seconds": 0})), &[], "GetItem 5, Query 1, TransactWriteItems 1"),
        // The record twice.
        ("DELETE", one.clone(), None, &[], "GetItem 4, Query 1, TransactWriteItems 1"),
        ("DELETE", one, None, &[], "GetItem 2, Query 1"),
    ] {
        setup.test.faults.reset_counts();
        let (status, answer) = setup.call_with(&admin, more, method, &path, body.clone()).await;
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
        assert_eq!(calls(&setup), expected, "{method} {path} {body:?}");
    }
}

#[tokio::test]
async fn a_page_of_keys_of_several_workspaces_reads_each_workspace_once() {
    let setup = Setup::new().await;
    let login = setup.owner().await;
    setup.call(&login, "GET", &setup.path(""), None).await;
    for _ in 0..2 {
        let workspace = setup.workspace(&setup.account.owner).await;
        for _ in 0..3 {
            setup.other_key("read", |record| record.kind = domain::KeyKind::Workspace(workspace.id.clone())).await;
        }
    }
    for expected in ["BatchGetItem 1, GetItem 2, Query 1", "BatchGetItem 1, Query 1"] {
        setup.test.faults.reset_counts();
        let (_, list) = setup.call(&login, "GET", &setup.path(""), None).await;
        assert_eq!((list["data"].as_array().unwrap().len(), calls(&setup).as_str()), (6, expected));
    }
}
