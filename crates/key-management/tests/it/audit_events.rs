//! The audit log as its readers get it.

use std::collections::BTreeSet;

use audit_verify::chain::{Expected, verify};
use audit_verify::read::Source;
use domain::{Act, Action, AuditEvent, ClientId, Deed, Environment, Outcome, Role, UserId, random};
use serde_json::{Value, json};
use store::audit::AuditFilter;
use testkit::{Fault, TestKey, TestStore, event, moment, now, request, request_of};

use crate::setup::{Bearer, Setup};

fn path(client: &ClientId) -> String {
    format!("/api/v1/clients/{client}/audit_events")
}

/// The answer to a call without a body. Boxed: the compiler gives up on futures that are nested so deep.
async fn call(setup: &Setup, by: &impl Bearer, method: &str, path: &str) -> (u16, Value) {
    Box::pin(setup.call(by, method, path, None)).await
}

/// The answer to a list with this query.
async fn list(setup: &Setup, key: &TestKey, query: &str) -> (u16, Value) {
    call(setup, key, "GET", &format!("{}?{query}", path(&setup.client.id))).await
}

/// All events that a query finds, and how many pages they were on.
async fn walk(setup: &Setup, key: &TestKey, query: &str) -> (Vec<Value>, usize) {
    let (mut events, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let (status, body) = list(setup, key, &format!("{query}{cursor}")).await;
        assert_eq!(status, 200, "{body}");
        assert_eq!(body.as_object().unwrap().keys().collect::<Vec<_>>(), ["data", "next_cursor"]);
        events.extend(body["data"].as_array().unwrap().iter().cloned());
        pages += 1;
        match body["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return (events, pages),
        }
    }
}

/// Twenty changes and twenty logins by two users, four of each in every second.
async fn busy(test: &TestStore, client: &domain::Client) -> [UserId; 2] {
    let users = [UserId::random(), UserId::random()];
    for place in 0..20_usize {
        let user = &users[place % 2];
        let at = now().plus(1 + i64::try_from(place / 4).unwrap());
        let act = Act { actor: user.into(), address: Some("192.0.2.1".to_owned()), at };
        test.store.key_create(&TestKey::new(client, "read").record, &act, None).await.unwrap();
        let deed = Deed::new(Action::LoginFailed, user);
        test.store.audit_note(&client.id, &act, deed, Outcome::Refused).await.unwrap();
    }
    users
}

/// Everything that the store has of a client.
async fn stored(test: &TestStore, client: &ClientId) -> Vec<AuditEvent> {
    let page = test.store.audit_list(client, &AuditFilter::default(), 100, None).await.unwrap();
    assert!(page.next.is_none());
    page.events
}

#[tokio::test]
async fn events_are_answered_as_they_are_kept_oldest_first() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    busy(&setup.test, &setup.client).await;
    let (events, _) = walk(&setup, &key, "limit=100").await;
    let kept = stored(&setup.test, &setup.client.id).await;
    assert_eq!(events, kept.iter().map(|event| json!(event)).collect::<Vec<_>>());
    // The sign-up, the caller's own key, and what was done.
    assert_eq!(events.len(), 42);
    assert!(kept.is_sorted_by_key(|event| event.at));
    let members: BTreeSet<&str> = events[10].as_object().unwrap().keys().map(String::as_str).collect();
    let contract = "id at actor action object address outcome details hash previous_hash";
    assert_eq!(members, contract.split(' ').collect());
}

#[tokio::test]
async fn pages_hold_every_event_once_and_cost_one_query_each() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    busy(&setup.test, &setup.client).await;
    // The caller is known from here on.
    let (all, pages) = walk(&setup, &key, "limit=100").await;
    assert_eq!((all.len(), pages), (42, 1));
    for limit in [1, 5, 41, 42] {
        setup.test.faults.reset_counts();
        let (events, pages) = walk(&setup, &key, &format!("limit={limit}")).await;
        assert_eq!(events, all, "{limit}");
        assert_eq!(pages, 42_usize.div_ceil(limit));
        let counts = setup.test.faults.counts();
        assert_eq!(counts.into_iter().collect::<Vec<_>>(), [("Query".to_owned(), pages)], "{limit}");
    }
    // 50 where nothing is said.
    assert_eq!(list(&setup, &key, "").await.1["data"].as_array().unwrap().len(), 42);
}

