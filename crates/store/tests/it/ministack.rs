//! All other tests of this binary once more, on a second server that plays DynamoDB and shares no code with the embedded
//! one: what only one of them does is not what the store may rely on.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use testkit::{STORE_VARIABLE, call_store, python};

/// The one test that the second run must not run again.
const THIS: &str = "ministack::all_other_tests_pass_on_a_second_server";
/// Tests of what ministack can't do, each with the reason.
const LEFT_OUT: [&str; 0] = [];

/// Runs ministack until its standard input ends, however this process came to its end.
const PROGRAM: &str = "
import os, threading
from ministack.app import main
threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
main()
";

#[tokio::test]
async fn all_other_tests_pass_on_a_second_server() {
    let server = Ministack::start().await;
    let this_binary = std::env::current_exe().unwrap();
    let listed = Command::new(&this_binary).args(["--list", "--format", "terse"]).output().unwrap();
    let listed = String::from_utf8(listed.stdout).unwrap();
    let all: Vec<&str> = listed.lines().filter_map(|line| line.strip_suffix(": test")).collect();
    let skipped: Vec<&str> = LEFT_OUT.into_iter().chain([THIS]).collect();
    for name in &skipped {
        assert!(all.contains(name), "there is no test `{name}`");
    }

    let output = Command::new(&this_binary)
        // One after the other: the server does one thing at a time, and on a busy machine calls would time out in its queue.
        .args(["--exact", "--test-threads=1"])
        .args(skipped.iter().flat_map(|name| ["--skip", *name]))
        .env(STORE_VARIABLE, &server.endpoint)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let printed = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    let passed = format!("test result: ok. {} passed; 0 failed; 0 ignored;", all.len() - skipped.len());
    assert!(output.status.success() && printed.contains(&passed), "{printed}\nministack: {}", server.log());

    let tables = call_store(&server.endpoint, "ListTables", &json!({})).await;
    assert_ne!(tables["TableNames"], json!([]), "no test was there");
}

/// A server that ends with this value.
struct Ministack {
    process: Child,
    endpoint: String,
    folder: tempfile::TempDir,
}

impl Ministack {
    async fn start() -> Self {
        let kept = Path::new(env!("CARGO_TARGET_TMPDIR"));
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ministack.txt");
        let python = python(&kept.join("ministack"), &requirements);
        // Between its choice and its use another program may take a port: then this one ends, and begins anew.
        let mut log = String::new();
        for _ in 0..5 {
            let mut server = Self::spawn(&python, kept);
            if server.is_ready().await {
                return server;
            }
            log = server.log();
        }
        panic!("ministack doesn't start: {log}");
    }

    fn spawn(python: &Path, kept: &Path) -> Self {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port();
        let folder = tempfile::tempdir_in(kept).unwrap();
        let log = File::create(folder.path().join("log")).unwrap();
        let process = Command::new(python)
            .args(["-c", PROGRAM])
            // It hands its environment on, and reads some hundred variables of its own from it.
            .env_clear()
            .env("TMPDIR", folder.path())
            .env("BIND_HOST", "127.0.0.1")
            .env("GATEWAY_PORT", port.to_string())
            .env("SERVICES", "dynamodb")
            .env("IOT_MTLS_ENABLED", "0")
            .env("LOG_LEVEL", "WARNING")
            // Answered by its health check.
            .env("MINISTACK_EDITION", Self::edition(folder.path()))
            .stdin(Stdio::piped())
            .stdout(log.try_clone().unwrap())
            .stderr(log)
            .spawn()
            .unwrap();
        Self { process, endpoint: format!("http://127.0.0.1:{port}"), folder }
    }

    fn edition(folder: &Path) -> String {
        folder.file_name().unwrap().to_string_lossy().into_owned()
    }

    /// Waits until it answers, or has ended.
    async fn is_ready(&mut self) -> bool {
        for _ in 0..600 {
            if self.process.try_wait().unwrap().is_some() {
                return false;
            }
            if let Ok(answer) = reqwest::get(format!("{}/_ministack/health", self.endpoint)).await
                && let Ok(health) = answer.json::<Value>().await
                // Another program's server, on a port that was taken meanwhile, is not the one.
                && health["edition"] == Self::edition(self.folder.path())
            {
                return true;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("ministack is not ready after a minute: {}", self.log());
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap()
    }
}

impl Drop for Ministack {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
