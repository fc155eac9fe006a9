//! Another client's things named inside of a call: in bodies, queries, cursors and headers. The answer is that for what nobody
//! has, and nothing of theirs is touched or shown.

use reqwest::Method;
use serde_json::{Value, json};

use crate::isolation::Tenant;
use crate::support::bound::Way;
use crate::support::client_calls::Ids;
use crate::support::http::{Answer, Credential};

/// Asks the same with another client's ids and with such as nobody has; the answers must be alike.
async fn alike(other: &Tenant, what: &str, ask: impl AsyncFn(&Ids) -> Answer) -> Answer {
    let (foreign, unknown) = (ask(&other.ids).await, ask(&Ids::unknown()).await);
    assert_eq!((foreign.status, &foreign.body), (unknown.status, &unknown.body), "{what}");
    foreign
}

#[tokio::test]
async fn bodies_that_name_another_clients_things_are_answered_as_if_nobody_had_them() {
    let (own, other) = (Tenant::new("Naming").await, Tenant::new("Named").await);
    let untouched = other.seen().await;
    let post = async |rest: &str, body: Value| {
        own.account.http.call(Method::POST, &own.account.path(rest), own.admin(), &body).await
    };
    let patch = async |rest: &str, body: Value| {
        own.account.http.call(Method::PATCH, &own.account.path(rest), own.admin(), &body).await
    };
    let made = alike(&other, "a key in a foreign workspace", async |ids| {
        post("/api_keys", json!({"name": "x", "workspace_id": ids.workspace})).await
    });
    assert!([400, 403, 404].contains(&made.await.status));
    let workspace = format!("/workspaces/{}", own.ids.workspace);
    let handed_on = alike(&other, "handing a workspace on to a foreign user", async |ids| {
        patch(&workspace, json!({"owner_user_id": ids.user})).await
    });
    assert!([400, 403, 404, 409].contains(&handed_on.await.status));
    let exchanged = alike(&other, "a token for a foreign workspace", async |ids| {
        let body = json!({"api_key": own.personal.raw, "workspace_id": ids.workspace});
        own.account.http.send(own.account.http.request(Method::POST, "/auth/exchange").json(&body)).await
    });
    exchanged.await.expect(403);
    let exchanged = alike(&other, "the same as SIMCEL asks", async |ids| {
        let body = json!({"apiKey": own.personal.raw, "workspace_id": ids.workspace});
        own.account.http.send(own.account.http.request(Method::POST, "/auth/token").json(&body)).await
    });
    exchanged.await.expect(403);
    let called = alike(&other, "a call in a foreign workspace", async |ids| {
        let way = Way::get("call", "/api/v1/users", Credential::ApiKey(&own.personal.raw)).in_workspace(&ids.workspace);
        way.answer(&own.account.http).await
    });
    called.await.expect(403);
    // A right password is good in its own client alone.
    let owner = &other.account.owner;
    let body = json!({"client_id": own.ids.client, "user_id": owner.id, "password": owner.password});
    own.account.http.send(own.account.http.request(Method::POST, "/auth/token").json(&body)).await.expect(401);
    // Two logins of theirs at most would show as events: there is none.
    assert_eq!(other.seen().await, untouched);
}

#[tokio::test]
async fn an_import_into_another_clients_workspace_is_refused_row_by_row() {
    let (own, other) = (Tenant::new("Importing").await, Tenant::new("Imported").await);
    let untouched = other.seen().await;
    let hash = domain::HashedKey::of_text("a key of before").to_hex();
    let imported = alike(&other, "a row for a foreign workspace", async |ids| {
        let row = json!({"name": "x", "hash": hash, "encoding": "hex", "workspace_id": ids.workspace});
        let body = json!({"dry_run": false, "pattern": {"prefix": "before_", "length": 40}, "rows": [row]});
        own.account.http.call(Method::POST, &own.account.path("/api_keys/import"), own.admin(), &body).await
    })
    .await;
    if imported.status == 200 {
        assert_eq!(imported.json()["data"][0]["result"], "invalid", "{imported:?}");
    } else {
        assert_eq!(imported.status, 400, "{imported:?}");
    }
    assert_eq!(other.seen().await, untouched);
}