#[tokio::test]
async fn filters_are_met_exactly_and_borders_belong_to_them() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let [one, other] = busy(&setup.test, &setup.client).await;
    let all = stored(&setup.test, &setup.client.id).await;
    let made = all.iter().find(|event| event.action == "key.created" && event.actor.id == one.as_str()).unwrap();
    let time = |seconds| now().plus(seconds).to_string();
    for (query, expected) in [
        (format!("actor={one}"), 20),
        (format!("actor={}", one.to_string().to_uppercase()), 0),
        (format!("actor={}", &one.as_str()[..10]), 0),
        ("action=key.created".to_owned(), 21),
        ("action=login.failed".to_owned(), 20),
        ("action=login.succeeded".to_owned(), 0),
        (format!("object={}", made.object.id), 1),
        (format!("object={other}"), 10),
        (format!("object={other}&actor={one}"), 0),
        (format!("action=key.created&actor={one}&object={}", made.object.id), 1),
        (format!("from={}&to={}", time(2), time(2)), 8),
        (format!("from={}", time(5)), 8),
        (format!("from={}", time(6)), 0),
        (format!("to={}", time(1)), 10),
        (format!("to={}", time(-1)), 0),
        // In another offset's words, the same second.
        (format!("from={}&to={}", time(2), time(2).replace('Z', "%2B00:00")).replace("%2B", "+"), 8),
        (format!("from={}&to={}&action=key.created&actor={other}", time(2), time(4)), 6),
    ] {
        for limit in [3, 100] {
            let (found, _) = walk(&setup, &key, &format!("limit={limit}&{query}")).await;
            assert_eq!(found.len(), expected, "{query}");
            assert_eq!(found.iter().map(|event| event["id"].as_str()).collect::<BTreeSet<_>>().len(), expected);
        }
    }
}

#[tokio::test]
async fn another_clients_events_never_appear() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let others = setup.test.client().await;
    let [theirs, _] = busy(&setup.test, &others).await;
    busy(&setup.test, &setup.client).await;
    let foreign: BTreeSet<String> =
        stored(&setup.test, &others.id).await.iter().map(|event| event.id.to_string()).collect();
    assert_eq!(foreign.len(), 41);
    for query in ["limit=3".to_owned(), "action=key.created".to_owned(), format!("from={}", now().plus(1))] {
        let (events, _) = walk(&setup, &key, &query).await;
        assert!(!events.is_empty());
        assert!(events.iter().all(|event| !foreign.contains(event["id"].as_str().unwrap())), "{query}");
    }
    for query in [format!("actor={theirs}"), format!("object={theirs}"), format!("object={}", others.id)] {
        assert_eq!(walk(&setup, &key, &query).await.0, Vec::<Value>::new(), "{query}");
    }
    let (status, body) = call(&setup, &key, "GET", &path(&others.id)).await;
    assert_eq!((status, &body), (404, &call(&setup, &key, "GET", &path(&ClientId::random())).await.1));
}

