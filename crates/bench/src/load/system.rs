//! A system of its own, by `local`.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::process::Stdio;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::process::{Child, Command};

use super::wrk::Request;
use crate::clocks;
use crate::failure::Failure;
use crate::program;

/// How long it may take until it answers: the functions may have to be compiled.
const PATIENCE: Duration = Duration::from_mins(30);

/// A system that runs. It ends when this is dropped: its functions are looked after by a process that notices.
pub(super) struct System {
    local: Child,
    pid: u32,
    client: reqwest::Client,
    base_url: String,
    folder: TempDir,
}

/// What of `demo.json` is needed.
#[derive(Deserialize)]
struct Demo {
    api_key: String,
}

impl System {
    pub(super) async fn start(instances: usize) -> Result<Self, Failure> {
        let program = program::build_local().await?;
        let folder = tempfile::Builder::new().prefix("keygate-bench-").tempdir()?;
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let output = File::create(folder.path().join("output"))?;
        let mut command = Command::new(program);
        command.args(["--port", &port.to_string(), "--instances", &instances.to_string(), "--data-dir"]);
        command.arg(folder.path().join("data")).env("RUST_LOG", "error").kill_on_drop(true);
        command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
        let local = command.spawn()?;
        let pid = local.id().ok_or_else(|| Failure::Ended("local".to_owned()))?;
        let client =
            reqwest::Client::builder().no_proxy().build().map_err(|error| Failure::Start(error.to_string()))?;
        let mut system = Self { local, pid, client, base_url: format!("http://127.0.0.1:{port}"), folder };
        system.wait().await?;
        Ok(system)
    }

    async fn wait(&mut self) -> Result<(), Failure> {
        let url = format!("{}/healthz", self.base_url);
        let begun = clocks::start();
        while begun.elapsed() < PATIENCE {
            if self.local.try_wait()?.is_some() {
                break;
            }
            if self.client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        let said = std::fs::read_to_string(self.folder.path().join("output")).unwrap_or_default();
        Err(Failure::Start(format!("local did not start:\n{said}")))
    }

    /// The process of `local`.
    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// The kinds of calls.
    pub(super) async fn calls(&self) -> Result<Vec<Request>, Failure> {
        let file = std::fs::read(self.folder.path().join("data/demo.json"))?;
        let demo: Demo = serde_json::from_slice(&file).map_err(|error| Failure::Start(error.to_string()))?;
        let at = |path: &str| format!("{}{path}", self.base_url);
        let exchange = Request {
            name: "exchange",
            method: "POST",
            url: at("/auth/token"),
            headers: vec![("Content-Type", "application/json".to_owned())],
            body: json!({"apiKey": demo.api_key}).to_string(),
        };
        let token = self.look(&exchange).await?["accessToken"].as_str().unwrap_or_default().to_owned();
        let get = |name, path: &str, header: Option<(&'static str, String)>| Request {
            name,
            method: "GET",
            url: at(path),
            headers: header.into_iter().collect(),
            body: String::new(),
        };
        Ok(vec![
            get("an API's call by JWT", "/v1/models", Some(("Authorization", format!("Bearer {token}")))),
            get("an API's call by key", "/v1/models", Some(("X-API-Key", demo.api_key))),
            exchange,
            get("JWKS", "/.well-known/jwks.json", None),
        ])
    }

    /// Makes one call, which must be answered with JSON and 200.
    pub(super) async fn look(&self, request: &Request) -> Result<Value, Failure> {
        let wrong = |reason: String| Failure::Answer { call: request.name, reason };
        let call =
            if request.method == "POST" { self.client.post(&request.url) } else { self.client.get(&request.url) };
        let call = request.headers.iter().fold(call, |call, (name, value)| call.header(*name, value));
        let answer = call.body(request.body.clone()).send().await.map_err(|error| wrong(error.to_string()))?;
        let status = answer.status();
        let text = answer.text().await.map_err(|error| wrong(error.to_string()))?;
        match serde_json::from_str(&text) {
            Ok(value) if status.as_u16() == 200 => Ok(value),
            _ => Err(wrong(format!("{status}: {text}"))),
        }
    }
}
