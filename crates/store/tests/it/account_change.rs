//! Changes of users, workspaces and clients: their conditions, their races, and what follows from them.

use domain::{
    Action, Client, Deed, FeedKind, HashedKey, Role, ScopeSet, Sequence, User, UserId, Workspace, WorkspaceRole,
};
use store::account_change::{AccountChange, AccountChanged, Edit, InviteEdit};
use store::invites::Invite;
use store::keys::KeyCreated;
use store::replay::Replay;
use store::workspaces::Member;
use store::{Store, StoreError};
use testkit::{Fault, TestKey, TestStore, act, change_user, change_workspace, now};

async fn make(store: &Store, client: &Client, change: &AccountChange) -> Result<AccountChanged, StoreError> {
    let deed = Deed::new(Action::ClientUpdated, &client.id);
    store.account_change(&client.id, change, vec![deed], &act(), None).await
}

fn users(edits: impl Into<Vec<Edit<User>>>) -> AccountChange {
    AccountChange { users: edits.into(), ..AccountChange::default() }
}

async fn fed(store: &Store, last: Sequence) -> Vec<(FeedKind, String)> {
    let slice = store.feed_after(last).await.unwrap();
    slice.entries.into_iter().map(|entry| (entry.kind, entry.id)).collect()
}

#[tokio::test]
async fn what_is_changed_reads_back_and_the_feed_tells_of_it() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let user = account.user(&test.store, Role::Member).await;
    let head = test.store.feed_head().await.unwrap();
    change_user(&test.store, &user, |user| user.role = Role::Admin).await;
    change_workspace(&test.store, &account.workspace, |it| {
        it.personal_keys_allowed = false;
        it.member_scopes = ScopeSet::parse("logs:read models:read");
    })
    .await;
    let stored = test.store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
    assert_eq!(stored, User { role: Role::Admin, revision: 1, ..user.clone() });
    let workspace = test.store.workspace_by_id(&user.client_id, &account.workspace.id).await.unwrap().unwrap();
    let expected = Workspace {
        personal_keys_allowed: false,
        member_scopes: ScopeSet::parse("logs:read models:read"),
        revision: 1,
        ..account.workspace.clone()
    };
    assert_eq!(workspace, expected);
    let told = fed(&test.store, head).await;
    assert_eq!(told, [(FeedKind::User, user.id.to_string()), (FeedKind::Workspace, account.workspace.id.to_string())]);
    change_workspace(&test.store, &account.workspace, |it| it.member_scopes = None).await;
    let workspace = test.store.workspace_by_id(&user.client_id, &account.workspace.id).await.unwrap().unwrap();
    assert_eq!((workspace.member_scopes, workspace.personal_keys_allowed), (None, false));
}

#[tokio::test]
async fn what_was_read_before_anothers_change_changes_nothing() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let user = account.user(&test.store, Role::Member).await;
    let before = test.store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
    change_user(&test.store, &user, |user| user.role = Role::Admin).await;
    for edit in [
        Edit::Changed { before: before.clone(), after: User { role: Role::Owner, ..before.clone() } },
        Edit::Removed(before.clone()),
        Edit::Kept(before.clone()),
        Edit::New(before.clone()),
    ] {
        let changed = make(&test.store, &account.client, &users([edit])).await.unwrap();
        assert!(matches!(changed, AccountChanged::Outdated | AccountChanged::EmailTaken), "{changed:?}");
    }
    let stored = test.store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
    assert_eq!(stored.role, Role::Admin);
}