#[tokio::test]
async fn a_cursor_is_good_in_its_own_list_alone() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let [user, _] = busy(&setup.test, &setup.client).await;
    let others = setup.test.client().await;
    busy(&setup.test, &others).await;
    let admin = TestKey::new(&others, "admin").stored(&setup.test.store).await;
    let next = async |key: &TestKey, client: &ClientId, query: &str| {
        let (_, body) = call(&setup, key, "GET", &format!("{}?limit=2{query}", path(client))).await;
        body["next_cursor"].as_str().unwrap().to_owned()
    };
    let own = next(&key, &setup.client.id, "").await;
    assert_eq!(list(&setup, &key, &format!("limit=3&cursor={own}")).await.0, 200, "the limit may change");

    let foreign = next(&admin, &others.id, "").await;
    let filtered = next(&key, &setup.client.id, &format!("&actor={user}")).await;
    let timed = next(&key, &setup.client.id, &format!("&from={}", now())).await;
    let changed = own.chars().rev().collect::<String>();
    for cursor in [&foreign, &filtered, &timed, &changed, &own[1..], &format!("{own}A"), "x", ""] {
        let (status, body) = list(&setup, &key, &format!("cursor={cursor}")).await;
        assert_eq!((status, &body["message"]), (400, &json!("The cursor is not of this list")), "{cursor}");
    }
    assert_eq!(list(&setup, &key, &format!("actor={user}&cursor={own}")).await.0, 400);

    // The digest is no secret: whoever makes a cursor gets no further than this list, and the store is not asked.
    let any = AuditFilter::default();
    let name = format!("audit_events {} {any:?}", setup.client.id);
    let place = |client: &ClientId| format!("CHAIN#{client} {0:020} {1}#{0:020}", 1, now());
    assert_eq!(
        list(&setup, &key, &format!("cursor={}", edge::encode_cursor(&name, &place(&setup.client.id)))).await.0,
        200
    );
    setup.test.faults.reset_counts();
    for place in
        [place(&others.id), place(&setup.client.id).replace("CHAIN", "STREAM"), "a b c".to_owned(), String::new()]
    {
        let cursor = edge::encode_cursor(&name, &place);
        assert_eq!(list(&setup, &key, &format!("cursor={cursor}")).await.0, 400, "{place}");
    }
    assert_eq!(setup.test.faults.counts().get("Query"), None);
}

#[tokio::test]
async fn only_admins_read_the_log() {
    let setup = Setup::new().await;
    let log = path(&setup.client.id);
    for (scopes, expected) in [("admin", 200), ("admin read", 200), ("keys:manage usage:read read write", 403)] {
        let key = setup.key(scopes).await;
        let (status, body) = call(&setup, &key, "GET", &log).await;
        assert_eq!(status, expected, "{scopes}: {body}");
    }
    let test_key = setup.other_key("admin", |record| record.environment = Environment::Test).await;
    assert_eq!(call(&setup, &test_key, "GET", &log).await.0, 403);
    for (role, expected) in [(Role::Owner, 200), (Role::Admin, 200), (Role::Member, 403)] {
        let user = setup.user(role).await;
        assert_eq!(call(&setup, &setup.login(&user).await, "GET", &log).await.0, expected, "{role:?}");
        // A personal key has what it was given, as far as its user still has it.
        let key = setup.personal_key(&user, "admin").await;
        assert_eq!(call(&setup, &key, "GET", &log).await.0, expected, "{role:?}");
    }
    assert_eq!(setup.answer(request("GET", &log, &[], ""), moment(0.0)).await.0, 401);
    // Whoever may not read it learns nothing of what its parameters may be.
    let reader = setup.key("read").await;
    assert_eq!(list(&setup, &reader, "nonsense=1").await.0, 403);
}

#[tokio::test]
async fn parameters_that_are_none_are_400_and_repeat_nothing() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let long = "x".repeat(129);
    for (query, said) in [
        ("actor=", "actor"),
        (&format!("actor={long}"), "actor"),
        ("object=", "object"),
        ("action=key.made-up", "action"),
        ("action=KEY.CREATED", "action"),
        ("action=key.*", "action"),
        ("action=", "action"),
        ("from=yesterday", "from"),
        ("from=1800000000", "from"),
        ("from=2026-13-01T00:00:00Z", "from"),
        ("to=2026-01-01", "to"),
        ("to=", "to"),
        ("from=2026-01-01T00:00:01Z&to=2026-01-01T00:00:00Z", "`from` must not be later than `to`"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("actor=a&actor=a", "twice"),
        ("action=key.created&action=key.created", "twice"),
        ("cursor=a&cursor=a", "twice"),
        ("outcome=done", "Unknown query parameter"),
        ("Action=key.created", "Unknown query parameter"),
    ] {
        let (status, body) = list(&setup, &key, query).await;
        let message = body["message"].as_str().unwrap();
        assert_eq!((status, message.contains(said)), (400, true), "{query}: {body}");
        for (_, value) in query.split('&').filter_map(|pair| pair.split_once('=')).filter(|(_, value)| value.len() > 4)
        {
            assert!(!message.contains(value), "{message}");
        }
    }
    for action in Action::ALL {
        assert_eq!(list(&setup, &key, &format!("action={}", action.as_str())).await.0, 200);
    }
    for id in [setup.client.id.to_string(), long[1..].to_owned(), random::base62(20)] {
        assert_eq!(list(&setup, &key, &format!("object={id}")).await.0, 200, "{id}");
    }
}

