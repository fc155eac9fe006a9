use domain::Role;
use serde_json::{Value, json};
use testkit::{request, request_of};

use crate::setup::Setup;

const PATHS: [(&str, &str); 7] = [
    ("", "GET, PATCH"),
    ("/users", "GET, POST"),
    ("/users/cu_0123456789abcdef", "GET, PATCH, DELETE"),
    ("/workspaces", "GET, POST"),
    ("/workspaces/ws_0123456789abcdef", "GET, PATCH"),
    ("/workspaces/ws_0123456789abcdef/members", "GET"),
    ("/workspaces/ws_0123456789abcdef/members/cu_0123456789abcdef", "GET, PUT, DELETE"),
];

#[tokio::test]
async fn without_a_credential_that_counts_everything_is_the_same_401() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let bearer = format!("Bearer {key}");
    let owner = setup.owner();
    let login = format!("Bearer {owner}");
    let credentials: [&[(&str, &str)]; 8] = [
        &[],
        &[("authorization", "Bearer x")],
        &[("authorization", &key)],
        &[("authorization", &bearer), ("x-api-key", &key)],
        &[("authorization", &bearer), ("authorization", &login)],
        &[("x-api-key", &owner)],
        &[("cookie", &bearer)],
        &[("x-authorization", &bearer)],
    ];
    let expected =
        json!({"statusCode": 401, "error": "Unauthorized", "message": "Bearer token is missing or has expired"});
    for headers in credentials {
        for (path, methods) in PATHS {
            for method in methods.split(", ") {
                let answer = setup.answer(request(method, &setup.path(path), headers, "no JSON")).await;
                assert_eq!(answer, (401, expected.clone()), "{method} {path} {headers:?}");
            }
        }
    }
    let by_header = request("GET", &setup.path(""), &[("x-api-key", &key)], "");
    assert_eq!(setup.answer(by_header).await.0, 200);
}

#[tokio::test]
async fn other_methods_and_paths_have_their_own_answers() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    for (path, allowed) in PATHS {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "BREW"] {
            if allowed.split(", ").any(|known| known == method) {
                continue;
            }
            let headers = [("authorization", format!("Bearer {owner}"))];
            let headers = headers.each_ref().map(|(name, value)| (*name, value.as_str()));
            let request = request(method, &setup.path(path), &headers, "");
            let error = accounts::handle(setup.app.clone(), request, setup.moment()).await.unwrap_err();
            let reply = error.into_reply(testkit::ISSUER);
            assert_eq!(
                (reply.status().as_u16(), &reply.headers()["allow"]),
                (405, &allowed.parse().unwrap()),
                "{path}"
            );
        }
    }
    let id = setup.account.owner.id.as_str();
    for path in [
        "/",
        "/users/",
        &format!("/users/{id}/"),
        &format!("/users/{id}/role"),
        "/users/me",
        "/users/cu_%30123456789abcdef",
        "/workspaces/default",
        &format!("/workspaces/{id}"),
        "/workspaces/ws_0123456789abcdef/keys",
        "/settings",
        "//users",
    ] {
        assert_eq!(setup.get(&owner, path).await.0, 404, "{path}");
    }
    for path in ["/api/v1/clients", "/api/v1/clients/", &format!("/{}", setup.path("")), "/"] {
        let bearer = format!("Bearer {owner}");
        let answer = setup.answer(request("GET", path, &[("authorization", &bearer)], "")).await;
        assert_eq!(answer.0, 404, "{path}");
    }
}

/// Bodies that no call takes which takes `good`: more, a member twice, no object, nothing.
fn around(good: &Value) -> Vec<String> {
    let mut more = good.clone();
    more["client_id"] = json!("cl_0123456789abcdef");
    let good = good.to_string();
    let (open, members) = (&good[..good.len() - 1], &good[1..]);
    let doubled = format!("{open},{members}");
    vec![more.to_string(), doubled, "[]".to_owned(), "null".to_owned(), String::new(), "{".to_owned()]
}

async fn are_refused(setup: &Setup, method: &str, path: &str, bodies: Vec<String>) {
    let bearer = format!("Bearer {}", setup.owner());
    let headers = [("authorization", bearer.as_str()), ("content-type", "application/json")];
    let before = setup.all_events().await.len();
    for body in bodies {
        let (status, answer) = setup.answer(request(method, &setup.path(path), &headers, body.clone())).await;
        assert_eq!(status, 400, "{method} {path} {body}: {answer}");
    }
    assert_eq!(setup.all_events().await.len(), before, "{method} {path}: nothing has changed");
}

fn texts(bodies: &[Value]) -> Vec<String> {
    bodies.iter().map(Value::to_string).collect()
}

