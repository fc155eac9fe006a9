//! The gateway from the outside: what it lets through, and what it answers itself.

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use reqwest::Method;
use serde_json::{Value, json};

use crate::support::http::{Credential, Http, lacks_scope, unauthorized};
use crate::support::raw::{self, Answer};
use crate::support::system;

const INSIGHTS: &str = "/insights/v1/pnl-summary";
const MEGABYTE: usize = 1024 * 1024;

fn send(method: &str, target: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    raw::exchange(system().port, &raw::request(method, target, headers, body))
}

fn json_of(answer: &Answer) -> Value {
    serde_json::from_slice(&answer.body).unwrap_or_else(|error| panic!("{error}: {answer:?}"))
}

fn nothing_here() -> Value {
    json!({"statusCode": 404, "error": "Not Found", "message": "There is nothing at this address"})
}

#[test]
fn what_is_no_route_is_a_404_with_and_without_a_credential() {
    let key = system().demo.admin_key.as_str();
    for (method, target) in [
        ("GET", "/"),
        ("GET", "/insights/v1"),
        ("GET", "/insights/v2/pnl-summary"),
        ("GET", "/v1/chat"),
        ("GET", "/api/v1/clients"),
        ("GET", "/console"),
        ("DELETE", "/api/v1/users"),
        ("PUT", "/api/v1/users"),
        ("HEAD", "/v1/models"),
        ("POST", INSIGHTS),
        ("GET", "/api/workflows/1/execute"),
        ("OPTIONS", "/v1/models"),
        ("TRACE", "/auth/token"),
        ("BREW", "/v1/models"),
    ] {
        for headers in [&[][..], &[("x-api-key", key)]] {
            let answer = send(method, target, headers, b"");
            assert_eq!(answer.status, 404, "{method} {target}: {answer:?}");
            if method != "HEAD" {
                assert_eq!(json_of(&answer), nothing_here(), "{method} {target}");
            }
        }
    }
}

#[test]
fn a_wrong_method_on_an_open_route_is_a_405_that_says_which_are_right() {
    let keys = format!("/api/v1/clients/{}/api_keys", system().demo.client_id);
    let one = format!("{keys}/ak_0000000000000000");
    for (method, target, allow) in [
        ("GET", "/auth/token", "POST"),
        ("DELETE", "/auth/exchange", "POST"),
        ("PATCH", keys.as_str(), "GET, POST"),
        ("POST", one.as_str(), "GET, PATCH, DELETE"),
        ("POST", "/.well-known/jwks.json", "GET, HEAD"),
    ] {
        let answer = send(method, target, &[], b"");
        assert_eq!((answer.status, answer.header("allow")), (405, Some(allow)), "{method} {target}: {answer:?}");
        assert_eq!(json_of(&answer)["error"], "Method Not Allowed");
    }
}

/// The key holds every scope of the demo API, so that nothing but the path can be what is refused.
#[test]
fn paths_that_could_be_read_in_two_ways_are_not_let_through() {
    let key = system().demo.admin_key.as_str();
    let mut wrong = Vec::new();
    for (target, status) in [
        ("/insights/v1/../../api/v1/users", 403),
        ("/insights/v1/%2e%2e/%2e%2e/api/v1/users", 403),
        ("/insights/v1/%2E%2E%2Fv1", 403),
        ("/insights/v1/..%2f..%2fapi%2fv1%2fusers", 403),
        ("/insights/v1/..%5c..%5capi", 403),
        ("/insights/v1/%252e%252e/x", 403),
        ("/insights/v1/./pnl-summary", 403),
        ("/insights/v1//pnl-summary", 403),
        ("/insights/v1/pnl-summary//", 403),
        ("/insights/v1/a%00b", 403),
        ("/insights/v1/a%0d%0ab", 403),
        ("/insights/v1/%zz", 403),
        ("/insights/v1/..;/..;/api/v1/users", 403),
        ("/insights/v1/..%3b/x", 403),
        ("/api/workflows/../execute", 403),
        ("/api/workflows/%2e%2e/execute", 403),
        ("/api/workflows/a%2fb/execute", 403),
        ("/api/workflows//execute", 404),
        ("/api/v1/users/", 403),
        ("/api/v1/users%2f", 404),
        ("/api/v1/users/.", 404),
        ("/api/v1/./users", 404),
        ("/api/v1//users", 404),
        ("/api//v1/users", 404),
        ("/api/v1/%75sers", 404),
        ("/API/v1/users", 404),
        ("/api/v1/users;x=1", 404),
        ("/x/../api/v1/users", 404),
        ("/auth//token", 404),
        ("/auth/token/", 404),
        ("/auth/../auth/token", 404),
        ("/.well-known/../api/v1/users", 404),
    ] {
        let method = if target.starts_with("/api/workflows/") || target.starts_with("/auth/") { "POST" } else { "GET" };
        let answer = send(method, target, &[("x-api-key", key), ("content-type", "application/json")], b"{}");
        if answer.status != status {
            wrong.push((target, answer.status));
        }
    }
    assert_eq!(wrong, []);
}