#[tokio::test]
async fn lists_of_members_follow_their_users() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let user = account.user(&test.store, Role::Member).await;
    let members = || async {
        let page = test.store.member_list(&account.workspace.id, 10, None).await.unwrap();
        let mut roles: Vec<_> = page.items.into_iter().filter(|it| it.user_id == user.id).map(|it| it.role).collect();
        roles.sort_by_key(|role| role.as_str());
        roles
    };
    assert_eq!(members().await, [WorkspaceRole::Member]);
    change_user(&test.store, &user, |user| {
        user.workspaces.insert(account.workspace.id.clone(), WorkspaceRole::Admin);
    })
    .await;
    assert_eq!(members().await, [WorkspaceRole::Admin]);
    change_user(&test.store, &user, |user| user.workspaces.clear()).await;
    assert_eq!(members().await, []);
    change_user(&test.store, &user, |user| {
        user.workspaces.insert(account.workspace.id.clone(), WorkspaceRole::Member);
    })
    .await;
    let present = test.store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
    let removed = make(&test.store, &account.client, &users([Edit::Removed(present)])).await.unwrap();
    assert_eq!((removed, members().await), (AccountChanged::Done, vec![]));
    assert_eq!(test.store.user_by_email(&user.email).await.unwrap(), None, "the address is free again");
    assert_eq!(test.store.password_of(&user.id).await.unwrap(), None);
}

#[tokio::test]
async fn a_user_of_the_most_workspaces_leaves_them_all_in_one_transaction() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let user = account.user(&test.store, Role::Member).await;
    change_user(&test.store, &user, |user| {
        while user.workspaces.len() < User::MAX_WORKSPACES {
            user.workspaces.insert(domain::WorkspaceId::random(), WorkspaceRole::Member);
        }
    })
    .await;
    let full = test.store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
    let change = AccountChange {
        client: Some(Edit::Changed {
            before: account.client.clone(),
            after: Client { name: "Other".to_owned(), ..account.client.clone() },
        }),
        users: vec![Edit::Removed(full.clone()), Edit::Kept(account.owner.clone())],
        ..AccountChange::default()
    };
    // Adding a user has counted one change of the client.
    let mut change = change;
    if let Some(Edit::Changed { before, after }) = &mut change.client {
        (before.revision, after.revision) = (1, 1);
    }
    assert_eq!(make(&test.store, &account.client, &change).await.unwrap(), AccountChanged::Done);
    for workspace in full.workspaces.keys() {
        let page = test.store.member_list(workspace, 100, None).await.unwrap();
        assert!(page.items.iter().all(|member| member.user_id != user.id), "{workspace}");
    }
}

