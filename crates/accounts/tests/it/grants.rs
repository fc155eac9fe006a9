//! What users have allowed to apps: seen and taken back by whom.

use domain::{AppGrant, Claims, GrantId, Outcome, Role, ScopeSet, User};
use serde_json::{Value, json};
use store::grants::Redeemed;
use testkit::{TestAgent, TestKey, act, now, parts, request};

use crate::setup::Setup;

fn list(user: &User) -> String {
    format!("/users/{}/grants", user.id)
}

fn one(user: &User, grant: &AppGrant) -> String {
    format!("/users/{}/grants/{}", user.id, grant.id)
}

async fn is_live(setup: &Setup, grant: &AppGrant) -> bool {
    setup.test.store.grant_by_id(&grant.id).await.unwrap().unwrap().counts(now())
}

#[tokio::test]
async fn a_grant_is_shown_with_its_app_as_it_was_called() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let app = setup.oauth_app("read").await;
    let (grant, first) = setup.granted(&app, &bob, "read").await;
    let renamed = json!({"name": "Something else"});
    assert_eq!(setup.call(&setup.owner(), "PATCH", &format!("/apps/{}", app.id), Some(renamed)).await.0, 200);
    let mut expected = json!({
        "id": grant.id.as_str(),
        "app_id": app.id,
        "app_name": app.name,
        "scopes": ["read"],
        "resource": null,
        "created_at": now(),
        "last_refreshed_at": null,
        "expires_at": grant.expires_at,
    });
    let page = |grant: &Value| (200, json!({"data": [grant], "next_cursor": null}));
    assert_eq!(setup.get(&setup.login(&bob), &list(&bob)).await, page(&expected));
    let followed = grant.refresh.as_ref().unwrap().followed(&first, &first.next(), vec![1], now().plus(60));
    assert_eq!(setup.test.store.grant_refresh(&grant, followed).await.unwrap(), Redeemed::Done);
    expected["last_refreshed_at"] = json!(now().plus(60));
    assert_eq!(setup.get(&setup.owner(), &list(&bob)).await, page(&expected));
    let carol = setup.user(Role::Member).await;
    assert_eq!(setup.get(&setup.owner(), &list(&carol)).await.1, json!({"data": [], "next_cursor": null}));
}

#[tokio::test]
async fn the_user_and_those_who_manage_users_see_and_end_grants() {
    for who in ["the user", "owner", "admin", "key", "personal key"] {
        let setup = Setup::new().await;
        let (bob, admin) = (setup.user(Role::Member).await, setup.user(Role::Admin).await);
        let app = setup.oauth_app("read").await;
        let (ended, _) = setup.granted(&app, &bob, "read").await;
        let (kept, _) = setup.granted(&app, &bob, "read").await;
        let (bearer, actor) = match who {
            "the user" => (setup.login(&bob), Some(&bob)),
            "owner" => (setup.owner(), Some(&setup.account.owner)),
            "admin" => (setup.login(&admin), Some(&admin)),
            "key" => (setup.key("admin").await, None),
            _ => (setup.personal_key(&admin, "admin").await.plain.expose().to_owned(), None),
        };
        assert_eq!(setup.get(&bearer, &list(&bob)).await.1["data"].as_array().unwrap().len(), 2, "{who}");
        let before = setup.events().await.len();
        let head = setup.test.store.feed_head().await.unwrap();
        for _ in 0..2 {
            assert_eq!(setup.call(&bearer, "DELETE", &one(&bob, &ended), None).await, (204, Value::Null), "{who}");
        }
        assert!(!is_live(&setup, &ended).await && is_live(&setup, &kept).await, "{who}");
        let (_, left) = setup.get(&bearer, &list(&bob)).await;
        assert_eq!((left["data"].as_array().unwrap().len(), &left["data"][0]["id"]), (1, &json!(kept.id.as_str())));
        let told = setup.test.store.feed_after(head).await.unwrap().entries;
        let told: Vec<_> = told.iter().map(|entry| (entry.kind.as_str(), entry.id.as_str())).collect();
        assert_eq!(told, [("grant", ended.id.as_str())], "{who}");
        let events = setup.events().await.split_off(before);
        let [event] = &events[..] else { panic!("{who}: {events:?}") };
        assert_eq!((event.action.as_str(), event.object.id.as_str()), ("app.grant_ended", app.id.as_str()));
        let details = json!({"grant_id": ended.id.as_str(), "user_id": bob.id, "scopes": ["read"]});
        assert_eq!(json!(event.details), details, "{who}");
        if let Some(actor) = actor {
            assert_eq!((event.actor.kind.as_str(), event.actor.id.as_str()), ("user", actor.id.as_str()));
        } else {
            assert_eq!(event.actor.kind, "key");
        }
    }
}

