//! What a server may answer by HTTP/1.1 (RFC 9112), beside the plain form.

use runtime::{Bytes, Invocation, InvocationError, RuntimeError};

use crate::lambda::{Step, accepted, head_of_event, run, status};

async fn same(invocation: Invocation) -> Result<Bytes, InvocationError> {
    Ok(invocation.event)
}

/// An event in each form that a server may give it, all with `{"a":1}` in them.
fn forms() -> Vec<(&'static str, Vec<u8>)> {
    let chunks = "3;name=\"x\"\r\n{\"a\r\n0004\r\n\":1}\r\n";
    let go_on = b"HTTP/1.1 100 Continue\r\nx: y\r\n\r\n";
    let plain = head_of_event("1", "content-length: 7", "{\"a\":1}");
    let many = "\r\nx: y".repeat(60);
    vec![
        ("plain", plain.clone()),
        ("after a word to wait", [&go_on[..], &go_on[..], &plain].concat()),
        ("many headers", head_of_event("1", &format!("Content-Length:  7 {many}"), "{\"a\":1}")),
        ("chunks", head_of_event("1", "Transfer-Encoding: chunked", &format!("{chunks}0\r\n\r\n"))),
        (
            "chunks and trailers",
            head_of_event("1", "transfer-encoding: Chunked", &format!("{chunks}0;x\r\na: b\r\nc: d\r\n\r\n")),
        ),
        (
            "chunks that count, whatever the length says",
            head_of_event(
                "1",
                "content-length: 3\r\ntransfer-encoding: chunked\r\ncontent-length: 3",
                &format!("{chunks}0\r\n\r\n"),
            ),
        ),
    ]
}

#[tokio::test]
async fn every_form_is_read_whole_in_one_piece_and_byte_by_byte() {
    for (name, bytes) in forms() {
        for event in [Step::Answer(bytes.clone()), Step::AnswerSlowly(bytes)] {
            let (_, calls) = run(vec![event, accepted(), status(500)], "", same).await;
            assert_eq!((calls[1].body.as_str(), calls[2].connection), (r#"{"a":1}"#, 1), "{name}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_says_it_is_the_last_is_followed_by_another_connection() {
    let said = head_of_event("1", "content-length: 7\r\nConnection: x, Close", "{\"a\":1}");
    let old = head_of_event("1", "content-length: 7", "{\"a\":1}");
    let old = [&b"HTTP/1.0"[..], &old[8..]].concat();
    let endless = head_of_event("1", "x: y", "{\"a\":1}");
    for (name, event) in [("said", said), ("HTTP/1.0", old), ("no length", endless)] {
        let (_, calls) = run(vec![Step::AnswerAndClose(event), accepted(), status(500)], "", same).await;
        assert_eq!((calls[1].body.as_str(), calls[1].connection), (r#"{"a":1}"#, 2), "{name}");
    }
}

#[tokio::test]
async fn what_is_no_http_ends_the_process() {
    let endless = format!("HTTP/1.1 200 OK\r\nx: {}", "y".repeat(70_000));
    let many = "\r\nx: y".repeat(70);
    for bad in [
        b"SSH-2.0-x\r\n\r\n".to_vec(),
        endless.into_bytes(),
        head_of_event("1", &format!("content-length: 1{many}"), "x"),
        head_of_event("1", "content-length: -1", "x"),
        head_of_event("1", "content-length: 1, 1", "x"),
        head_of_event("1", "content-length: 99999999999", "x"),
        head_of_event("1", "transfer-encoding: gzip, chunked", "x"),
        head_of_event("1", "transfer-encoding: chunked", "x\r\n"),
        head_of_event("1", "transfer-encoding: chunked", "fffffffffffffffff\r\n"),
        head_of_event("1", "transfer-encoding: chunked", "fffffffffffffff\r\n"),
        head_of_event("1", "transfer-encoding: chunked", "1\r\nxyz\r\n0\r\n\r\n"),
    ] {
        let text = String::from_utf8_lossy(&bad).into_owned();
        let (ended, _) = run(vec![Step::AnswerAndClose(bad)], "", same).await;
        assert!(matches!(ended, RuntimeError::Broken(_)), "{ended}: {text:.200}");
    }
}

#[tokio::test]
async fn what_ends_too_soon_ends_the_process() {
    for (name, bytes) in forms() {
        for end in [0, 1, 20, bytes.len() / 2, bytes.len() - 1] {
            let (ended, _) = run(vec![Step::AnswerAndClose(bytes[..end].to_vec())], "", same).await;
            assert!(matches!(ended, RuntimeError::Broken(_)), "{ended}: {name}, {end} of {}", bytes.len());
        }
    }
}