#[tokio::test]
async fn pages_of_users_workspaces_and_members_hold_each_once() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let mut expected = vec![account.owner.id.clone()];
    for _ in 0..6 {
        expected.push(account.user(&test.store, Role::Member).await.id);
    }
    expected.sort();
    for limit in [1, 2, 7, 100] {
        let (mut listed, mut members, mut after) = (Vec::new(), Vec::<Member>::new(), None);
        loop {
            let page = test.store.user_list(&account.client.id, limit, after.as_deref()).await.unwrap();
            assert!(page.items.len() <= limit);
            listed.extend(page.items.into_iter().map(|user| user.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        loop {
            let page = test.store.member_list(&account.workspace.id, limit, after.as_deref()).await.unwrap();
            members.extend(page.items);
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(listed, expected, "{limit}");
        assert_eq!(members.into_iter().map(|member| member.user_id).collect::<Vec<_>>(), expected, "{limit}");
    }
    let page = test.store.workspace_list(&account.client.id, 10, None).await.unwrap();
    assert_eq!((page.items, page.next), (vec![account.workspace], None));
}

#[tokio::test]
async fn an_invitation_counts_for_its_time_and_once() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let invite = Invite {
        hash: HashedKey::of_text("invite_x"),
        client_id: account.client.id.clone(),
        user_id: UserId::random(),
        expires_at: now().plus(60),
    };
    let change = AccountChange { invite: Some(InviteEdit::New(invite.clone())), ..AccountChange::default() };
    assert_eq!(make(&test.store, &account.client, &change).await.unwrap(), AccountChanged::Done);
    assert_eq!(test.store.invite_find(&invite.hash, now().plus(59)).await.unwrap(), Some(invite.clone()));
    assert_eq!(test.store.invite_find(&invite.hash, now().plus(60)).await.unwrap(), None);
    let used = AccountChange { invite: Some(InviteEdit::Used(invite.hash.clone())), ..AccountChange::default() };
    assert_eq!(make(&test.store, &account.client, &used).await.unwrap(), AccountChanged::Done);
    assert_eq!(make(&test.store, &account.client, &used).await.unwrap(), AccountChanged::Outdated);
    assert_eq!(test.store.invite_find(&invite.hash, now()).await.unwrap(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_changes_at_once_on_one_user_each_is_made_on_what_it_has_read() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let user = account.user(&test.store, Role::Member).await;
    let mut tasks = Vec::new();
    for _ in 0..8 {
        let (store, client, user) = (test.another_connection(), account.client.clone(), user.clone());
        tasks.push(tokio::spawn(async move {
            loop {
                let before = store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
                let mut after = before.clone();
                after.workspaces.insert(domain::WorkspaceId::random(), WorkspaceRole::Member);
                match make(&store, &client, &users([Edit::Changed { before, after }])).await.unwrap() {
                    AccountChanged::Done => return,
                    other => assert_eq!(other, AccountChanged::Outdated),
                }
            }
        }));
    }
    for task in tasks {
        task.await.unwrap();
    }
    let stored = test.store.user_by_id(&user.client_id, &user.id).await.unwrap().unwrap();
    assert_eq!((stored.workspaces.len(), stored.revision), (9, 8), "none was lost");
}

#[tokio::test]
async fn a_change_whose_answer_was_lost_is_made_once() {
    let test = TestStore::start().await;
    let account = test.account().await;
    let head = test.store.feed_head().await.unwrap();
    test.faults.once("TransactWriteItems", Fault::LostAnswer);
    change_workspace(&test.store, &account.workspace, |it| it.personal_keys_allowed = false).await;
    assert_eq!(fed(&test.store, head).await.len(), 1);
    test.faults.always("TransactWriteItems", Fault::Throttle);
    let before = test.store.workspace_by_id(&account.client.id, &account.workspace.id).await.unwrap().unwrap();
    let after = Workspace { personal_keys_allowed: true, ..before.clone() };
    let change =
        AccountChange { workspaces: vec![Edit::Changed { before: before.clone(), after }], ..AccountChange::default() };
    let refused = make(&test.store, &account.client, &change).await;
    assert!(matches!(refused, Err(StoreError::Unavailable(_))), "{refused:?}");
    test.faults.heal();
    let stored = test.store.workspace_by_id(&account.client.id, &account.workspace.id).await.unwrap();
    assert_eq!(stored, Some(before));
}

fn replay(asked: &str) -> Replay {
    Replay {
        name: HashedKey::of_text("name"),
        asked: HashedKey::of_text(asked),
        status: 201,
        body: r#"{"raw_key":null}"#.to_owned(),
    }
}

#[tokio::test]
async fn an_answer_is_kept_with_what_it_tells_of_for_a_day() {
    let test = TestStore::start().await;
    let (client, other) = (test.client().await, test.client().await);
    let (first, second) = (TestKey::new(&client, "read").record, TestKey::new(&client, "read").record);
    let kept = replay("a");
    let find = |client: &Client, seconds| {
        let (id, name) = (client.id.clone(), kept.name.clone());
        let store = test.store.clone();
        async move { store.replay_find(&id, &name, now().plus(seconds)).await.unwrap() }
    };
    assert_eq!(find(&client, 0).await, None);
    assert_eq!(test.store.key_create(&first, &act(), Some(&kept)).await.unwrap(), KeyCreated::Done);
    assert_eq!(test.store.key_create(&second, &act(), Some(&kept)).await.unwrap(), KeyCreated::AnsweredBefore);
    assert!(test.store.key_by_id(&first.id).await.unwrap().is_some());
    assert_eq!(test.store.key_by_id(&second.id).await.unwrap(), None);
    assert_eq!(find(&client, 24 * 3600 - 1).await, Some(kept.clone()));
    assert_eq!(find(&client, 24 * 3600).await, None, "past its day, though it may still be there");
    assert_eq!(find(&other, 0).await, None, "names are a client's own");

    let late = domain::Act { at: now().plus(24 * 3600), ..act() };
    let third = TestKey::new(&client, "read").record;
    assert_eq!(test.store.key_create(&third, &late, Some(&replay("b"))).await.unwrap(), KeyCreated::Done);
}