#[tokio::test]
async fn nobody_else_sees_or_ends_a_grant_apps_and_agents_least_of_all() {
    let setup = Setup::new().await;
    let admin = setup.user(Role::Admin).await;
    let app = setup.oauth_app("read admin").await;
    let (grant, _) = setup.granted(&app, &admin, "read admin").await;
    let (another, _) = setup.granted(&app, &admin, "read admin").await;
    let (_, workspace_admin) = setup.workspace_admin().await;
    let personal = setup.personal_key(&admin, "read").await.plain.expose().to_owned();
    let child = {
        let mut claims = testkit::login_claims(&admin, &setup.account.workspace, ScopeSet::parse("read").unwrap());
        claims.parent_jti = Some("a login".to_owned());
        setup.sign(&claims)
    };
    let of_app =
        setup.sign(&Claims::of_app(setup.issue(), &app, app.scopes.clone().unwrap(), &setup.account.workspace));
    let holding_admin = [setup.token_of(&another), setup.token_of(&grant), of_app];
    for bearer in &holding_admin {
        assert_eq!(setup.get(bearer, "/users").await.0, 200, "it does hold `admin`");
    }
    let lesser = [
        setup.login(&setup.user(Role::Member).await),
        workspace_admin,
        setup.key("read write keys:manage usage:read insights:*").await,
        setup.test_key("admin").await,
        personal,
        child,
    ];
    let agent = {
        let key = TestKey::new(&setup.account.client, "admin").stored(&setup.test.store).await;
        TestAgent::new(&key, "manager", "admin").stored(&setup.test.store).await
    };
    let before = setup.events().await.len();
    for bearer in holding_admin.iter().chain(&lesser) {
        assert_eq!(setup.get(bearer, &list(&admin)).await.0, 403);
        assert_eq!(setup.call(bearer, "DELETE", &one(&admin, &grant), None).await.0, 403);
    }
    let bearer = format!("Bearer {}", agent.plain.expose());
    let headers = [("authorization", bearer.as_str()), ("x-agent-id", "manager")];
    let by_agent = async |method: &str, path: &str| {
        setup.answer(request(method, &setup.path(path), &headers, String::new())).await.0
    };
    assert_eq!(by_agent("GET", &list(&admin)).await, 403);
    assert_eq!(by_agent("DELETE", &one(&admin, &grant)).await, 403);
    assert_eq!(setup.events().await.len(), before);
    assert!(is_live(&setup, &grant).await);
    let refused = setup.all_events().await.into_iter().filter(|event| event.outcome == Outcome::Refused);
    let refused: Vec<_> = refused.filter(|event| event.action == "app.grant_ended").collect();
    assert_eq!(refused.len(), holding_admin.len() + lesser.len(), "each is noted beside the chain");
    assert!(refused.iter().all(|event| event.object.id == admin.id.as_str()), "{refused:?}");
}

#[tokio::test]
async fn what_is_anothers_is_not_there() {
    let setup = Setup::new().await;
    let (bob, carol) = (setup.user(Role::Member).await, setup.user(Role::Member).await);
    let app = setup.oauth_app("read").await;
    let (grant, _) = setup.granted(&app, &bob, "read").await;
    let theirs = setup.test.account().await;
    let foreign = {
        let code = testkit::authorization_code("theirs", &app, &theirs.owner, &theirs.client, "read");
        let (grant, _) = testkit::grant_of(&code);
        setup.test.store.code_create(&code).await.unwrap();
        setup.test.store.code_redeem(&code, &grant).await.unwrap();
        grant
    };
    let owner = setup.owner();
    let missing = setup.get(&owner, "/users/cu_0123456789abcdef").await;
    assert_eq!(missing.0, 404);
    let unknown = AppGrant { id: GrantId::random(), ..grant.clone() };
    for path in [
        one(&carol, &grant),
        one(&bob, &foreign),
        one(&theirs.owner, &foreign),
        one(&theirs.owner, &grant),
        one(&bob, &unknown),
        format!("/users/{}/grants/x", bob.id),
        format!("/users/x/grants/{}", grant.id),
    ] {
        assert_eq!(setup.call(&owner, "DELETE", &path, None).await, missing, "{path}");
    }
    assert_eq!(setup.call(&setup.login(&carol), "DELETE", &one(&carol, &grant), None).await, missing);
    for path in [list(&theirs.owner), "/users/cu_0123456789abcdef/grants".to_owned(), "/users/x/grants".to_owned()] {
        assert_eq!(setup.get(&owner, &path).await, missing, "{path}");
    }
    assert!(is_live(&setup, &grant).await && is_live(&setup, &foreign).await);
    // In another client's place.
    let bearer = format!("Bearer {owner}");
    let path = format!("/api/v1/clients/{}{}", theirs.client.id, one(&theirs.owner, &foreign));
    let there = request("DELETE", &path, &[("authorization", bearer.as_str())], String::new());
    assert_eq!(setup.answer(there).await, missing);
    assert!(is_live(&setup, &foreign).await);
}

