//! Connections that end.

use runtime::{Bytes, Invocation, InvocationError, RuntimeError, run, run_at};

use crate::lambda::{self, Step, accepted, event, head_of_event, status};

async fn same(invocation: Invocation) -> Result<Bytes, InvocationError> {
    Ok(invocation.event)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_has_ended_between_two_calls_is_made_anew_and_no_event_is_lost() {
    let closing = |step| match step {
        Step::Answer(bytes) => Step::AnswerAndClose(bytes),
        other => other,
    };
    let script = vec![
        event("1", "a"),
        accepted(),
        closing(event("2", "b")),
        accepted(),
        event("3", "c"),
        accepted(),
        status(500),
    ];
    let (_, calls) = lambda::run(script, "", async |invocation: Invocation| {
        // The other side's end has arrived by then, and nothing has looked for it.
        std::thread::sleep(std::time::Duration::from_millis(50));
        Ok(invocation.event)
    })
    .await;
    let answers: Vec<_> = calls.iter().filter(|call| call.line.starts_with("POST")).collect();
    assert_eq!(answers.iter().map(|call| call.body.as_str()).collect::<Vec<_>>(), ["a", "b", "c"]);
    assert_eq!(answers.iter().map(|call| call.connection).collect::<Vec<_>>(), [1, 2, 2]);
}

#[tokio::test]
async fn a_call_that_may_have_arrived_is_not_made_twice() {
    let (ended, calls) = lambda::run(vec![event("1", "a"), Step::Close], "", same).await;
    assert!(matches!(ended, RuntimeError::Broken(_)), "{ended}");
    assert_eq!(calls[1].body, "a");
    let cut = head_of_event("1", "content-length: 10", "half");
    let (ended, _) = lambda::run(vec![Step::AnswerAndClose(cut)], "", same).await;
    assert!(matches!(ended, RuntimeError::Broken(_)), "{ended}");
}

#[tokio::test]
async fn an_event_without_an_id_ends_the_process() {
    let nameless = Step::Answer(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}".to_vec());
    let (ended, _) = lambda::run(vec![nameless], "", same).await;
    assert_eq!(ended.to_string(), "invocation/next of Lambda's API gives no `lambda-runtime-aws-request-id`");
}

#[tokio::test]
async fn where_nobody_listens_the_process_ends_and_says_so() {
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let ended = run_at(&format!("127.0.0.1:{port}"), same).await.unwrap_err();
    assert!(matches!(ended, RuntimeError::Unreachable(_)), "{ended}");
    let ended = run(same).await.unwrap_err();
    assert!(ended.to_string().starts_with("AWS_LAMBDA_RUNTIME_API is not set"), "{ended}");
}
