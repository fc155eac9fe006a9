//! People who have logged in and manage keys without the scope for it.

use domain::{Role, ScopeSet, WorkspaceRole, WorkspaceStatus};
use serde_json::json;
use testkit::{TestKey, change_user, change_workspace};

use crate::setup::Setup;

#[tokio::test]
async fn a_member_gives_only_scopes_that_the_member_holds() {
    let setup = Setup::new().await;
    let lead = setup.member_of(&setup.account.workspace, WorkspaceRole::Admin).await;
    let login = setup.login(&lead).await;
    let asking = |kind: &str, scopes: &[&str]| json!({"name": "x", "type": kind, "scopes": scopes});
    for kind in ["personal", "workspace"] {
        setup.made(&login, asking(kind, &["read"])).await;
        for scopes in [&["write"][..], &["read", "admin"], &["logs:read"], &["keys:manage"]] {
            assert_eq!(setup.create(&login, asking(kind, scopes)).await.0, 403, "{kind} {scopes:?}");
        }
    }
    let wide = setup.key("read write").await;
    assert_eq!(setup.rotate(&login, &wide, None).await.0, 403, "nor a secret of a key that has more");
    assert_eq!(setup.patch(&login, &wide, json!({"scopes": ["read", "logs:read"]})).await.0, 403);
    assert_eq!(setup.patch(&login, &wide, json!({"scopes": ["read"]})).await.0, 200);
    assert_eq!(setup.patch(&login, &wide, json!({"scopes": ["read", "write"]})).await.0, 403, "once taken");

    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.member_scopes = ScopeSet::parse("logs:read"))
        .await;
    setup.pass();
    let login = setup.login(&lead).await;
    setup.made(&login, asking("personal", &["logs:read", "read"])).await;
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.member_scopes = None).await;
    setup.pass();
    assert_eq!(setup.create(&login, asking("personal", &["logs:read"])).await.0, 403, "the login's token has it still");
}

#[tokio::test]
async fn whose_workspace_gives_keys_manage_manages_all_of_the_client() {
    let setup = Setup::new().await;
    let member = setup.user(Role::Member).await;
    let elsewhere = setup.workspace(&setup.account.owner).await;
    let key = setup.other_key("read", |record| record.kind = domain::KeyKind::Workspace(elsewhere.id.clone())).await;
    assert_eq!(setup.get(&setup.login(&member).await, &key).await.0, 404);
    let manage = |it: &mut domain::Workspace| it.member_scopes = ScopeSet::parse("keys:manage");
    change_workspace(&setup.test.store, &setup.account.workspace, manage).await;
    setup.pass();
    let login = setup.login(&member).await;
    assert_eq!(setup.get(&login, &key).await.0, 200);
    assert_eq!(setup.listed(&login, "").await, [key.record.id.as_str()]);
    let body = json!({"name": "x", "workspace_id": elsewhere.id, "scopes": ["read"]});
    assert_eq!(setup.create(&login, body).await.0, 201);
}

#[tokio::test]
async fn a_list_shows_the_keys_that_its_caller_manages() {
    let setup = Setup::new().await;
    let (member, other) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let elsewhere = setup.workspace(&setup.account.owner).await;
    let lead = setup.member_of(&elsewhere, WorkspaceRole::Admin).await;
    let mut expected: [Vec<String>; 4] = Default::default();
    let [of_member, of_lead, of_all, of_elsewhere] = &mut expected;
    for round in 0..3 {
        for (user, place) in [(&member, Some(&mut *of_member)), (&other, None), (&lead, Some(&mut *of_lead))] {
            let id = setup.personal_key(user, "read").await.record.id.to_string();
            of_all.push(id.clone());
            if let Some(place) = place {
                place.push(id);
            }
        }
        of_all.push(setup.key("read").await.record.id.to_string());
        let kind = domain::KeyKind::Workspace(elsewhere.id.clone());
        let id = setup.other_key("read", |record| record.kind = kind).await.record.id.to_string();
        of_elsewhere.push(id.clone());
        of_lead.push(id.clone());
        of_all.push(id);
        if round == 1 {
            TestKey::new(&setup.test.client().await, "read").stored(&setup.test.store).await;
        }
    }
    for ids in &mut expected {
        ids.sort();
    }
    let [of_member, of_lead, of_all, of_elsewhere] = expected;
    assert_eq!(setup.listed(&setup.login(&member).await, "").await, of_member);
    assert_eq!(setup.listed(&setup.login(&lead).await, "").await, of_lead);
    assert_eq!(setup.listed(&setup.owner().await, "").await, of_all);
    let of_workspace = format!("&workspace_id={}", elsewhere.id);
    assert_eq!(setup.listed(&setup.login(&lead).await, &of_workspace).await, of_elsewhere);
    assert_eq!(setup.listed(&setup.login(&member).await, &of_workspace).await, [""; 0]);
    assert_eq!(setup.listed(&setup.login(&member).await, "&type=workspace").await, [""; 0]);

    let (_, page) = setup.call(&setup.owner().await, "GET", &setup.path("?limit=1"), None).await;
    let cursor = setup.path(&format!("?limit=1&cursor={}", page["next_cursor"].as_str().unwrap()));
    assert_eq!(setup.call(&setup.owner().await, "GET", &cursor, None).await.0, 200);
    assert_eq!(setup.call(&setup.login(&member).await, "GET", &cursor, None).await.0, 400, "another's list");
}

