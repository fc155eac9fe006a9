//! What a user would pick instead: authorizers that verify one ES256 token by a JWK set which they fetch, and a token server.
//! Their sources lie in `peers/`, the one in Rust in the crate `floor`.

use std::path::PathBuf;
use std::process::Stdio;

use axum::body::Bytes;
use serde_json::Value;
use signing::Algorithm;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};

use crate::compare::install::Installed;
use crate::compare::setting::{JWK_SET, Setting};
use crate::compare::subject::{Expected, Subject, patiently};
use crate::compare::warm::Warm;
use crate::failure::Failure;

/// The peers that are warm.
pub(super) async fn warm(setting: &Setting) -> Result<Vec<Warm>, Failure> {
    let mut all = Vec::new();
    for subject in cold(setting)? {
        all.push(Warm::function(subject, None).await?);
    }
    if let Some(installed) = &setting.peers {
        all.push(Warm::server("oidc-provider", TokenServer::start(installed).await?));
    }
    Ok(all)
}

/// The peers that are cold: all but the server. The one in Rust needs no installation.
pub(super) fn cold(setting: &Setting) -> Result<Vec<Subject>, Failure> {
    let event = setting.fixture.token_event(Algorithm::Es256)?;
    let subject = |name, start: Box<dyn Fn() -> Command>, event: &Bytes| Subject {
        name,
        start,
        event: event.clone(),
        expected: Expected::Allow,
    };
    let environment = environment(setting);
    let peer = |program: PathBuf, arguments: Vec<String>, folder: PathBuf| {
        let environment = environment.clone();
        Box::new(move || {
            let mut command = Command::new(&program);
            command.args(&arguments).current_dir(&folder).env_clear().envs(environment.clone());
            command.env("LAMBDA_TASK_ROOT", &folder).stdout(Stdio::null()).stderr(Stdio::null());
            command
        })
    };
    let rust = || peer(setting.programs.jsonwebtoken.clone(), Vec::new(), PathBuf::from("/"));
    let (many, one) = (rust(), rust());
    let one_thread = Box::new(move || {
        let mut command = one();
        command.env("PEER_ONE_THREAD", "1");
        command
    });
    let mut all = vec![
        subject("Rust, jsonwebtoken", many, &event),
        subject("Rust, jsonwebtoken, one thread", one_thread, &event),
    ];
    if let Some(installed) = &setting.peers {
        let node = |module: &str| {
            let client = installed.node.join("node_modules/aws-lambda-ric/bin/index.mjs").display().to_string();
            peer("node".into(), vec![client, format!("{module}.handler")], installed.node.clone())
        };
        let arguments = ["-m", "awslambdaric", "authorizer.handler"].map(str::to_owned).to_vec();
        let python = peer(installed.python_program(), arguments, installed.python.clone());
        all.push(subject("Node, aws-jwt-verify", node("aws-jwt-verify"), &event));
        all.push(subject("Node, jose", node("jose"), &event));
        all.push(subject("Python, PyJWT", python, &event));
    }
    Ok(all)
}

/// What peers are told: whom to believe, and where the keys are, with their server's authority for each language.
fn environment(setting: &Setting) -> Vec<(String, String)> {
    let [root, roots] = setting.jwk_set_roots();
    let key = &setting.fixture.key.record;
    let path = std::env::var("PATH").unwrap_or_default();
    let settings = [
        ("PATH", path),
        ("ISSUER", testkit::ISSUER.to_owned()),
        ("AUDIENCE", key.client_id.to_string()),
        ("JWKS_URI", setting.jwk_set.url(JWK_SET)),
        ("NODE_EXTRA_CA_CERTS", root.display().to_string()),
        ("SSL_CERT_FILE", roots.display().to_string()),
        ("AWS_LAMBDA_FUNCTION_NAME", "measured".to_owned()),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST".to_owned()),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256".to_owned()),
        ("AWS_REGION", "us-east-1".to_owned()),
    ];
    settings.map(|(name, value)| (name.to_owned(), value)).to_vec()
}

/// `oidc-provider`, asked for tokens by HTTP.
pub(super) struct TokenServer {
    pid: u32,
    url: String,
    http: reqwest::Client,
    _child: Child,
}

impl TokenServer {
    async fn start(installed: &Installed) -> Result<Self, Failure> {
        const NAME: &str = "oidc-provider";
        let ended = || Failure::Ended(NAME.to_owned());
        let mut command = Command::new("node");
        command.arg("oidc-provider.mjs").current_dir(&installed.node).env("NODE_ENV", "production");
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn()?;
        let pid = child.id().ok_or_else(ended)?;
        let mut lines = BufReader::new(child.stdout.take().ok_or_else(ended)?).lines();
        let port = patiently(NAME, async { lines.next_line().await?.ok_or_else(ended) }).await?;
        Ok(Self { pid, url: format!("http://127.0.0.1:{port}/token"), http: reqwest::Client::new(), _child: child })
    }

    pub(super) fn pid(&self) -> u32 {
        self.pid
    }

    /// Asks for a token; it must be a JWT.
    pub(super) async fn token(&self) -> Result<(), Failure> {
        let wrong = |reason: String| Failure::Answer { call: "oidc-provider", reason };
        let request = self
            .http
            .post(&self.url)
            .basic_auth("measured", Some("measured-client-secret"))
            .header("content-type", "application/x-www-form-urlencoded")
            .body("grant_type=client_credentials&scope=read");
        let answer = request.send().await.map_err(|error| wrong(error.to_string()))?;
        let body = answer.bytes().await.map_err(|error| wrong(error.to_string()))?;
        let body: Value = serde_json::from_slice(&body).map_err(|error| wrong(error.to_string()))?;
        let is_jwt = body["access_token"].as_str().is_some_and(|token| token.split('.').count() == 3);
        if is_jwt { Ok(()) } else { Err(wrong(body.to_string())) }
    }
}
