//! Authorizers beside the run's own one: the same program in the same environment, each a process that a test starts, calls,
//! freezes and thaws, as Lambda does with instances.

use std::path::Path;

use bench::runtime_api::{Answer, Instance};
use rustix::process::Signal;
use serde_json::{Value, json};
use tokio::process::Command;

use super::build;
use super::http::Credential;
use super::processes::{self, Process};
use super::run::Run;

/// How often a call is made again that the store was too slow for. Such a call is no allow, and proves nothing more.
const TRIES: usize = 3;

/// What a gateway would make of an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    Allowed,
    /// A 401.
    Unauthorized,
    /// A 403.
    Forbidden,
    /// A 503, and the text of the error.
    Unavailable(String),
}

/// The program and its environment.
pub struct Copies {
    environment: Vec<(String, String)>,
}

/// One that runs.
pub struct Authorizer {
    instance: Instance,
    process: Process,
}

/// A call of a protected route, as a REST API's event.
#[derive(Clone, Debug)]
pub struct Asked(String);

impl Asked {
    pub fn new(method: &str, path: &str, credential: &Credential<'_>, workspace: Option<&str>) -> Self {
        let mut headers = match credential {
            Credential::Bearer(text) => json!({"Authorization": [format!("Bearer {text}")]}),
            Credential::ApiKey(text) => json!({"X-API-Key": [text]}),
            other @ Credential::Agent(..) => panic!("{other:?} is shown otherwise"),
        };
        if let Some(workspace) = workspace {
            headers["X-Workspace-ID"] = json!([workspace]);
        }
        let arn = format!("arn:aws:execute-api:us-east-1:123456789012:abc/live/{method}{path}");
        Self(json!({"type": "REQUEST", "methodArn": arn, "multiValueHeaders": headers}).to_string())
    }
}

impl Copies {
    /// Of the run's authorizer.
    pub fn of(run: &Run) -> Self {
        let own = processes::named(run.pid, "authorizer").expect("the run has an authorizer");
        Self { environment: own.environment() }
    }

    /// The command that starts one.
    pub fn command(&self) -> Command {
        let mut command = Command::new(build::local().with_file_name("authorizer"));
        command.env_clear().envs(self.environment.iter().map(|(name, value)| (name, value)));
        // The project's files are out of its reach, as on Lambda; what it logs is in nobody's way.
        command.current_dir("/").env("RUST_LOG", "off");
        command
    }

    pub async fn start(&self) -> Authorizer {
        Authorizer::start(self.command()).await
    }
}

impl Authorizer {
    pub async fn start(command: Command) -> Self {
        let instance = Instance::start(command).await.unwrap();
        let process = processes::this(instance.pid());
        Self { instance, process }
    }

    pub fn freeze(&self) {
        assert!(self.process.signal(Signal::STOP));
    }

    pub fn thaw(&self) {
        assert!(self.process.signal(Signal::CONT));
    }

    /// Asks once.
    pub async fn ask_once(&self, asked: &Asked) -> Outcome {
        let (Answer::Response(body) | Answer::Error(body)) = self.instance.invoke(asked.0.clone()).await.unwrap();
        let answer: Value = serde_json::from_slice(&body).unwrap();
        match answer["policyDocument"]["Statement"][0]["Effect"].as_str() {
            Some("Allow") => Outcome::Allowed,
            Some("Deny") => Outcome::Forbidden,
            _ => match answer["errorMessage"].as_str() {
                Some("Unauthorized") => Outcome::Unauthorized,
                Some(other) => Outcome::Unavailable(other.to_owned()),
                None => panic!("{answer}"),
            },
        }
    }

    /// Asks until there is an answer of yes or no.
    pub async fn ask(&self, asked: &Asked) -> Outcome {
        let mut outcome = self.ask_once(asked).await;
        for _ in 1..TRIES {
            if !matches!(outcome, Outcome::Unavailable(_)) {
                break;
            }
            outcome = self.ask_once(asked).await;
        }
        outcome
    }
}

/// What a program has written into a file of this folder.
pub fn written(folder: &Path, name: &str) -> Vec<Value> {
    let text = std::fs::read_to_string(folder.join(name)).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"))).collect()
}
