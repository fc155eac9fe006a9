//! Starts cargo-lambda, which plays Lambda, and the functions.
//!
//! cargo-lambda could start the functions too, but then all would share one environment, one that dies would never be
//! started again, and each would be compiled while the first request for it waits. So it plays Lambda's interfaces
//! alone (`--only-lambda-apis`), and the warden runs the functions.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::time::Duration;

use template::Template;
use tokio::net::{TcpListener, TcpStream};

use crate::data_dir::DataDir;
use crate::environment::Setting;
use crate::failure::{Context, Failure, Result};
use crate::lambda::{Lambda, instance_name};
use crate::project::Project;
use crate::warden::{Order, Orders, Program};

/// What cargo-lambda is called in logs.
pub const CARGO_LAMBDA: &str = "cargo-lambda";
/// How long cargo-lambda may take until it listens.
const PATIENCE: Duration = Duration::from_secs(30);

/// Starts cargo-lambda on a free port and waits until it listens.
///
/// # Errors
/// It doesn't come up.
pub async fn start_cargo_lambda(
    program: &Path,
    project: &Project,
    data: &DataDir,
    orders: &Orders,
) -> Result<SocketAddr> {
    let port = free_port().await?;
    let log = data.log(CARGO_LAMBDA)?;
    let mut reports = orders.reports();
    // No CORS of its own: a function URL has none either unless the template says so.
    let arguments = format!("lambda watch --only-lambda-apis --disable-cors -A 127.0.0.1 -P {port}");
    orders.give(Order::Start(Program {
        name: CARGO_LAMBDA.to_owned(),
        executable: program.to_owned(),
        arguments: arguments.split(' ').map(str::to_owned).collect(),
        environment: None,
        folder: project.root.clone(),
        log: log.clone(),
        keep_running: false,
    }));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    tokio::select! {
        () = listens(address) => Ok(address),
        how = Orders::ended(&mut reports, CARGO_LAMBDA) => Err(ended(CARGO_LAMBDA, &how, &log)),
        () = tokio::time::sleep(PATIENCE) => {
            Err(Failure::new(format!("cargo-lambda does not listen on port {port}; its log is {}", log.display())))
        }
    }
}

/// Starts every function of the template, in this number of instances each.
///
/// # Errors
/// One has no executable, or its environment can't be made.
pub fn start(
    template: &Template,
    executables: &BTreeMap<String, PathBuf>,
    setting: &Setting,
    cargo_lambda: SocketAddr,
    data: &DataDir,
    (instances, orders): (usize, &Orders),
) -> Result<Lambda> {
    let mut timeouts = BTreeMap::new();
    for function in template.functions()? {
        let name = function.package.clone();
        let executable = executables.get(&name).ok_or_else(|| Failure::new(format!("{name} is not built")))?;
        let mut environment = setting.environment(template, &function)?;
        environment.insert("AWS_LAMBDA_RUNTIME_API".to_owned(), format!("http://{cargo_lambda}/.rt/{name}"));
        for instance in (0..instances).map(|place| instance_name(&name, place)) {
            orders.give(Order::Start(Program {
                log: data.log(&instance)?,
                name: instance,
                executable: executable.clone(),
                arguments: Vec::new(),
                environment: Some(environment.clone()),
                // Where Lambda runs them has none of the project's files either.
                folder: data.path().to_owned(),
                keep_running: true,
            }));
        }
        timeouts.insert(name, Duration::from_secs(function.timeout_seconds.into()));
    }
    Lambda::new(cargo_lambda, timeouts, instances, orders.clone())
}

/// Says that a program ended, with its last words.
#[must_use]
pub fn ended(name: &str, how: &str, log: &Path) -> Failure {
    Failure::new(format!("{name} ended ({how}). {}", last_words(log)))
}

/// The end of a log, and where it is.
#[must_use]
pub fn last_words(log: &Path) -> String {
    const LINES: usize = 15;
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let last = lines[lines.len().saturating_sub(LINES)..].join("\n");
    format!("Its last words, from {}:\n{last}", log.display())
}

async fn free_port() -> Result<u16> {
    let doing = || "taking a port for cargo-lambda".to_owned();
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.doing(doing)?;
    Ok(listener.local_addr().doing(doing)?.port())
}

async fn listens(address: SocketAddr) {
    while TcpStream::connect(address).await.is_err() {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
