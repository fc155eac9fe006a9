//! The order of things: what needs nothing first, callers last.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use domain::Timestamp;
use embedded::Embedded;
use template::Template;
use tokio::sync::broadcast::error::RecvError;

use crate::args::Options;
use crate::data_dir::{DataDir, MASTER_KEY};
use crate::environment::{self, Setting};
use crate::failure::{Context, Failure, Result};
use crate::functions::{self, CARGO_LAMBDA};
use crate::gateway::Gateway;
use crate::gateway::server::Door;
use crate::progress::{say, step, warn};
use crate::project::Project;
use crate::warden::{Orders, Report, TOOK_TOO_LONG, Warden};
use crate::welcome::{Functions, welcome, write_sample_event};
use crate::{cargo_lambda, clock, compile, schedule, seed, signals};

/// DynamoDB takes up to two days to delete what has expired; here it is a minute. Nothing may rely on either.
const SWEEP_EVERY: Duration = Duration::from_mins(1);

/// The function that exchanges keys: the one that must be able to sign.
const EXCHANGER: &str = "token-exchange";

/// Runs everything until a signal comes.
///
/// # Errors
/// Something doesn't come up, or doesn't stay up.
pub async fn run(options: Options) -> Result<()> {
    // Taken first: a port that isn't free need not wait for a build to be told.
    let door = Door::new(options.port).await?;
    let mut stop = std::pin::pin!(signals::stop());
    let prepared = tokio::select! {
        prepared = prepare(&options) => prepared?,
        () = &mut stop => return Ok(()),
    };
    let warden = Warden::start()?;
    let outcome = tokio::select! {
        outcome = serve(&options, &door, &prepared, &warden) => outcome,
        () = &mut stop => Ok(()),
    };
    say("Stopping ...");
    // While the store still answers: what functions have counted goes there.
    warden.stop().await;
    outcome
}

/// What is there before the first process is started.
struct Prepared {
    project: Project,
    template: Template,
    data: DataDir,
    master_key: String,
    cargo_lambda: std::path::PathBuf,
    executables: std::collections::BTreeMap<String, std::path::PathBuf>,
    store: Arc<Embedded>,
}

async fn prepare(options: &Options) -> Result<Prepared> {
    let project = Project::find().await?;
    let template = Template::load(project.root.join("template.yaml"))?;
    let data_dir = options.data_dir.clone().unwrap_or_else(|| project.root.join(".keygate"));
    let data = DataDir::open(&data_dir, options.fresh)?;
    // Before the store's file is made: a file without the key means that the key is lost.
    let master_key = data.master_key()?;
    let cargo_lambda = cargo_lambda::get(&project).await?;
    let packages: Vec<String> = template.functions()?.into_iter().map(|function| function.package).collect();
    let executables = step("Building the functions", compile::functions(&project, &packages)).await?;
    let store = step("Opening the store", open_store(&data.database()?, &template)).await?;
    Ok(Prepared { project, template, data, master_key, cargo_lambda, executables, store })
}

/// A write is in the file's write-ahead log before it is answered, so an answered write outlives `kill -9`.
async fn open_store(file: &Path, template: &Template) -> Result<Arc<Embedded>> {
    let store = Embedded::start(Some(file), template).await.doing(|| format!("opening {}", file.display()))?;
    let store = Arc::new(store);
    let swept = Arc::clone(&store);
    tokio::spawn(async move {
        loop {
            tokio::time::sleep(SWEEP_EVERY).await;
            let store = Arc::clone(&swept);
            let _ = tokio::task::spawn_blocking(move || store.sweep().map_err(|error| warn(error.to_string()))).await;
        }
    });
    Ok(store)
}

async fn serve(options: &Options, door: &Door, prepared: &Prepared, warden: &Warden) -> Result<()> {
    let Prepared { project, template, data, store, .. } = prepared;
    let setting = Setting {
        base_url: format!("http://127.0.0.1:{}", door.port),
        master_key: prepared.master_key.clone(),
        store: store.endpoint(),
        signing_algorithm: std::env::var("KEYGATE_SIGNING_ALGORITHM").ok().filter(|name| !name.is_empty()),
        allow_loopback_webhooks: options.allow_loopback_webhooks,
        surroundings: environment::surroundings(),
    };
    let orders = warden.orders();
    let cargo_lambda =
        step("Starting cargo-lambda", functions::start_cargo_lambda(&prepared.cargo_lambda, project, data, &orders))
            .await?;

    let mut troubles = orders.reports();
    let lambda =
        functions::start(template, &prepared.executables, &setting, cargo_lambda, data, (options.instances, &orders))?;
    let lambda = Arc::new(lambda);
    let gateway = Arc::new(Gateway::new(template, &setting.base_url, Arc::clone(&lambda))?);
    let now = Timestamp::from_unix(clock::now().as_second());
    let demo = seed::demo(&seed::connect(&setting.store), &data.demo(), &setting.base_url, now).await?;
    let starting = async {
        gateway.warm_up(template, door.port).await?;
        gateway.try_exchange(&demo.api_key, door.port).await.map_err(|failure| no_tokens(&failure, data))
    };
    let starting = async {
        tokio::select! {
            started = starting => started,
            failure = first_end(&mut troubles, data) => Err(failure),
        }
    };
    step("Starting the functions", starting).await?;
    schedule::start(template, &lambda)?;

    // Whoever waits for the door to open finds everything there.
    let functions = Functions::new(template, cargo_lambda)?;
    functions.write(data)?;
    let event = write_sample_event(project, data, &demo)?;
    door.open(Arc::clone(&gateway));
    welcome(&demo, &functions, &prepared.cargo_lambda, &event, data);
    watch(&orders, warden).await
}

/// All is up, but what Keygate is for doesn't work.
fn no_tokens(failure: &Failure, data: &DataDir) -> Failure {
    Failure::new(format!(
        "{EXCHANGER} runs, but gives no tokens: {failure}\n\
         Where {} is not the one that this data directory was made with, restore it, or start anew with --fresh.\n{}",
        data.path().join(MASTER_KEY).display(),
        functions::last_words(&data.log_of(EXCHANGER))
    ))
}

/// A function that ends while it starts ends the run: it has said why, and would only do it again.
async fn first_end(reports: &mut tokio::sync::broadcast::Receiver<Report>, data: &DataDir) -> Failure {
    loop {
        match reports.recv().await {
            // A busy machine: it is started again, and tried again.
            Ok(Report::Ended { how, .. }) if how == TOOK_TOO_LONG => {}
            Ok(Report::Ended { name, how }) => return functions::ended(&name, &how, &data.log_of(&name)),
            Ok(Report::Started { .. }) | Err(RecvError::Lagged(_)) => {}
            Err(RecvError::Closed) => return Failure::new("the process that looks after the functions is gone"),
        }
    }
}

/// Tells of functions that die, until something ends without which nothing works.
async fn watch(orders: &Orders, warden: &Warden) -> Result<()> {
    let mut reports = orders.reports();
    loop {
        let report = tokio::select! {
            report = reports.recv() => report,
            () = warden.gone() => return Err(Failure::new("the process that looks after the functions is gone")),
        };
        match report {
            Ok(Report::Ended { name, how }) if name == CARGO_LAMBDA => {
                return Err(Failure::new(format!("cargo-lambda ended: {how}")));
            }
            Ok(Report::Ended { name, how }) => warn(format!("{name} ended ({how}) and is started again")),
            Ok(Report::Started { .. }) | Err(_) => {}
        }
    }
}
