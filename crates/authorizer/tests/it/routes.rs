//! For every credential and route, exactly what access.toml says.

use domain::{Access, ScopeSet};
use serde_json::json;

use crate::setup::{API, Setup, rest};

/// A path that falls to a route.
fn example(path: &str) -> String {
    path.replace("{proxy+}", "a/b").replace("{id}", "42").trim_start_matches('/').to_owned()
}

#[tokio::test]
async fn each_scope_opens_its_own_routes_and_no_other() {
    let setup = Setup::new().await;
    let access = Access::built_in().unwrap();
    let mut held: Vec<String> = access.scope_names().map(ToOwned::to_owned).collect();
    held.extend(["insights:*", "chat:*", "read write", "insights:read logs:read"].map(ToOwned::to_owned));
    for scopes in held {
        let key = setup.key(&scopes).await;
        let set = ScopeSet::parse(&scopes).unwrap();
        for route in access.routes() {
            let call = format!("{}/{}", route.method, example(&route.path));
            let effect = setup.ask(&rest(&call, &[("X-API-Key", key.plain.expose())])).await.effect();
            let expected = if set.covers(&route.scope) { "Allow" } else { "Deny" };
            assert_eq!(effect, expected, "{scopes} on {call}");
        }
    }
}

#[tokio::test]
async fn tricks_with_paths_open_nothing() {
    let setup = Setup::new().await;
    let key = setup.key("insights:read").await;
    let admin = setup.key("admin").await;
    for call in [
        "GET/insights/v1",
        "GET/insights/v1/",
        "GET/insights/v1/../../api/v1/users",
        "GET/insights/v1/%2e%2e/x",
        "GET/insights/v1/a%2Fb",
        "GET/insights/v1//x",
        "GET//insights/v1/x",
        "GET/Insights/v1/x",
        "GET/insights/v1/x\\y",
        "get/insights/v1/x",
        "*/insights/v1/x",
        "POST/insights/v1/x",
        "GET/*",
        "GET/insights/v2/x",
    ] {
        for key in [&key, &admin] {
            let effect = setup.ask(&rest(call, &[("X-API-Key", key.plain.expose())])).await.effect();
            assert_eq!(effect, "Deny", "{call}");
        }
    }
}

#[tokio::test]
async fn a_star_in_a_path_is_no_wildcard_in_the_policy() {
    let setup = Setup::new().await;
    let key = setup.key("workflows:execute insights:read").await;
    for (call, resource) in [
        ("POST/api/workflows/*/execute", "POST/api/workflows/*/execute"),
        ("GET/insights/v1/*", "GET/insights/v1/*"),
        ("POST/api/workflows/a?b/execute", ""),
    ] {
        let answer = setup.ask(&rest(call, &[("X-API-Key", key.plain.expose())])).await.answer();
        let statement = &answer["policyDocument"]["Statement"][0];
        if resource.is_empty() {
            assert_eq!(statement["Effect"], "Deny", "{call}");
        } else {
            assert_eq!(statement["Resource"], format!("{API}/{resource}"));
        }
    }
    // A very long path does not become a very long resource, which a gateway would fail on.
    let long = format!("GET/nowhere/{}", "x".repeat(5000));
    let answer = setup.ask(&rest(&long, &[("X-API-Key", key.plain.expose())])).await.answer();
    assert_eq!(answer["policyDocument"]["Statement"][0]["Resource"], format!("{API}/*"));
}

#[tokio::test]
async fn where_gateway_and_access_file_read_a_path_otherwise_nobody_passes() {
    let setup = Setup::new().await;
    let key = setup.key("admin").await;
    let ask = |resource: &str| {
        json!({
            "type": "REQUEST", "methodArn": format!("{API}/GET/api/v1/users"), "resource": resource,
            "headers": {"X-API-Key": key.plain.expose()},
        })
        .to_string()
    };
    assert_eq!(setup.ask(&ask("/api/v1/users")).await.effect(), "Allow");
    assert_eq!(setup.ask(&ask("/{proxy+}")).await.effect(), "Allow", "a wider resource of the gateway's own");
    assert_eq!(setup.ask(&ask("/api/v1/logs")).await.effect(), "Deny");
}
