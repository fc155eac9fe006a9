use domain::{Action, App, AppId, ClientId, Deed, FeedKind, HashedKey, ScopeSet, Sequence};
use store::apps::AppChanged;
use testkit::{Fault, TestStore, act, app};

fn deed(app: &App, action: Action) -> Deed {
    Deed::new(action, &app.id)
}

async fn created(test: &TestStore, client: &domain::Client) -> App {
    let app = app(Some(client), Some("read write"), Some("secret"));
    let done = test.store.app_create(&client.id, &app, deed(&app, Action::ClientUpdated), &act(), None).await.unwrap();
    assert_eq!(done, AppChanged::Done);
    app
}

#[tokio::test]
async fn an_app_reads_back_as_it_was_written_and_only_to_its_client() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let app = created(&test, &client).await;
    assert_eq!(test.store.app_by_id(&app.id).await.unwrap(), Some(app.clone()));
    assert_eq!(test.store.app_of_client(&client.id, &app.id).await.unwrap(), Some(app.clone()));
    assert_eq!(test.store.app_of_client(&ClientId::random(), &app.id).await.unwrap(), None);
    assert_eq!(test.store.app_by_id(&AppId::random()).await.unwrap(), None);
}

#[tokio::test]
async fn an_app_that_has_registered_itself_belongs_to_nobody_and_is_made_once() {
    let test = TestStore::start().await;
    let own = app(None, None, None);
    test.store.app_register(&own).await.unwrap();
    assert_eq!(test.store.app_by_id(&own.id).await.unwrap(), Some(own.clone()));
    assert_eq!(test.store.app_of_client(&ClientId::random(), &own.id).await.unwrap(), None);
    let other = App { name: "Another".to_owned(), ..own.clone() };
    assert!(test.store.app_register(&other).await.is_err());
    assert_eq!(test.store.app_by_id(&own.id).await.unwrap(), Some(own));
}

#[tokio::test]
async fn a_clients_apps_are_listed_page_by_page_and_no_others() {
    let test = TestStore::start().await;
    let (client, other) = (test.client().await, test.client().await);
    created(&test, &other).await;
    let mut expected = Vec::new();
    for _ in 0..5 {
        expected.push(created(&test, &client).await.id);
    }
    expected.sort();
    let (mut seen, mut after) = (Vec::new(), None::<String>);
    loop {
        let page = test.store.app_list(&client.id, 2, after.as_deref()).await.unwrap();
        assert!(page.items.len() <= 2);
        seen.extend(page.items.into_iter().map(|app| app.id));
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn a_change_is_made_on_what_was_seen_alone_and_told_to_the_feed() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let before = created(&test, &client).await;
    let head = test.store.feed_head().await.unwrap();
    let after = App { secret: Some(HashedKey::of_text("another")), scopes: ScopeSet::parse("read"), ..before.clone() };
    let change = |seen: App| {
        let (test, client, after) = (&test, &client, after.clone());
        async move {
            let deed = deed(&after, Action::ClientUpdated);
            test.store.app_change(&client.id, &seen, &after, deed, &act()).await.unwrap()
        }
    };
    assert_eq!(change(before.clone()).await, AppChanged::Done);
    assert_eq!(change(before.clone()).await, AppChanged::Outdated);
    let kept = test.store.app_by_id(&before.id).await.unwrap().unwrap();
    assert_eq!(kept, App { revision: 1, ..after.clone() });
    let told = test.store.feed_after(head).await.unwrap().entries;
    assert_eq!(
        told.into_iter().map(|entry| (entry.kind, entry.id)).collect::<Vec<_>>(),
        [(FeedKind::App, before.id.to_string())]
    );
}

#[tokio::test]
async fn an_app_that_is_taken_away_is_in_no_list_and_the_feed_says_so() {
    let test = TestStore::start().await;
    let client = test.client().await;
    let app = created(&test, &client).await;
    let gone = |seen: App| {
        let (test, client) = (&test, &client);
        async move {
            let deed = deed(&seen, Action::ClientUpdated);
            test.store.app_remove(&client.id, &seen, deed, &act()).await.unwrap()
        }
    };
    let stale = App { revision: 7, ..app.clone() };
    assert_eq!(gone(stale).await, AppChanged::Outdated);
    assert!(test.store.app_by_id(&app.id).await.unwrap().is_some());
    assert_eq!(gone(app.clone()).await, AppChanged::Done);
    assert_eq!(test.store.app_by_id(&app.id).await.unwrap(), None);
    assert!(test.store.app_list(&client.id, 10, None).await.unwrap().items.is_empty());
    let told = test.store.feed_after(Sequence(0)).await.unwrap().entries;
    assert!(told.iter().any(|entry| entry.kind == FeedKind::App && entry.id == app.id.as_str()));
}

#[tokio::test]
async fn a_creation_whose_answer_was_lost_is_one_app_and_no_error() {
    let test = TestStore::start().await;
    let client = test.client().await;
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    let app = created(&test, &client).await;
    assert_eq!(test.store.app_list(&client.id, 10, None).await.unwrap().items, [app]);
}
