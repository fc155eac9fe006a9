//! Load by `wrk`.

use std::io::Write as _;
use std::process::Stdio;

use serde::{Deserialize, Serialize};
use tokio::process::Command;

use crate::failure::Failure;

const SCRIPT: &str = include_str!("request.lua");

/// A kind of call.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    /// What it is.
    pub(crate) name: &'static str,
    pub(crate) method: &'static str,
    pub(crate) url: String,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: String,
}

/// What came of the calls.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub struct Loaded {
    /// How many were answered.
    pub calls: u64,
    /// How long it took.
    pub microseconds: u64,
    /// What half of them did not exceed, in microseconds.
    pub p50: f64,
    /// What 90 of 100 did not exceed.
    pub p90: f64,
    /// What 99 of 100 did not exceed.
    pub p99: f64,
    /// The longest.
    pub max: f64,
    #[serde(flatten)]
    errors: Errors,
}

/// What was no answer: `status` is one of 400 or above.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
struct Errors {
    connect: u64,
    read: u64,
    write: u64,
    status: u64,
    timeout: u64,
}

impl Loaded {
    /// Answers per second.
    #[must_use]
    pub fn per_second(&self) -> f64 {
        // Both are far below where numbers lose their last digit.
        #[expect(clippy::cast_precision_loss, reason = "as the comment says")]
        let (calls, microseconds) = (self.calls as f64, self.microseconds as f64);
        calls / microseconds * 1e6
    }
}

/// Calls for `seconds` over so many connections.
///
/// # Errors
/// [`Failure::Start`] without `wrk`; [`Failure::Answer`] where one call was not answered as it must be.
pub(crate) async fn run(request: &Request, connections: usize, seconds: u64) -> Result<Loaded, Failure> {
    let mut script = tempfile::Builder::new().suffix(".lua").tempfile()?;
    script.write_all(SCRIPT.as_bytes())?;
    let headers: Vec<_> = request.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let mut wrk = Command::new("wrk");
    wrk.args(["--threads", if connections > 1 { "2" } else { "1" }, "--connections", &connections.to_string()]);
    wrk.args(["--duration", &format!("{seconds}s"), "--timeout", "10s", "--latency", "--script"]);
    wrk.arg(script.path()).arg(&request.url).stdin(Stdio::null()).kill_on_drop(true);
    wrk.env("METHOD", request.method).env("BODY", &request.body).env("HEADERS", headers.join("\n"));
    let output = wrk.output().await.map_err(|error| Failure::Start(format!("wrk, Debian's package: {error}")))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let loaded = text.lines().last().and_then(|line| serde_json::from_str::<Loaded>(line).ok());
    let said = || format!("wrk said {text}{}", String::from_utf8_lossy(&output.stderr));
    let loaded = loaded.ok_or_else(|| Failure::Start(said()))?;
    if loaded.calls == 0 || loaded.errors != (Errors { connect: 0, read: 0, write: 0, status: 0, timeout: 0 }) {
        return Err(Failure::Answer { call: request.name, reason: said() });
    }
    Ok(loaded)
}