/// API Gateway drops slashes in front; the scope that counts is still the route's.
#[tokio::test]
async fn slashes_in_front_lead_to_the_same_route_and_ask_for_the_same_scope() {
    let key = Http::new(system()).create_key("insights alone", &["insights:read"]).await;
    for target in ["//api/v1/users", "///api/v1/users"] {
        let allowed = send("GET", target, &[("x-api-key", &system().demo.api_key)], b"");
        assert_eq!(allowed.status, 200, "{target}: {allowed:?}");
        let refused = send("GET", target, &[("x-api-key", &key.raw)], b"");
        assert_eq!((refused.status, json_of(&refused)), (403, lacks_scope()), "{target}");
    }
    let target = format!("http://elsewhere.example{INSIGHTS}");
    assert_eq!(send("GET", &target, &[("x-api-key", &key.raw)], b"").status, 200);
    assert_eq!(send("GET", &target, &[], b"").status, 401);
}

#[tokio::test]
async fn a_method_override_asks_for_the_scope_of_the_method_that_it_names() {
    let key = Http::new(system()).create_key("reads alone", &["read"]).await;
    let headers = |method| {
        [("x-api-key", key.raw.as_str()), ("x-http-method-override", method), ("content-type", "application/json")]
    };
    assert_eq!(send("GET", "/api/v1/users", &headers("POST"), b"{}").status, 403);
    assert_eq!(send("POST", "/api/v1/users", &headers("GET"), b"{}").status, 200);
    assert_eq!(send("GET", "/api/v1/users", &headers("DELETE"), b"").status, 404);
}

#[tokio::test]
async fn two_credentials_or_a_header_twice_are_a_401() {
    let key = system().demo.api_key.as_str();
    let http = Http::new(system());
    let (bearer, token) = (format!("Bearer {key}"), format!("Bearer {}", http.token(key).await));
    let other = system().demo.test_key.as_str();
    let keys = http.keys_path();
    let admin = format!("Bearer {}", system().demo.admin_key);
    for (target, single, headers) in [
        (INSIGHTS, ("authorization", bearer.as_str()), [("authorization", bearer.as_str()), ("x-api-key", key)]),
        (INSIGHTS, ("authorization", &token), [("x-api-key", key), ("authorization", &token)]),
        (INSIGHTS, ("authorization", &token), [("authorization", &token), ("authorization", &token)]),
        (INSIGHTS, ("authorization", &bearer), [("Authorization", &bearer), ("AUTHORIZATION", "Bearer x")]),
        (INSIGHTS, ("x-api-key", key), [("x-api-key", key), ("X-API-Key", key)]),
        (INSIGHTS, ("x-api-key", key), [("x-api-key", key), ("x-api-key", other)]),
        (INSIGHTS, ("x-api-key", key), [("x-api-key", key), ("x-api-key", "")]),
        (&keys, ("authorization", &admin), [("authorization", &admin), ("authorization", &admin)]),
        (&keys, ("authorization", &admin), [("authorization", &admin), ("x-api-key", &system().demo.admin_key)]),
    ] {
        let answer = send("GET", target, &[single], b"");
        assert_eq!(answer.status, 200, "{target}: {answer:?}");
        let answer = send("GET", target, &headers, b"");
        assert_eq!((answer.status, json_of(&answer)), (401, unauthorized()), "{target} {headers:?}");
    }
}

