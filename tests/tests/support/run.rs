//! One run of `local`.

use std::fs::File;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use serde::Deserialize;

use super::clock::{Stopwatch, wait_for};
use super::folders::RunFolder;
use super::{build, processes, raw, step};

/// How long a run may take to become ready. The first one of a new checkout gets cargo-lambda, which is minutes where
/// that has to be compiled.
const PATIENCE: Duration = Duration::from_mins(15);

/// Starts a program and passes on signals by name from its own standard input. When that ends, however this test's
/// process came to its end, the program is asked to stop.
const GUARDIAN: &str = r#"
output=$1; shift
"$@" >"$output" 2>&1 &
program=$!
echo $program
while read -r signal; do kill -"$signal" $program; done
kill -TERM $program 2>/dev/null
wait $program
"#;

/// `demo.json`.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
pub struct Demo {
    pub base_url: String,
    pub client_id: String,
    pub workspace_id: String,
    pub api_key: String,
    pub test_key: String,
    pub admin_key: String,
    pub email: String,
    pub password: String,
}

/// `functions.json`.
#[derive(Clone, Debug, Deserialize)]
pub struct Functions {
    pub invoke_port: u16,
    pub urls: std::collections::BTreeMap<String, String>,
}

/// A system that is up.
pub struct Run {
    pub demo: Demo,
    pub functions: Functions,
    pub port: u16,
    /// The process of `local` itself.
    pub pid: u32,
    /// How long it took until it was ready.
    pub took: Duration,
    folder: Arc<RunFolder>,
    guardian: Child,
    signals: Mutex<Option<ChildStdin>>,
}

impl Run {
    /// Starts a run of its own with an empty data directory, and waits until it is ready.
    pub fn start(name: &str) -> Self {
        Self::start_with(name, &[])
    }

    /// Starts a run of its own whose tokens are signed with `algorithm`.
    pub fn signing_with(algorithm: &str) -> Self {
        Self::start_with(algorithm, &[("KEYGATE_SIGNING_ALGORITHM", algorithm)])
    }

    /// Starts a run of its own with these variables.
    pub fn start_with(name: &str, environment: &[(&str, &str)]) -> Self {
        Self::start_in(Arc::new(RunFolder::new(name)), free_port(), environment)
    }

    /// Starts the same again after an end: the same data directory, the same port.
    pub fn start_again(self) -> Self {
        self.start_again_with(&[])
    }

    /// The same, with these variables.
    pub fn start_again_with(mut self, environment: &[(&str, &str)]) -> Self {
        self.stop();
        Self::start_in(Arc::clone(&self.folder), self.port, environment)
    }

    fn start_in(folder: Arc<RunFolder>, port: u16, environment: &[(&str, &str)]) -> Self {
        let local = build::local();
        let name = folder.path.file_name().unwrap().to_string_lossy().into_owned();
        step(&format!("starting the system {name} on port {port}"), || {
            let stopwatch = Stopwatch::start();
            let mut guardian = build::without_this_package("sh")
                .args(["-c", GUARDIAN, "guardian"])
                .arg(folder.path.join("output"))
                .arg(local)
                .args(["--port", &port.to_string(), "--data-dir"])
                .arg(folder.path.join("data"))
                .envs(environment.iter().copied())
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                // It outlives the tests by the time that stopping takes: nobody shall wait for the end of theirs.
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            let signals = guardian.stdin.take();
            let mut first_line = String::new();
            BufReader::new(guardian.stdout.take().unwrap()).read_line(&mut first_line).unwrap();
            let pid = first_line.trim().parse().unwrap();

            let output = folder.path.join("output");
            let ready = wait_for(PATIENCE, || {
                assert!(processes::lives(pid), "local ended before it was ready:\n{}", last_lines(&output));
                is_healthy(port)
            });
            assert!(ready, "local is not ready after {PATIENCE:?}:\n{}", last_lines(&output));
            let took = stopwatch.elapsed();
            let data = folder.path.join("data");
            Self {
                demo: read(&data.join("demo.json")),
                functions: read(&data.join("functions.json")),
                port,
                pid,
                took,
                folder,
                guardian,
                signals: Mutex::new(signals),
            }
        })
    }

    /// Where everything is kept.
    pub fn data_dir(&self) -> PathBuf {
        self.folder.path.join("data")
    }

    /// All that was printed.
    pub fn output(&self) -> String {
        std::fs::read_to_string(self.folder.path.join("output")).unwrap()
    }

    /// `kill -9` of `local` alone.
    pub fn kill(&self) {
        writeln!(self.signals.lock().unwrap().as_ref().unwrap(), "KILL").unwrap();
    }

    /// Asks `local` to stop and waits until it has.
    pub fn stop(&mut self) -> ExitStatus {
        drop(self.signals.lock().unwrap().take());
        self.guardian.wait().unwrap()
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        self.stop();
    }
}

fn is_healthy(port: u16) -> bool {
    raw::try_exchange(port, b"GET /healthz HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n")
        .is_ok_and(|answer| answer.status == 200)
}

fn read<T: serde::de::DeserializeOwned>(file: &Path) -> T {
    let text = std::fs::read(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    serde_json::from_slice(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

fn last_lines(file: &Path) -> String {
    let mut text = String::new();
    let _ = File::open(file).and_then(|mut file| file.read_to_string(&mut text));
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(30)..].join("\n")
}

/// A port that nobody listens on. It lies below those that systems hand out by themselves, so that no connection takes
/// it between now and its use.
fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    loop {
        let offset = NEXT.fetch_add(1, Ordering::Relaxed) + u16::try_from(std::process::id() % 1000).unwrap() * 10;
        let port = 18_000 + offset % 10_000;
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return port;
        }
    }
}