#[tokio::test]
async fn a_workspace_that_one_does_not_manage_is_refused_whether_there_is_one_or_not() {
    let setup = Setup::new().await;
    let login = setup.login(&setup.member_of(&setup.account.workspace, WorkspaceRole::Admin).await).await;
    let (elsewhere, foreign) = (setup.workspace(&setup.account.owner).await, setup.test.account().await.workspace);
    let ask = |id: &str| json!({"name": "x", "workspace_id": id});
    let (_, refused) = setup.create(&login, ask(elsewhere.id.as_str())).await;
    for id in [elsewhere.id.as_str(), foreign.id.as_str(), "ws_0123456789abcdef"] {
        assert_eq!(setup.create(&login, ask(id)).await, (403, refused.clone()), "{id}");
    }
}

#[tokio::test]
async fn a_personal_key_needs_a_person() {
    let setup = Setup::new().await;
    let form = json!({"name": "x", "type": "personal"});
    assert_eq!(setup.create(&setup.key("admin").await, form.clone()).await.0, 400);
    let own = setup.personal_key(&setup.account.owner, "admin").await;
    for by in [own.plain.expose().to_owned(), setup.owner().await, setup.token(&own)] {
        let made = setup.made(&by, form.clone()).await;
        assert_eq!(made["record"]["owner_user_id"], json!(setup.account.owner.id));
        assert_eq!(made["record"]["created_by"], json!(setup.account.owner.id));
        let both = json!({"name": "x", "type": "personal", "workspace_id": setup.client.default_workspace_id});
        assert_eq!(setup.create(&by, both).await.0, 400);
    }
}

#[tokio::test]
async fn a_personal_key_without_the_scope_manages_nothing() {
    let setup = Setup::new().await;
    let (member, admin) = (setup.user(Role::Member).await, setup.user(Role::Admin).await);
    let form = json!({"name": "x", "type": "personal"});
    let key = setup.personal_key(&admin, "read write").await;
    assert_eq!(setup.call(&key, "GET", &setup.path(""), None).await.0, 403);
    assert_eq!(setup.create(&key, form.clone()).await.0, 403, "a role counts at a login alone");
    let beyond = setup.personal_key(&member, "keys:manage read").await;
    assert_eq!(setup.create(&beyond, form.clone()).await.0, 403, "its user does not hold it");

    let key = setup.personal_key(&admin, "keys:manage read").await;
    assert_eq!(setup.create(&key, form.clone()).await.0, 201);
    change_user(&setup.test.store, &admin, |user| user.role = Role::Member).await;
    setup.pass();
    assert_eq!(setup.create(&key, form).await.0, 403, "its user holds it no longer");
}

#[tokio::test]
async fn a_role_that_is_taken_away_manages_nothing_within_five_seconds() {
    let setup = Setup::new().await;
    let lead = setup.member_of(&setup.account.workspace, WorkspaceRole::Admin).await;
    let (login, key) = (setup.login(&lead).await, setup.key("read").await);
    assert_eq!(setup.get(&login, &key).await.0, 200);
    change_user(&setup.test.store, &lead, |user| {
        user.workspaces.insert(setup.account.workspace.id.clone(), WorkspaceRole::Member);
    })
    .await;
    setup.pass();
    assert_eq!(setup.get(&login, &key).await.0, 404);
    assert_eq!(setup.create(&login, json!({"name": "x"})).await.0, 403);
}

#[tokio::test]
async fn in_a_suspended_workspace_its_admins_only_end_keys() {
    let setup = Setup::new().await;
    let lead = setup.member_of(&setup.account.workspace, WorkspaceRole::Admin).await;
    let (login, key, admin) = (setup.login(&lead).await, setup.key("read").await, setup.key("admin").await);
    change_workspace(&setup.test.store, &setup.account.workspace, |it| it.status = WorkspaceStatus::Suspended).await;
    setup.pass();
    let refused = |answer: (u16, serde_json::Value)| {
        assert_eq!((answer.0, &answer.1["message"]), (403, &json!("The workspace is suspended")));
    };
    refused(setup.get(&admin, &key).await);
    refused(setup.create(&login, json!({"name": "x"})).await);
    let form = json!({
        "dry_run": false,
        "pattern": {"prefix": "former_", "length": 40},
        "rows": [{"name": "x", "hash": "ab".repeat(32), "encoding": "hex"}],
    });
    let (status, answer) = setup.call(&login, "POST", &setup.path("/import"), Some(form)).await;
    assert_eq!((status, &answer["data"][0]["result"]), (200, &json!("invalid")), "{answer}");
    refused(setup.patch(&login, &key, json!({"name": "x"})).await);
    refused(setup.rotate(&login, &key, None).await);
    assert_eq!(setup.get(&login, &key).await.0, 200);
    assert_eq!(
        setup.patch(&setup.owner().await, &key, json!({"name": "x"})).await.0,
        200,
        "who manages the client's keys"
    );
    setup.made(&login, json!({"name": "x", "type": "personal"})).await;
    assert_eq!(setup.revoke(&login, &key).await.0, 204);
}
