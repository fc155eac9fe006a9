//! Answers in the form that each gateway takes.

use edge::{ApiError, Reply};
use serde_json::{Value, json};

use crate::setup::{answer_with, function_url, rest_api, with};

fn two_cookies() -> Reply {
    let mut reply = edge::ok(&json!({"a": 1}));
    reply.headers_mut().append("set-cookie", "a=1".parse().unwrap());
    reply.headers_mut().append("set-cookie", "b=2".parse().unwrap());
    reply
}

#[tokio::test]
async fn a_rest_api_gets_each_value_of_each_header() {
    let answer = answer_with(&rest_api().to_string(), |_| Ok(two_cookies())).await;
    let expected = json!({
        "statusCode": 200,
        "headers": {},
        "multiValueHeaders": {
            "content-type": ["application/json"],
            "cache-control": ["no-store"],
            "set-cookie": ["a=1", "b=2"],
        },
        "body": r#"{"a":1}"#,
        "isBase64Encoded": false,
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn a_function_url_gets_cookies_apart() {
    let answer = answer_with(&function_url().to_string(), |_| Ok(two_cookies())).await;
    let expected = json!({
        "statusCode": 200,
        "headers": {"content-type": "application/json", "cache-control": "no-store"},
        "multiValueHeaders": {},
        "cookies": ["a=1", "b=2"],
        "body": r#"{"a":1}"#,
        "isBase64Encoded": false,
    });
    assert_eq!(answer, expected);
}

#[tokio::test]
async fn an_answer_may_have_no_body() {
    for event in [rest_api(), function_url()] {
        let answer = answer_with(&event.to_string(), |_| Ok(edge::no_content())).await;
        assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(204), &json!("")));
    }
}

#[tokio::test]
async fn what_is_no_event_is_answered_in_the_form_of_the_rest() {
    let body = r#"{"statusCode":400,"error":"Bad Request","message":"Not an HTTP event"}"#;
    for (event, form) in [(rest_api(), "multiValueHeaders"), (function_url(), "headers")] {
        let broken = with(with(event.clone(), "/isBase64Encoded", true), "/body", "%").to_string();
        let answer = answer_with(&broken, |_| panic!("there is no request")).await;
        assert_eq!((&answer["statusCode"], &answer["body"]), (&json!(400), &json!(body)));
        let refused = answer_with(&event.to_string(), |_| Err(ApiError::BadRequest(String::new()))).await;
        assert_eq!(answer[form], refused[form]);
        assert_ne!(answer[form], json!({}));
        let members = |answer: &Value| answer.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(members(&answer), members(&refused), "a REST API refuses a member that it doesn't know");
    }
}