#[tokio::test]
async fn whose_a_thing_is_can_not_be_said_in_a_body() {
    let (own, other) = (Tenant::new("Claiming").await, Tenant::new("Claimed").await);
    let untouched = other.seen().await;
    let key = format!("/api_keys/{}", own.ids.key);
    for (member, value) in [
        ("client_id", json!(other.ids.client)),
        ("owner_user_id", json!(other.ids.user)),
        ("billed_to", json!(other.ids.user)),
        ("created_by", json!(other.ids.user)),
        ("id", json!(other.ids.key)),
        ("revoked", json!(true)),
        ("role", json!("owner")),
    ] {
        for (method, rest, mut body) in [
            (Method::POST, "/api_keys", json!({"name": "x"})),
            (Method::PATCH, key.as_str(), json!({"name": "x"})),
            (Method::POST, "/workspaces", json!({"name": "x"})),
            (Method::PATCH, "", json!({"name": "x"})),
        ] {
            body[member] = value.clone();
            own.account.manage(own.admin(), method, rest, &body, 400).await;
        }
    }
    let moved = json!({"workspace_id": other.ids.workspace});
    own.account.manage(own.admin(), Method::PATCH, &key, &moved, 400).await;
    assert_eq!(other.seen().await, untouched);
}

#[tokio::test]
async fn filters_find_nothing_of_another_client() {
    let (own, other) = (Tenant::new("Searching").await, Tenant::new("Hidden").await);
    for query in [
        "/api_keys?workspace_id={workspace_id}",
        "/audit_events?actor={user_id}",
        "/audit_events?actor={key_id}",
        "/audit_events?object={key_id}",
        "/audit_events?object={workspace_id}",
        "/audit_events?object={client_id}",
    ] {
        let get = async |ids: &Ids| own.account.http.get(&own.account.path(&ids.fill(query)), own.admin()).await;
        let found = alike(&other, query, get).await;
        if found.status == 200 {
            assert_eq!(found.json()["data"], json!([]), "{query}");
        } else {
            assert!([400, 404].contains(&found.status), "{query}: {found:?}");
        }
        let own_answer = get(&own.ids).await;
        let is_there = !own_answer.expect(200)["data"].as_array().unwrap().is_empty();
        // Nobody but the owner has done anything in the client.
        let is_idle = query.contains("actor={key_id}") || query.contains("object={client_id}");
        assert!(is_there || is_idle, "{query} finds what is there");
    }
}

#[tokio::test]
async fn cursors_lead_into_their_own_clients_lists_alone() {
    let (own, other) = (Tenant::new("Paging").await, Tenant::new("Paged").await);
    let untouched = other.seen().await;
    let lists = [
        "/api_keys",
        "/audit_events",
        "/users",
        "/workspaces",
        "/workspaces/{workspace_id}/members",
        "/agents",
        "/apps",
        "/users/{user_id}/grants",
    ];
    let page = async |tenant: &Tenant, list: &str, cursor: &str| {
        let rest = format!("{}?limit=1{cursor}", tenant.ids.fill(list));
        tenant.account.http.get(&tenant.account.path(&rest), tenant.admin()).await
    };
    let mut cursors = Vec::new();
    for list in lists {
        let mut of = Vec::new();
        for tenant in [&own, &other] {
            let first = page(tenant, list, "").await.expect(200);
            of.push(first["next_cursor"].as_str().unwrap_or_else(|| panic!("{list}: {first}")).to_owned());
        }
        cursors.push((list, of));
    }
    for (list, of) in &cursors {
        page(&own, list, &format!("&cursor={}", of[0])).await.expect(200);
        let foreign = page(&own, list, &format!("&cursor={}", of[1])).await;
        foreign.expect(400);
        // Nor into another list of the own client.
        for (another, of) in cursors.iter().filter(|(another, _)| another != list) {
            let mismatched = page(&own, list, &format!("&cursor={}", of[0])).await;
            assert_eq!((mismatched.status, &mismatched.body), (400, &foreign.body), "one of {another} in {list}");
        }
    }
    // Members of one workspace and of the next one are two lists.
    let rest = format!("/workspaces/{}/members?limit=1&cursor={}", own.account.workspace_id, cursors[4].1[0]);
    own.account.manage(own.admin(), Method::GET, &rest, &Value::Null, 400).await;
    assert_eq!(other.seen().await, untouched);
}

#[tokio::test]
async fn an_idempotency_key_is_each_clients_own() {
    let tenants = [Tenant::new("First").await, Tenant::new("Second").await];
    let mut made = Vec::new();
    for _ in 0..2 {
        for tenant in &tenants {
            let request = tenant.account.http.request(Method::POST, &tenant.account.path("/api_keys"));
            let request = request.header("Idempotency-Key", "the same word").json(&json!({"name": "x"}));
            made.push(tenant.account.http.send(tenant.admin().show(request)).await);
        }
    }
    let bodies: Vec<Value> = made.iter().map(|answer| answer.expect(201)).collect();
    for (place, tenant) in tenants.iter().enumerate() {
        assert_eq!(bodies[place]["record"]["client_id"], tenant.ids.client.as_str());
        assert!(bodies[place]["raw_key"].is_string() && made[place].header("idempotency-replayed").is_none());
        assert_eq!(made[place + 2].header("idempotency-replayed"), Some("true"));
        assert_eq!(bodies[place + 2], json!({"raw_key": null, "record": bodies[place]["record"]}));
    }
}