#[tokio::test]
async fn bodies_have_their_members_once_and_no_others() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let workspace = format!("/workspaces/{}", setup.account.workspace.id);
    for (method, path, good) in [
        ("PATCH", "", json!({"name": "x"})),
        ("POST", "/users", json!({"email": "erin@example.com", "role": "member"})),
        ("PATCH", &format!("/users/{}", bob.id), json!({"role": "admin"})),
        ("POST", "/workspaces", json!({"name": "x"})),
        ("PATCH", &workspace, json!({"personal_keys_allowed": false})),
        ("PUT", &format!("{workspace}/members/{}", bob.id), json!({"role": "admin"})),
    ] {
        are_refused(&setup, method, path, around(&good)).await;
        let (status, answer) = setup.call(&setup.owner(), method, path, Some(good)).await;
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
    }
}

#[tokio::test]
async fn names_can_be_shown_and_hold_no_key() {
    let setup = Setup::new().await;
    let key = testkit::TestKey::new(&setup.account.client, "read");
    let (long, with_key) = ("x".repeat(101), format!("my {}", key.plain.expose()));
    let bad = ["", "  ", &long, "a\u{0}b", "a\nb", &with_key].map(|name| json!({"name": name}));
    let workspace = format!("/workspaces/{}", setup.workspace("x").await);
    for (method, path) in [("PATCH", ""), ("POST", "/workspaces"), ("PATCH", &workspace)] {
        are_refused(&setup, method, path, texts(&bad)).await;
        let longest = json!({"name": "ключ".repeat(25)});
        let (status, answer) = setup.call(&setup.owner(), method, path, Some(longest)).await;
        assert!((200..300).contains(&status), "{method} {path}: {answer}");
    }
    let (_, answer) = setup.call(&setup.owner(), "PATCH", "", Some(json!({"name": with_key}))).await;
    assert!(!answer["message"].as_str().unwrap().contains(key.plain.expose()));
}

#[tokio::test]
async fn settings_of_a_client_must_be_what_they_can_be() {
    let setup = Setup::new().await;
    let bad = [
        json!({"key_prefix": ""}),
        json!({"key_prefix": "a"}),
        json!({"key_prefix": "a b"}),
        json!({"key_prefix": "agent_tok_"}),
        json!({"key_prefix": "x".repeat(21)}),
        json!({"key_prefix": 1}),
        json!({"token_lifetime": 59}),
        json!({"token_lifetime": 3601}),
        json!({"token_lifetime": -60}),
        json!({"token_lifetime": 60.5}),
        json!({"token_lifetime": "60"}),
        json!({"token_lifetime": 1e30}),
        json!({"default_scopes": []}),
        json!({"default_scopes": ["unknown"]}),
        json!({"default_scopes": ["read", "*"]}),
        json!({"default_scopes": "read"}),
        json!({"default_scopes": ["Read"]}),
        json!({"slug": "x"}),
        json!({"owner_user_id": setup.account.owner.id}),
        json!({"owners": 0}),
        json!({"status": "active"}),
        json!({"tier": "gold"}),
    ];
    are_refused(&setup, "PATCH", "", texts(&bad)).await;
    for good in [json!({"token_lifetime": 60}), json!({"token_lifetime": 3600}), json!({"key_prefix": "x".repeat(20)})]
    {
        assert_eq!(setup.call(&setup.owner(), "PATCH", "", Some(good.clone())).await.0, 200, "{good}");
    }
}

#[tokio::test]
async fn people_have_addresses_and_roles() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let bad = [
        json!({"email": "erin@example.com"}),
        json!({"role": "member"}),
        json!({"email": "erin", "role": "member"}),
        json!({"email": "erin@example.com", "role": "root"}),
        json!({"email": "erin@example.com", "role": "Owner"}),
        json!({"email": "erin@example.com", "role": {"owner": null}}),
        json!({"email": "erin@example.com", "role": ["owner"]}),
        json!({"email": ["erin@example.com"], "role": "member"}),
        json!({"email": "erin@example.com", "role": "member", "status": "active"}),
        json!({"email": "erin@example.com", "role": "member", "workspaces": {}}),
    ];
    are_refused(&setup, "POST", "/users", texts(&bad)).await;
    let bad = [json!({}), json!({"role": "x"}), json!({"role": null}), json!({"email": "a@b.c"})];
    are_refused(&setup, "PATCH", &format!("/users/{}", bob.id), texts(&bad)).await;
}

#[tokio::test]
async fn workspaces_are_what_they_can_be_and_so_are_roles_in_them() {
    let setup = Setup::new().await;
    let bob = setup.user(Role::Member).await;
    let workspace = format!("/workspaces/{}", setup.account.workspace.id);
    let bad = [
        json!({"personal_keys_allowed": "no"}),
        json!({"member_scopes": ["unknown"]}),
        json!({"member_scopes": "read"}),
        json!({"member_scopes": ["*"]}),
        json!({"member_scopes": (0..51).map(|number| format!("s{number}")).collect::<Vec<_>>()}),
        json!({"owner_user_id": "me"}),
        json!({"status": "closed"}),
        json!({"status": {"active": null}}),
        json!({"id": setup.account.workspace.id}),
    ];
    are_refused(&setup, "PATCH", &workspace, texts(&bad)).await;
    let bad = [json!({}), json!({"role": "owner"}), json!({"role": "Admin"}), json!({"role": null})];
    are_refused(&setup, "PUT", &format!("{workspace}/members/{}", bob.id), texts(&bad)).await;
}