/// What no path of a request can hold, as a gateway hands it on.
#[tokio::test]
async fn ids_are_printable() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let values = [("REPLACE_WITH_KEY", key.plain.expose()), ("REPLACE_WITH_CLIENT_ID", setup.client.id.as_str())];
    let sample: Value = serde_json::from_str(&event("key-management-audit-events", &values)).unwrap();
    for (id, expected) in
        [("nobody it is", 200), ("a~", 200), ("a\u{7f}", 400), ("a\n", 400), ("\0", 400), ("ключ", 400)]
    {
        let mut event = sample.clone();
        event["queryStringParameters"] = json!({"actor": id});
        event["multiValueQueryStringParameters"] = json!({"actor": [id]});
        let (status, body) = setup.answer(request_of(&event.to_string()), moment(0.0)).await;
        assert_eq!(status, expected, "{id:?}: {body}");
    }
}

#[tokio::test]
async fn the_log_is_read_and_nothing_else() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    for method in ["POST", "PUT", "PATCH", "DELETE", "HEAD"] {
        let (status, _) = call(&setup, &key, method, &path(&setup.client.id)).await;
        assert_eq!(status, 405, "{method}");
    }
    let one = &stored(&setup.test, &setup.client.id).await[0];
    assert_eq!(call(&setup, &key, "GET", &format!("{}/{}", path(&setup.client.id), one.id)).await.0, 404);
}

#[tokio::test]
async fn the_sample_event_lists_revocations() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let other = setup.key("read").await;
    assert_eq!(call(&setup, &key, "DELETE", &setup.path(&format!("/{}", other.record.id))).await.0, 204);
    let values = [("REPLACE_WITH_KEY", key.plain.expose()), ("REPLACE_WITH_CLIENT_ID", setup.client.id.as_str())];
    let (status, body) = setup.answer(request_of(&event("key-management-audit-events", &values)), moment(0.0)).await;
    assert_eq!(status, 200, "{body}");
    let events = body["data"].as_array().unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((&events[0]["action"], &events[0]["object"]["id"]), (&json!("key.revoked"), &json!(other.record.id)));
    assert_eq!(events[0]["actor"], json!({"type": "key", "id": key.record.id}));
}

#[tokio::test]
async fn a_log_that_can_not_be_read_is_503_and_not_empty() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    assert_eq!(list(&setup, &key, "").await.0, 200);
    for fault in [Fault::InternalError, Fault::Throttle] {
        setup.test.faults.always("Query", fault);
        let (status, body) = list(&setup, &key, "").await;
        assert_eq!((status, body.get("data")), (503, None), "{fault:?}");
        setup.test.faults.heal();
    }
}

#[tokio::test]
async fn what_is_exported_is_a_whole_chain() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    busy(&setup.test, &setup.client).await;
    let (mut export, mut cursor) = (String::new(), String::new());
    loop {
        let (_, body) = list(&setup, &key, &format!("limit=7{cursor}")).await;
        export.push_str(&body.to_string());
        let Some(next) = body["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    let events = audit_verify::read::events(&Source::StandardInput, export.as_bytes()).unwrap();
    let summary = verify(&events, &Expected::default()).unwrap();
    assert_eq!((summary.events, summary.outside), (22, 20));
}
