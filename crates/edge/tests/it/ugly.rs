//! No event ends in a 5xx, which a panic would be.

use edge::ApiError;
use serde_json::{Map, Value, json};

use crate::setup::{answer_with, function_url, rest_api, seen, with, with_header};

/// Texts that a parser of URLs, hosts or schemes does not take.
fn ugly() -> Vec<String> {
    let named =
        ["", "a b", "%zz", "%", "[", "a:99999", "<>", "^", "::", "1", "a/b", "a@b", "//", "é", "🔑", "a\"", "a\\"];
    let each_character = ('\0'..='\u{ff}').map(|character| format!("a{character}"));
    named.into_iter().map(str::to_owned).chain(each_character).chain(["a".repeat(70_000)]).collect()
}

#[tokio::test]
async fn whatever_a_header_says_the_handler_is_called() {
    for event in [rest_api(), function_url()] {
        for name in ["Host", "X-Forwarded-Proto", "X-Forwarded-Port", "X-Forwarded-Host", "Forwarded", "Cookie"] {
            for text in ugly() {
                // No header holds these: the gateways refuse them, and so does the event's reading.
                let expected = if text.contains(|c: char| c.is_ascii_control() && c != '\t') { 400 } else { 200 };
                let (status, _) = seen(&with_header(event.clone(), name, &text)).await;
                assert_eq!(status, expected, "{name}: {text:.10?}");
            }
        }
    }
}

#[tokio::test]
async fn whatever_the_domain_and_the_stage_are_called_the_handler_is_called() {
    for event in [rest_api(), function_url()] {
        for text in ugly() {
            let event = with(event.clone(), "/requestContext/domainName", text.as_str());
            let event = with(event, "/requestContext/stage", text.as_str());
            for headers in [event["headers"].clone(), json!({})] {
                let event = with(event.clone(), "/headers", headers);
                assert_eq!(seen(&event).await.0, 200, "{text:.10?}");
            }
        }
    }
}

#[tokio::test]
async fn every_path_and_query_arrives_as_it_is() {
    for text in ugly() {
        let (status, request) = seen(&with(rest_api(), "/path", format!("/{text}"))).await;
        assert_eq!((status, &request["segments"]), (200, &json!(text.split('/').collect::<Vec<_>>())), "{text:.10?}");
        let (status, request) = seen(&with(function_url(), "/rawPath", format!("/{text}"))).await;
        assert_eq!((status, &request["segments"]), (200, &json!(text.split('/').collect::<Vec<_>>())), "{text:.10?}");
        assert_eq!(seen(&with(rest_api(), "/path", text.as_str())).await.0, 200, "{text:.10?}");
        assert_eq!(seen(&with(function_url(), "/rawPath", text.as_str())).await.0, 200, "{text:.10?}");

        let (status, request) = seen(&with(rest_api(), "/multiValueQueryStringParameters", json!({"a": [text]}))).await;
        assert_eq!((status, &request["query"]), (200, &json!(text)));
        assert_eq!(seen(&with(rest_api(), "/multiValueQueryStringParameters", json!({&text: [""]}))).await.0, 200);
        assert_eq!(seen(&with(function_url(), "/rawQueryString", text.as_str())).await.0, 200, "{text:.10?}");
        assert_eq!(seen(&with(function_url(), "/rawQueryString", format!("a={text}"))).await.0, 200, "{text:.10?}");
    }
}

#[tokio::test]
async fn a_body_that_is_not_the_base64_it_should_be_is_a_bad_request() {
    for event in [rest_api(), function_url()] {
        for text in ["%", "###", "e30", "e30=\n", "_w==", "é", "e", "e31="] {
            let event = with(with(event.clone(), "/isBase64Encoded", true), "/body", text);
            assert_eq!(seen(&event).await.0, 400, "{text}");
        }
    }
}

#[tokio::test]
async fn a_body_of_six_megabytes_is_read_and_refused() {
    for event in [rest_api(), function_url()] {
        for is_base64 in [true, false] {
            let event = with(with(event.clone(), "/isBase64Encoded", is_base64), "/body", "A".repeat(6 << 20));
            let event = with_header(event, "Content-Type", "application/json").to_string();
            let answer = answer_with(&event, |request| edge::json::<Value>(request).map(|body| edge::ok(&body))).await;
            assert_eq!(answer["statusCode"], 413);
        }
    }
}

#[tokio::test]
async fn more_headers_than_a_map_holds_are_a_bad_request() {
    for event in [rest_api(), function_url()] {
        let many: Map<String, Value> = (0..40_000).map(|number| (format!("x-{number}"), json!("1"))).collect();
        let event = with(event, "/headers", many);
        assert_eq!(seen(&event).await.0, 400);
    }
}

#[tokio::test]
async fn members_of_other_types_or_none_have_an_answer() {
    for event in [rest_api(), function_url()] {
        for parent in ["", "/requestContext", "/requestContext/http", "/requestContext/identity"] {
            let names: Vec<_> = match event.pointer(parent) {
                Some(Value::Object(members)) => members.keys().cloned().collect(),
                _ => continue,
            };
            for name in names {
                let mut without = event.clone();
                without.pointer_mut(parent).unwrap().as_object_mut().unwrap().remove(&name);
                has_an_answer(&without).await;
                for value in
                    [json!(null), json!(1), json!(-1.5), json!(true), json!("x"), json!([1]), json!({"x": null})]
                {
                    has_an_answer(&with(event.clone(), &format!("{parent}/{name}"), value)).await;
                }
            }
        }
    }
    let nulls = ["headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters", "body"];
    for event in [rest_api(), function_url()] {
        for name in nulls {
            assert_eq!(seen(&with(event.clone(), &format!("/{name}"), Value::Null)).await.0, 200, "{name}");
        }
    }
}

async fn has_an_answer(event: &Value) {
    let (status, _) = seen(event).await;
    assert!(matches!(status, 200 | 400), "{status}: {event}");
}

#[tokio::test]
async fn what_is_no_event_is_a_bad_request() {
    let deep = format!("{}{}", "[".repeat(20_000), "]".repeat(20_000));
    for event in [
        "null",
        "1",
        "true",
        r#""x""#,
        "[]",
        "{}",
        r#"{"version":"2.0"}"#,
        r#"{"version":2.0}"#,
        r#"{"httpMethod":"GET","path":"/"}"#,
        r#"{"httpMethod":"GET","path":"/","path":"/auth","requestContext":{}}"#,
        r#"{"httpMethod":"GET","path":"\ud800","requestContext":{}}"#,
        r#"{"httpMethod":"A B","path":"/","requestContext":{}}"#,
        r#"{"requestContext":{"http":{"method":"GET"}},"rawPath":"/"}"#,
        &deep,
    ] {
        let answer = answer_with(event, |_| Err(ApiError::NotFound)).await;
        assert_eq!(answer["statusCode"], 400, "{event:.80}");
    }
}

#[tokio::test]
async fn what_one_form_refuses_is_not_read_as_the_other() {
    let both = with(rest_api(), "/requestContext/http", json!({"method": "GET", "path": "/"}));
    assert_eq!(seen(&both).await.0, 200);
    assert_eq!(seen(&with(both, "/multiValueHeaders/X", json!(["a\nb"]))).await.0, 400);
}