#[test]
fn a_credential_in_another_place_is_none() {
    let key = system().demo.api_key.as_str();
    let cookie = format!("X-API-Key={key}; api_key={key}");
    let query = format!("{INSIGHTS}?x-api-key={key}&api_key={key}&access_token={key}&authorization=Bearer%20{key}");
    let basic = format!("Basic {}", base64::prelude::BASE64_STANDARD.encode(format!("{key}:")));
    for (target, headers, body) in [
        (query.as_str(), &[][..], String::new()),
        (INSIGHTS, &[("cookie", cookie.as_str())], String::new()),
        (INSIGHTS, &[("content-type", "application/json")], format!(r#"{{"api_key":"{key}"}}"#)),
        (INSIGHTS, &[("authorization", key)], String::new()),
        (INSIGHTS, &[("authorization", &basic)], String::new()),
        (INSIGHTS, &[("x-amz-security-token", key)], String::new()),
        (INSIGHTS, &[("x-api-key", ""), ("x_api_key", key)], String::new()),
    ] {
        let answer = send("GET", target, headers, body.as_bytes());
        assert_eq!((answer.status, json_of(&answer)), (401, unauthorized()), "{target} {headers:?}");
        assert!(!answer.text().contains(key) && !answer.head.contains(key));
    }
}

#[test]
fn ten_kilobytes_of_headers_and_ten_megabytes_of_body_are_refused_as_api_gateway_does() {
    let key = system().demo.api_key.as_str();
    let filler = "f".repeat(10_240);
    for target in [INSIGHTS, "/auth/token", "/nowhere"] {
        let answer = send("GET", target, &[("x-api-key", key), ("x-filler", &filler)], b"");
        assert_eq!(answer.status, 431, "{target}: {answer:?}");
        assert_eq!(json_of(&answer), json!({"message": "HTTP header is larger than 10240 bytes."}));
    }
    assert_eq!(send("GET", INSIGHTS, &[("x-api-key", key), ("x-filler", &filler[..9_000])], b"").status, 200);

    let exchange = |size: usize| {
        let body = format!(r#"{{"apiKey":"{}"}}"#, "k".repeat(size - 13));
        assert_eq!(body.len(), size);
        send("POST", "/auth/token", &[("content-type", "application/json")], body.as_bytes())
    };
    // The gateway's own limit, Lambda's, and the contract's.
    for size in [10 * MEGABYTE + 1, 10 * MEGABYTE, 7 * MEGABYTE] {
        let answer = exchange(size);
        assert_eq!((answer.status, json_of(&answer)), (413, json!({"message": "Request Too Long"})), "{size}");
    }
    for size in [5 * MEGABYTE, 64 * 1024 + 1] {
        let answer = exchange(size);
        assert_eq!((answer.status, &json_of(&answer)["statusCode"]), (413, &json!(413)), "{size}");
    }
    assert_eq!(exchange(64 * 1024).status, 401);
}

#[test]
fn the_issuer_is_not_taken_from_the_request() {
    let demo = &system().demo;
    let body = json!({"api_key": demo.api_key}).to_string();
    let mut request = b"POST /auth/exchange HTTP/1.1\r\nhost: evil.example\r\nx-forwarded-host: evil.example\r\n\
        x-forwarded-proto: https\r\nforwarded: host=evil.example\r\nconnection: close\r\n\
        content-type: application/json\r\n"
        .to_vec();
    request.extend_from_slice(format!("content-length: {}\r\n\r\n{body}", body.len()).as_bytes());
    let answer = json_of(&raw::exchange(system().port, &request));
    let payload = answer["data"]["token"].as_str().unwrap().split('.').nth(1).unwrap().to_owned();
    let claims: Value = serde_json::from_slice(&BASE64_URL_SAFE_NO_PAD.decode(payload).unwrap()).unwrap();
    assert_eq!(claims["iss"], demo.base_url.as_str());

    let discovery = raw::exchange(
        system().port,
        b"GET /.well-known/openid-configuration HTTP/1.1\r\nhost: evil.example\r\nconnection: close\r\n\r\n",
    );
    assert_eq!(json_of(&discovery)["issuer"], demo.base_url.as_str());
    assert!(!discovery.text().contains("evil"));
}

#[tokio::test]
async fn backends_hear_who_calls_from_the_authorizer_alone() {
    let http = Http::new(system());
    let key = http.create_key("not admin", &["insights:read"]).await;
    let request = Credential::ApiKey(&key.raw)
        .show(http.request(Method::GET, INSIGHTS))
        .header("client_id", "cl_forged")
        .header("X-Client-Id", "cl_forged")
        .header("scopes", "admin")
        .header("x-amzn-request-context", r#"{"authorizer":{"client_id":"cl_forged"}}"#);
    let answer = http.send(request).await;
    let caller = &answer.expect(200)["caller"];
    assert_eq!(caller["client_id"], system().demo.client_id.as_str());
    assert_eq!(caller["key_id"], key.id.as_str());
    assert_eq!(caller["scopes"], "insights:read");
    assert!(!answer.body.contains("forged"), "{answer:?}");
}

#[tokio::test]
async fn another_workspace_than_the_credentials_own_is_a_403() {
    let http = Http::new(system());
    let demo = &system().demo;
    let token = http.token(&demo.api_key).await;
    for credential in [Credential::ApiKey(&demo.api_key), Credential::Bearer(&token)] {
        for (workspace, status) in [(demo.workspace_id.as_str(), 200), ("ws_0000000000000000", 403), ("default", 403)] {
            let request = credential.show(http.request(Method::GET, INSIGHTS)).header("X-Workspace-ID", workspace);
            http.send(request).await.expect(status);
        }
    }
}
