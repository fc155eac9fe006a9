//! The catalogue's group "HTTP", row by row, through each kind of event that a function answers. (Those of an authorizer:
//! `crates/authorizer/tests/it/catalogue.rs`. What a gateway does with bytes: `tests/tests/bad_input.rs`.)

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use edge::{ApiError, Reply, Request};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::setup::{answer_with, function_url, rest_api, seen, with, with_header};

#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Form {
    name: String,
    more: Option<Value>,
}

fn read(request: &Request) -> Result<Reply, ApiError> {
    edge::json::<Form>(request).map(|form| edge::ok(&form))
}

/// The status of an answer to a body of this type, as text and, where it is none, in base64.
async fn status(event: &Value, content_type: Option<&str>, body: &[u8]) -> u64 {
    let (text, is_base64) = match std::str::from_utf8(body) {
        Ok(text) => (text.to_owned(), false),
        Err(_) => (BASE64_STANDARD.encode(body), true),
    };
    let mut event = with(with(event.clone(), "/body", text), "/isBase64Encoded", is_base64);
    for headers in ["headers", "multiValueHeaders"] {
        if let Some(headers) = event[headers].as_object_mut() {
            headers.retain(|name, _| !name.eq_ignore_ascii_case("content-type"));
        }
    }
    let event = content_type.map_or(event.clone(), |value| with_header(event, "Content-Type", value));
    let answer = answer_with(&event.to_string(), read).await;
    let shown: Value = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    let status = answer["statusCode"].as_u64().unwrap();
    assert!(status == 200 || shown["statusCode"] == status, "one shape for every error: {shown}");
    assert!(status == 200 || !shown.to_string().contains("sk_live_"), "an error says nothing back: {shown}");
    status
}

#[tokio::test]
async fn every_row_about_a_body_has_its_status_by_every_kind_of_event() {
    let json = Some("application/json");
    let deep =
        |open: &str, close: &str| format!(r#"{{"name":"x","more":{}1{}}}"#, open.repeat(10_000), close.repeat(10_000));
    let rows: [(&str, Option<&str>, Vec<u8>, u64); 27] = [
        ("a right one", json, br#"{"name":"x"}"#.to_vec(), 200),
        ("a right one", Some("Application/JSON ; charset=utf-8"), br#"{"name":"x"}"#.to_vec(), 200),
        ("duplicate JSON keys", json, br#"{"name":"x","name":"sk_live_"}"#.to_vec(), 400),
        ("duplicate JSON keys", json, br#"{"name":"x","more":{"a":1,"\u0061":2}}"#.to_vec(), 400),
        ("depth bombs", json, deep("[", "]").into_bytes(), 400),
        ("depth bombs", json, deep(r#"{"a":"#, "}").into_bytes(), 400),
        ("depth bombs", json, vec![b'['; 60_000], 400),
        ("wrong types", json, br#"{"name":1}"#.to_vec(), 400),
        ("wrong types", json, br#"{"name":null}"#.to_vec(), 400),
        ("wrong types", json, br#"{"name":["sk_live_"]}"#.to_vec(), 400),
        ("wrong types", json, br#"["x"]"#.to_vec(), 400),
        ("unknown members", json, br#"{"name":"x","revoked":false}"#.to_vec(), 400),
        ("unknown members", json, br#"{"name":"x","sk_live_":1}"#.to_vec(), 400),
        ("wrong content types", Some("text/plain"), br#"{"name":"x"}"#.to_vec(), 415),
        ("wrong content types", Some("application/jsonp"), br#"{"name":"x"}"#.to_vec(), 415),
        ("wrong content types", Some("application/json, text/plain"), br#"{"name":"x"}"#.to_vec(), 415),
        ("wrong content types", None, br#"{"name":"x"}"#.to_vec(), 415),
        ("forms where JSON belongs", Some("application/x-www-form-urlencoded"), b"name=x".to_vec(), 415),
        ("forms where JSON belongs", json, b"name=sk_live_".to_vec(), 400),
        ("over 64 KB", json, vec![b' '; 64 * 1024 + 1], 413),
        ("over 64 KB, and of another type", Some("text/plain"), vec![b' '; 64 * 1024 + 1], 413),
        ("invalid UTF-8", json, b"{\"name\":\"\xff\xfe\"}".to_vec(), 400),
        ("invalid UTF-8", json, b"{\"name\":\"\xc0\x80\"}".to_vec(), 400),
        ("half a pair", json, br#"{"name":"\ud800"}"#.to_vec(), 400),
        ("BOM", json, b"\xef\xbb\xbf{\"name\":\"x\"}".to_vec(), 400),
        ("NUL behind it", json, b"{\"name\":\"x\"}\0".to_vec(), 400),
        ("two of them", json, br#"{"name":"x"}{"name":"y"}"#.to_vec(), 400),
    ];
    for event in [rest_api(), function_url()] {
        for (row, content_type, body, expected) in &rows {
            assert_eq!(
                status(&event, *content_type, body).await,
                *expected,
                "{row}: {:.60}",
                String::from_utf8_lossy(body)
            );
        }
    }
}

#[tokio::test]
async fn what_a_caller_says_of_itself_changes_nothing_by_any_kind_of_event() {
    for event in [rest_api(), function_url()] {
        let (_, expected) = seen(&event).await;
        for (row, name, value) in [
            ("spoofed X-Forwarded-For", "X-Forwarded-For", "10.0.0.1"),
            ("spoofed X-Forwarded-For", "Forwarded", "for=10.0.0.1"),
            ("spoofed X-Forwarded-For", "X-Real-IP", "10.0.0.1"),
            ("spoofed Host", "Host", "evil.example"),
            ("spoofed Host", "X-Forwarded-Host", "evil.example"),
            ("method override", "X-HTTP-Method-Override", "DELETE"),
            ("method override", "X-Method-Override", "DELETE"),
            ("method override", "X-Original-URL", "/admin"),
        ] {
            let (status, request) = seen(&with_header(event.clone(), name, value)).await;
            for member in ["method", "segments", "query", "body", "address"] {
                assert_eq!((status, &request[member]), (200, &expected[member]), "{row}: {name}");
            }
        }
    }
}

/// A path arrives as it was sent: nobody decodes it, joins its slashes or walks up in it.
#[tokio::test]
async fn every_row_about_a_path_is_another_path_by_every_kind_of_event() {
    for (row, path) in [
        ("//", "/auth//token"),
        ("//", "//auth/token"),
        ("%2e%2e", "/x/%2e%2e/auth/token"),
        ("..", "/x/../auth/token"),
        ("%2f", "/auth%2ftoken"),
        ("trailing slash", "/auth/token/"),
        ("case", "/Auth/token"),
        (";", "/auth;x/token"),
        ("NUL", "/auth/token\0"),
    ] {
        for (event, name) in [(rest_api(), "/path"), (function_url(), "/rawPath")] {
            let (status, request) = seen(&with(event, name, path)).await;
            let segments: Vec<_> = path.split('/').skip(1).collect();
            let whole: Vec<_> = path.split('/').collect();
            assert_eq!(status, 200);
            assert!(request["segments"] == json!(segments) || request["segments"] == json!(whole), "{row}: {request}");
            assert_ne!(request["segments"], json!(["auth", "token"]), "{row}");
        }
    }
}
