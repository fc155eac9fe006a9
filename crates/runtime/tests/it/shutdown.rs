//! The end of a process, which the process learns of.

use std::process::Stdio;
use std::time::Duration;

use runtime::{RuntimeError, on_shutdown, run};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::sync::mpsc;

const THIS: &str = "shutdown::the_hook_runs_when_lambda_ends_the_process";
/// Set in the process that is to be ended, which is this program again.
const ENDED: &str = "KEYGATE_TEST_TO_BE_ENDED";

#[tokio::test]
async fn the_hook_runs_when_lambda_ends_the_process() {
    if std::env::var_os(ENDED).is_some() {
        let hook = || async { println!("counted") };
        on_shutdown(hook).await.unwrap();
        run(async |invocation| Ok(invocation.event)).await.unwrap();
    }
    for signal in [Signal::TERM, Signal::INT] {
        let (mut calls, api) =
            lambda("HTTP/1.1 200 OK\r\nlambda-extension-identifier: x-1\r\ncontent-length: 2\r\n\r\n{}").await;
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", THIS, "--nocapture"]).env(ENDED, "1").env("AWS_LAMBDA_RUNTIME_API", api);
        let child = command.stdout(Stdio::piped()).kill_on_drop(true).spawn().unwrap();
        let pid = Pid::from_raw(child.id().unwrap().try_into().unwrap()).unwrap();
        let mut seen = [calls.recv().await.unwrap(), calls.recv().await.unwrap(), calls.recv().await.unwrap()];
        seen.sort();
        assert!(seen[0].starts_with("GET /2018-06-01/runtime/invocation/next"), "{seen:?}");
        assert!(seen[1].starts_with("GET /2020-01-01/extension/event/next"), "{seen:?}");
        assert!(seen[1].contains("lambda-extension-identifier: x-1"), "{seen:?}");
        assert!(seen[2].starts_with("POST /2020-01-01/extension/register"), "{seen:?}");
        assert!(seen[2].contains("lambda-extension-name: keygate-shutdown"), "{seen:?}");
        kill_process(pid, signal).unwrap();
        let output = tokio::time::timeout(Duration::from_secs(10), child.wait_with_output()).await.unwrap().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert!(String::from_utf8(output.stdout).unwrap().contains("counted"));
    }
}

#[tokio::test]
async fn outside_of_lambda_there_is_no_end_to_be_told_of() {
    let refused = on_shutdown(|| async {}).await;
    assert!(matches!(refused, Err(RuntimeError::NotOnLambda)));
}

/// Lambda, where every call is noted, a registration answered with `registered`, and all others wait for ever.
async fn lambda(registered: &'static str) -> (mpsc::UnboundedReceiver<String>, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let api = listener.local_addr().unwrap().to_string();
    let (noted, calls) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, noted.clone(), registered));
        }
    });
    (calls, api)
}

async fn serve(mut stream: TcpStream, noted: mpsc::UnboundedSender<String>, registered: &'static str) {
    let mut bytes = Vec::new();
    while let Ok(byte) = stream.read_u8().await {
        bytes.push(byte);
        if !bytes.ends_with(b"\r\n\r\n") && !bytes.ends_with(br#"{"events":[]}"#) {
            continue;
        }
        let call = String::from_utf8(std::mem::take(&mut bytes)).unwrap();
        if call.starts_with("POST") {
            // Its head alone.
            bytes = call.into_bytes();
            if bytes.ends_with(b"}") {
                noted.send(String::from_utf8(std::mem::take(&mut bytes)).unwrap()).unwrap();
                stream.write_all(registered.as_bytes()).await.unwrap();
            }
        } else {
            noted.send(call).unwrap();
        }
    }
}
