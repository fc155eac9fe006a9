//! Functions without the gateway, at their function URLs. (`cargo lambda invoke` is tried as the README shows it.)

use reqwest::Method;
use serde_json::json;

use crate::support::http::{Credential, Http, unauthorized};
use crate::support::system;

/// A function URL of the template, with a path behind it.
fn url(function: &str, path: &str) -> String {
    let urls = &system().functions.urls;
    format!("{}{path}", urls.get(function).unwrap_or_else(|| panic!("{function} is not among {urls:?}")))
}

#[tokio::test]
async fn every_function_that_has_a_url_answers_there() {
    let http = Http::new(system());
    let demo = &system().demo;
    let with_url: Vec<&str> = system().functions.urls.keys().map(String::as_str).collect();
    assert_eq!(with_url, ["accounts", "authorize", "jwks", "key-management", "token-exchange"]);

    let exchange = http.request_to(Method::POST, &url("token-exchange", "auth/exchange"));
    let exchanged = http.send(exchange.json(&json!({"api_key": demo.api_key}))).await.expect(200);
    let token = exchanged["data"]["token"].as_str().unwrap();
    http.get("/v1/models", Credential::Bearer(token)).await.expect(200);

    let at_url = http.send(http.request_to(Method::GET, &url("jwks", ".well-known/jwks.json"))).await;
    let at_gateway = http.send(http.request(Method::GET, "/.well-known/jwks.json")).await;
    assert_eq!(at_url.expect(200), at_gateway.expect(200));
    assert_eq!(at_url.header("etag"), at_gateway.header("etag"));
    assert!(at_url.header("cache-control").is_some());

    // A page, which says that nobody has asked for anything.
    let page = http.send(http.request_to(Method::GET, &url("authorize", "oauth/authorize"))).await;
    assert_eq!((page.status, page.header("content-type")), (400, Some("text/html; charset=utf-8")), "{page:?}");

    let list = url("key-management", &http.keys_path()[1..]);
    let listed = http.send(http.admin().show(http.request_to(Method::GET, &list))).await.expect(200);
    assert!(listed["data"].as_array().unwrap().len() >= 3);
    let refused = http.send(http.request_to(Method::GET, &list)).await;
    assert_eq!(refused.expect(401), unauthorized());
}
