//! Events in, answers out.

use runtime::{Bytes, Invocation, InvocationError, RuntimeError};

use crate::lambda::{Step, accepted, event, head_of_event, run, status};

/// Says its event twice.
async fn twice(invocation: Invocation) -> Result<Bytes, InvocationError> {
    Ok([&invocation.event[..], &invocation.event[..]].concat().into())
}

#[tokio::test]
async fn each_event_is_answered_under_its_id_over_one_connection() {
    let script =
        vec![event("a-1", "1"), accepted(), event("a-2", "[]"), accepted(), event("a-3", ""), accepted(), status(500)];
    let (_, calls) = run(script, "", twice).await;
    let lines: Vec<_> = calls.iter().map(|call| (call.line.as_str(), call.body.as_str(), call.connection)).collect();
    let next = ("GET /2018-06-01/runtime/invocation/next", "", 1);
    assert_eq!(
        lines,
        [
            next,
            ("POST /2018-06-01/runtime/invocation/a-1/response", "11", 1),
            next,
            ("POST /2018-06-01/runtime/invocation/a-2/response", "[][]", 1),
            next,
            ("POST /2018-06-01/runtime/invocation/a-3/response", "", 1),
            next,
        ]
    );
    assert!(calls.iter().all(|call| call.head.contains("host: 127.0.0.1:")));
    assert!(calls.iter().all(|call| call.head.contains("user-agent: keygate/")));
}

#[tokio::test]
async fn the_path_that_the_api_begins_with_stands_before_every_call() {
    for base in ["/authorizer", "/authorizer/"] {
        let (_, calls) = run(vec![event("1", "x"), accepted(), status(500)], base, twice).await;
        assert_eq!(calls[0].line, "GET /authorizer/2018-06-01/runtime/invocation/next");
        assert_eq!(calls[1].line, "POST /authorizer/2018-06-01/runtime/invocation/1/response");
    }
}

#[tokio::test]
async fn an_event_arrives_whole_however_it_is_sent() {
    let long = "x".repeat(6 << 20);
    let chunked = head_of_event("2", "transfer-encoding: chunked", "3\r\n{\"a\r\n4\r\n\":1}\r\n0\r\n\r\n");
    let script = vec![event("1", &long), accepted(), Step::Answer(chunked), accepted(), status(500)];
    let mut seen = Vec::new();
    run(script, "", async |invocation: Invocation| {
        seen.push(invocation.event.clone());
        Ok(invocation.event)
    })
    .await;
    assert_eq!(seen, [Bytes::from(long), Bytes::from_static(br#"{"a":1}"#)]);
}

#[tokio::test]
async fn an_error_is_posted_as_one_with_its_type() {
    let (_, calls) = run(vec![event("1", "x"), accepted(), status(500)], "", async |_| {
        Err(InvocationError { error_type: "Unauthorized".to_owned(), error_message: "No \"key\"".to_owned() })
    })
    .await;
    assert_eq!(calls[1].line, "POST /2018-06-01/runtime/invocation/1/error");
    assert!(calls[1].head.contains("lambda-runtime-function-error-type: unauthorized"));
    assert_eq!(calls[1].body, r#"{"errorType":"Unauthorized","errorMessage":"No \"key\""}"#);
}

#[tokio::test]
async fn a_panic_fails_its_event_alone_and_what_it_says_stays_here() {
    let script = vec![event("1", "first"), accepted(), event("2", "second"), accepted(), status(500)];
    let (_, calls) = run(script, "", async |invocation: Invocation| {
        assert!(invocation.request_id != "1", "sk_live_secret");
        Ok(invocation.event)
    })
    .await;
    assert_eq!(calls[1].line, "POST /2018-06-01/runtime/invocation/1/error");
    assert_eq!(calls[1].body, r#"{"errorType":"Panic","errorMessage":"The function panicked"}"#);
    assert_eq!(
        (calls[3].line.as_str(), calls[3].body.as_str()),
        ("POST /2018-06-01/runtime/invocation/2/response", "second")
    );
}

#[tokio::test]
async fn an_answer_that_is_longer_than_lambda_takes_fails_its_event_alone() {
    let script = vec![event("1", "6291557"), accepted(), event("2", "6291556"), accepted(), status(500)];
    let (_, calls) = run(script, "", async |invocation: Invocation| {
        let length = std::str::from_utf8(&invocation.event).unwrap().parse().unwrap();
        Ok(vec![b'x'; length].into())
    })
    .await;
    assert_eq!(calls[1].line, "POST /2018-06-01/runtime/invocation/1/error");
    assert!(calls[1].body.starts_with(r#"{"errorType":"ResponseSizeTooLarge""#), "{}", calls[1].body);
    assert_eq!(
        (calls[3].line.as_str(), calls[3].body.len()),
        ("POST /2018-06-01/runtime/invocation/2/response", 6_291_556)
    );
}

#[tokio::test]
async fn where_there_is_no_event_it_asks_again() {
    let nothing = || Step::Answer(b"HTTP/1.1 204 No Content\r\n\r\n".to_vec());
    let (_, calls) = run(vec![nothing(), nothing(), event("1", "x"), accepted(), status(500)], "", twice).await;
    assert_eq!(calls[3].body, "xx");
}

#[tokio::test]
async fn an_answer_that_is_not_taken_does_not_end_the_process() {
    for refused in [400, 403, 413, 500] {
        let script = vec![event("1", "x"), status(refused), event("2", "y"), accepted(), status(500)];
        let (ended, calls) = run(script, "", twice).await;
        assert_eq!(calls[3].line, "POST /2018-06-01/runtime/invocation/2/response", "{refused}");
        assert!(matches!(ended, RuntimeError::Status { call: "invocation/next", .. }), "{ended}");
    }
}

#[tokio::test]
async fn lambdas_own_failure_ends_the_process() {
    for failed in [403, 500] {
        let (ended, _) = run(vec![status(failed)], "", twice).await;
        assert_eq!(ended.to_string(), format!("invocation/next of Lambda's API answers {failed}"));
    }
}
