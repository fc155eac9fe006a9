//! What a handler sees of an event.

use serde_json::{Value, json};

use crate::setup::{function_url, rest_api, seen, with};

#[tokio::test]
async fn a_request_has_all_that_its_event_has() {
    let (status, request) = seen(&rest_api()).await;
    assert_eq!((status, &request["method"], &request["body"]), (200, &json!("GET"), &Value::Null));
    let path = ["api", "v1", "clients", "REPLACE_WITH_CLIENT_ID", "api_keys"];
    assert_eq!(request["segments"], json!(path), "without the stage");
    assert_eq!(request["headers"]["authorization"], json!(["Bearer REPLACE_WITH_KEY"]));
    assert_eq!(request["address"], "203.0.113.7");
    let event = function_url();
    let (status, request) = seen(&event).await;
    assert_eq!((status, &request["method"]), (200, &json!("POST")));
    assert_eq!(request["segments"], json!(["auth", "exchange"]));
    assert_eq!(request["headers"]["content-type"], json!(["application/json"]));
    assert_eq!(request["body"]["text"], event["body"]);
    assert_eq!(request["address"], event["requestContext"]["http"]["sourceIp"]);
}

#[tokio::test]
async fn each_value_of_a_doubled_header_arrives() {
    for name in ["Authorization", "X-API-Key", "Content-Type", "authorization"] {
        let event = with(rest_api(), &format!("/headers/{name}"), "two");
        let event = with(event, "/multiValueHeaders", json!({name: ["one", "two"]}));
        let (status, request) = seen(&event).await;
        assert_eq!((status, &request["headers"][name.to_ascii_lowercase()]), (200, &json!(["one", "two"])), "{name}");
    }
    let both_spellings = json!({"Authorization": ["one"], "authorization": ["two"]});
    let event = with(rest_api(), "/multiValueHeaders", both_spellings);
    let (_, request) = seen(&event).await;
    assert_eq!(request["headers"]["authorization"], json!(["one", "two"]));
    let event = with(rest_api(), "/headers/AUTHORIZATION", "two");
    let event = with(event, "/multiValueHeaders", json!({"authorization": ["one", "two"]}));
    assert_eq!(seen(&event).await.1["headers"]["authorization"], json!(["one", "two"]));
}

#[tokio::test]
async fn a_header_that_stands_in_one_map_alone_arrives() {
    let without = with(with(rest_api(), "/headers", json!({"X-One": "1"})), "/multiValueHeaders", Value::Null);
    assert_eq!(seen(&without).await.1["headers"], json!({"x-one": ["1"]}));
    let beside = with(without, "/multiValueHeaders", json!({"X-Two": ["2", "3"]}));
    assert_eq!(seen(&beside).await.1["headers"], json!({"x-one": ["1"], "x-two": ["2", "3"]}));
    let multiple = with(beside, "/headers", Value::Null);
    assert_eq!(seen(&multiple).await.1["headers"], json!({"x-two": ["2", "3"]}));
}

#[tokio::test]
async fn each_value_of_a_repeated_parameter_arrives() {
    let refused = json!({"refused": "The query parameter `a` stands there twice"});
    let single = with(rest_api(), "/queryStringParameters", json!({"a": "2"}));
    let event = with(single.clone(), "/multiValueQueryStringParameters", json!({"a": ["1", "2"]}));
    assert_eq!(seen(&event).await.1["query"], refused);
    let event = with(single.clone(), "/multiValueQueryStringParameters", json!({"a": ["é <1>"]}));
    assert_eq!(seen(&event).await.1["query"], "é <1>");
    let event = with(single, "/multiValueQueryStringParameters", Value::Null);
    assert_eq!(seen(&event).await.1["query"], "2");

    let joined = with(function_url(), "/queryStringParameters", json!({"a": "1,2"}));
    let event = with(joined.clone(), "/rawQueryString", "a=1&a=2");
    assert_eq!(seen(&event).await.1["query"], refused);
    let event = with(joined, "/rawQueryString", "a=%C3%A9+%3C1%3E");
    assert_eq!(seen(&event).await.1["query"], "é <1>");
}

#[tokio::test]
async fn bodies_arrive_decoded() {
    for event in [rest_api(), function_url()] {
        for (text, bytes) in [("", json!([])), ("AAH/", json!([0, 1, 255])), ("eA==", json!([120]))] {
            let event = with(with(event.clone(), "/isBase64Encoded", true), "/body", text);
            assert_eq!(seen(&event).await.1["body"], json!({"bytes": bytes}), "{text}");
        }
        let plain = with(with(event.clone(), "/isBase64Encoded", false), "/body", "AAH/");
        assert_eq!(seen(&plain).await.1["body"], json!({"text": "AAH/"}));
        let empty = with(with(event, "/isBase64Encoded", true), "/body", Value::Null);
        assert_eq!(seen(&empty).await.1["body"], Value::Null);
    }
}

#[tokio::test]
async fn the_stage_of_an_http_api_of_format_2_is_no_part_of_the_path() {
    let path = async |event: Value| seen(&event).await.1["segments"].clone();
    let event = |stage: &str, path: &str| with(with(function_url(), "/requestContext/stage", stage), "/rawPath", path);
    assert_eq!(path(event("dev", "/dev/auth/exchange")).await, json!(["auth", "exchange"]));
    assert_eq!(path(event("dev", "/dev")).await, json!([""]));
    assert_eq!(path(event("dev", "/dev/dev/x")).await, json!(["dev", "x"]), "once");
    // Behind a domain of one's own there is none.
    for whole in ["/auth/exchange", "/development/x", "/x/dev", "dev/x", ""] {
        let segments: Vec<_> = whole.strip_prefix('/').unwrap_or(whole).split('/').collect();
        assert_eq!(path(event("dev", whole)).await, json!(segments), "{whole}");
    }
    assert_eq!(path(event("$default", "/$default/x")).await, json!(["$default", "x"]));
    let rest = with(with(rest_api(), "/requestContext/stage", "api"), "/path", "/api/v1/logs");
    assert_eq!(path(rest).await, json!(["api", "v1", "logs"]), "a REST API's path has none");
}
