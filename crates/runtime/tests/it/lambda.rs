//! Lambda's side, as a script: what it answers to each call, and what it was asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use runtime::{Bytes, Invocation, InvocationError, RuntimeError, run_at};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

/// What the server does with a call.
pub(crate) enum Step {
    /// It answers so.
    Answer(Vec<u8>),
    /// It answers so, and ends the connection without a word.
    AnswerAndClose(Vec<u8>),
    /// It answers so, byte after byte.
    AnswerSlowly(Vec<u8>),
    /// It ends the connection, and answers nothing.
    Close,
}

/// A call as it came.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    /// `POST /path`.
    pub(crate) line: String,
    /// The rest of its head, in small letters.
    pub(crate) head: String,
    pub(crate) body: String,
    /// Which connection it came by, from 1.
    pub(crate) connection: usize,
}

/// An event under an id.
pub(crate) fn event(id: &str, body: &str) -> Step {
    Step::Answer(head_of_event(id, &format!("content-length: {}", body.len()), body))
}

pub(crate) fn head_of_event(id: &str, header: &str, body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: {id}\r\n{header}\r\n\r\n{body}").into_bytes()
}

pub(crate) fn status(code: u16) -> Step {
    Step::Answer(format!("HTTP/1.1 {code} X\r\ncontent-length: 15\r\n\r\n{{\"status\":\"OK\"}}").into_bytes())
}

pub(crate) fn accepted() -> Step {
    status(202)
}

/// Runs `handler` against a script, whose last step must end it; how it ended, and all calls.
pub(crate) async fn run(
    script: Vec<Step>,
    base: &str,
    handler: impl AsyncFnMut(Invocation) -> Result<Bytes, InvocationError>,
) -> (RuntimeError, Vec<Call>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address: SocketAddr = listener.local_addr().unwrap();
    let (calls, steps) = (Arc::<Mutex<Vec<Call>>>::default(), script.len());
    let server = tokio::spawn(serve(listener, script, calls.clone()));
    // As cargo-lambda writes it, where it has a path.
    let scheme = if base.is_empty() { "" } else { "http://" };
    let ended = run_at(&format!("{scheme}{address}{base}"), handler).await.unwrap_err();
    server.abort();
    let calls = calls.lock().unwrap().clone();
    assert_eq!(calls.len(), steps, "one call for each step: {calls:#?}");
    (ended, calls)
}

async fn serve(listener: TcpListener, script: Vec<Step>, calls: Arc<Mutex<Vec<Call>>>) {
    let mut script = script.into_iter();
    for connection in 1.. {
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.set_nodelay(true).unwrap();
        while let Some(mut call) = read(&mut stream).await {
            call.connection = connection;
            calls.lock().unwrap().push(call);
            match script.next().unwrap() {
                Step::Answer(bytes) => stream.write_all(&bytes).await.unwrap(),
                Step::AnswerAndClose(bytes) => {
                    stream.write_all(&bytes).await.unwrap();
                    break;
                }
                Step::AnswerSlowly(bytes) => {
                    for byte in bytes {
                        stream.write_all(&[byte]).await.unwrap();
                        tokio::task::yield_now().await;
                    }
                }
                Step::Close => break,
            }
        }
    }
}

/// The next call; `None` where the connection has ended.
async fn read(stream: &mut TcpStream) -> Option<Call> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        bytes.push(stream.read_u8().await.ok()?);
    };
    let text = String::from_utf8(bytes[..end].to_vec()).unwrap();
    let (line, head) = text.split_once("\r\n").unwrap();
    let head = head.to_ascii_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).map_or(0, |n| n.parse().unwrap());
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let line = line.strip_suffix(" HTTP/1.1").unwrap().to_owned();
    Some(Call { line, head, body: String::from_utf8(body).unwrap(), connection: 0 })
}