#[tokio::test]
async fn a_grant_whose_time_is_over_is_shown_no_more_and_stays_as_it_is() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let app = setup.oauth_app("read").await;
    let (grant, _) = setup.granted(&app, &bob, "read").await;
    let key = setup.key("admin").await;
    let at = |seconds: i64| testkit::moment(f64::from(i32::try_from(seconds).unwrap()));
    let before = setup.events().await.len();
    let call = async |method: &str, path: &str, seconds: i64| {
        let bearer = format!("Bearer {key}");
        let request = request(method, &setup.path(path), &[("authorization", bearer.as_str())], String::new());
        match accounts::handle(setup.app.clone(), request, at(seconds)).await {
            Ok(reply) => parts(reply),
            Err(error) => parts(error.into_reply(testkit::ISSUER)),
        }
    };
    let life = grant.expires_at.unix() - now().unix();
    assert_eq!(call("GET", &list(&bob), life - 1).await.1["data"].as_array().unwrap().len(), 1);
    assert_eq!(call("GET", &list(&bob), life).await, (200, json!({"data": [], "next_cursor": null})));
    assert_eq!(call("DELETE", &one(&bob, &grant), life).await, (204, Value::Null));
    assert_eq!(setup.events().await.len(), before, "it ended by itself");
}

/// A refresh that was under way leaves nothing behind that counts, whichever of the two came first.
#[tokio::test(flavor = "multi_thread")]
async fn of_an_end_and_refreshes_at_once_nothing_survives() {
    for round in 0..4 {
        let setup = Setup::new().await;
        let bob = setup.user(Role::Member).await;
        let app = setup.oauth_app("read").await;
        let (grant, first) = setup.granted(&app, &bob, "read").await;
        let before = setup.events().await.len();
        let mut refreshes = Vec::new();
        for _ in 0..4 {
            let (store, id, mut token) = (setup.test.another_connection(), grant.id.clone(), first.clone());
            refreshes.push(tokio::spawn(async move {
                for step in 0..6 {
                    let seen = store.grant_by_id(&id).await.unwrap().unwrap();
                    if seen.ended_at.is_some() {
                        return;
                    }
                    let next = token.next();
                    let followed = seen.refresh.as_ref().unwrap().followed(&token, &next, vec![step], now());
                    store.grant_refresh(&seen, followed).await.unwrap();
                    token = next;
                }
            }));
        }
        let calls = (0..2).map(|_| (setup.login(&bob), "DELETE", one(&bob, &grant), None)).collect();
        let statuses = crate::races::at_once(&setup, calls).await;
        for refresh in refreshes {
            refresh.await.unwrap();
        }
        assert!(statuses.iter().all(|status| [204, 503].contains(status)) && statuses.contains(&204), "{statuses:?}");
        assert!(!is_live(&setup, &grant).await, "round {round}");
        assert_eq!(setup.events().await.len(), before + 1, "one has ended it");
        assert_eq!(setup.get(&setup.login(&bob), &list(&bob)).await.1["data"], json!([]));
        let kept = setup.test.store.grant_by_id(&grant.id).await.unwrap().unwrap();
        let followed = kept.refresh.as_ref().unwrap().followed(&first, &first.next(), vec![9], now());
        assert_eq!(setup.test.store.grant_refresh(&kept, followed).await.unwrap(), Redeemed::Outdated);
        setup.test.store.grant_end(&grant.id, &act()).await.unwrap();
    }
}

#[tokio::test]
async fn its_tokens_open_nothing_within_five_seconds() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let app = setup.oauth_app("read").await;
    let (grant, _) = setup.granted(&app, &bob, "read").await;
    let token = setup.token_of(&grant);
    // So that nothing but the feed can tell it: an instance reads its records once more after its first looks.
    setup.warm().await;
    for _ in 0..3 {
        assert_eq!(setup.get(&token, "").await.0, 200);
        setup.pass();
    }
    assert_eq!(setup.call(&setup.login(&bob), "DELETE", &one(&bob, &grant), None).await.0, 204);
    setup.pass();
    assert_eq!(setup.get(&token, "").await.0, 401);
}

#[tokio::test]
async fn a_list_is_a_query_and_a_batch_and_an_end_one_transaction() {
    let setup = Setup::new().await;
    let (owner, bob) = (setup.owner(), setup.user(Role::Member).await);
    let app = setup.oauth_app("read").await;
    let (grant, _) = setup.granted(&app, &bob, "read").await;
    setup.warm().await;
    setup.get(&owner, "").await;
    let counts = |expected: &[(&str, usize)]| {
        let counts: Vec<_> = setup.test.faults.counts().into_iter().collect();
        assert_eq!(counts, expected.iter().map(|(call, count)| ((*call).to_owned(), *count)).collect::<Vec<_>>());
        setup.test.faults.reset_counts();
    };
    setup.test.faults.reset_counts();
    assert_eq!(setup.get(&owner, &list(&bob)).await.0, 200);
    counts(&[("BatchGetItem", 1), ("GetItem", 1), ("Query", 1)]);
    for expected in [&[("GetItem", 4), ("Query", 1), ("TransactWriteItems", 1)][..], &[("GetItem", 1), ("Query", 1)]] {
        assert_eq!(setup.call(&owner, "DELETE", &one(&bob, &grant), None).await.0, 204);
        counts(expected);
    }
}