#[tokio::test]
async fn other_types_and_lengths_have_their_own_answers() {
    let setup = Setup::new().await;
    let bearer = format!("Bearer {}", setup.owner());
    for (kind, body, expected) in [
        ("text/plain", r#"{"name":"x"}"#.to_owned(), 415),
        ("application/x-www-form-urlencoded", "name=x".to_owned(), 415),
        ("application/json", format!(r#"{{"name":"{}"}}"#, "x".repeat(1 << 16)), 413),
        ("application/json", format!(r#"{{"name":{}"#, "[".repeat(20_000)), 400),
    ] {
        let headers = [("authorization", bearer.as_str()), ("content-type", kind)];
        for (method, path) in [("PATCH", ""), ("POST", "/users"), ("POST", "/workspaces")] {
            let answer = setup.answer(request(method, &setup.path(path), &headers, body.clone())).await;
            assert_eq!(answer.0, expected, "{kind} {path}: {}", answer.1);
        }
    }
}

#[tokio::test]
async fn lists_take_known_parameters_once_and_their_own_cursors() {
    let setup = Setup::new().await;
    let owner = setup.owner();
    let bob = setup.user(Role::Member).await;
    setup.workspace("second").await;
    let members = format!("/workspaces/{}/members", setup.account.workspace.id);
    let cursor = async |list: &str| {
        let (status, page) = setup.get(&owner, &format!("{list}?limit=1")).await;
        assert_eq!(status, 200, "{page}");
        page["next_cursor"].as_str().unwrap().to_owned()
    };
    let cursors = [cursor("/users").await, cursor("/workspaces").await, cursor(&members).await];
    for (place, list) in ["/users", "/workspaces", &members].into_iter().enumerate() {
        for query in [
            "limit=0",
            "limit=101",
            "limit=x",
            "limit=",
            "limit=-1",
            "limit=1&limit=2",
            "page=2",
            "role=owner",
            "cursor=",
            "cursor=x",
        ] {
            let (status, body) = setup.get(&owner, &format!("{list}?{query}")).await;
            assert_eq!(status, 400, "{list}?{query}: {body}");
        }
        for (other, cursor) in cursors.iter().enumerate() {
            let expected = if other == place { 200 } else { 400 };
            assert_eq!(setup.get(&owner, &format!("{list}?cursor={cursor}")).await.0, expected, "{list}");
        }
        let own = &cursors[place];
        let changed = format!("{}{}", if own.starts_with('A') { "B" } else { "A" }, &own[1..]);
        assert_eq!(setup.get(&owner, &format!("{list}?cursor={changed}")).await.0, 400, "{list}");
        // The digest is no secret: a forger's place must still be an id.
        let name = ["users", "workspaces"].get(place).map_or_else(
            || format!("members {} {}", setup.client_id(), setup.account.workspace.id),
            |name| format!("{name} {}", setup.client_id()),
        );
        for forged in [String::new(), "x".repeat(2000), "#".to_owned(), "CLIENT".to_owned()] {
            let cursor = edge::encode_cursor(&name, &forged);
            assert_eq!(setup.get(&owner, &format!("{list}?cursor={cursor}")).await.0, 400, "{list}: {forged:.20}");
        }
    }
    let (_, theirs) = setup.get(&setup.login(&bob), "/workspaces?limit=1").await;
    assert_eq!(theirs["next_cursor"], Value::Null);
    let mixed = format!("/workspaces?cursor={}", cursors[1]);
    assert_eq!(setup.get(&setup.login(&bob), &mixed).await.0, 400, "of the list of all");
}

/// The single-value map of such an event holds the last value alone: read by it, any of these would pass.
#[tokio::test]
async fn a_credential_that_a_gateway_saw_twice_counts_as_none() {
    let setup = Setup::new().await;
    let bearer = format!("Bearer {}", setup.owner());
    let sample = testkit::event("accounts-user-list", &[("REPLACE_WITH_CLIENT_ID", setup.client_id())]);
    for (values, expected) in
        [(vec![bearer.as_str()], 200), (vec!["Bearer x", &bearer], 401), (vec![&bearer, "x"], 401)]
    {
        let mut event: Value = serde_json::from_str(&sample).unwrap();
        event["headers"] = json!({"Authorization": values.last()});
        event["multiValueHeaders"] = json!({"Authorization": values});
        assert_eq!(setup.answer(request_of(&event.to_string())).await.0, expected, "{values:?}");
    }
}
