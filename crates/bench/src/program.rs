//! A program of this project, built as it is deployed, and what a function's finds in its environment. (A debugging build of this
//! program takes debugging builds.)

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use local::environment::Setting;
use local::project::{cargo, profile};
use template::Template;
use testkit::ISSUER;
use tokio::process::Command;

use crate::failure::Failure;

/// Where the project lies.
pub(crate) const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// The functions that are measured as processes. They are selected together, so that what they share is compiled once.
const FUNCTIONS: [&str; 3] = ["authorizer", "jwks", "token-exchange"];

/// A function's program that can be started several times.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    path: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Program {
    /// Builds `function`, to be run on the store at `endpoint`. `master_key` wraps its signing keys, if it has any.
    ///
    /// # Errors
    /// [`Failure`] where it can't be built, or the template does not have it.
    pub(crate) async fn build(function: &str, endpoint: &str, master_key: &str) -> Result<Self, Failure> {
        let template = Template::load(Path::new(ROOT).join("template.yaml"))?;
        let functions = template.functions()?;
        let described = functions.iter().find(|it| it.package == function);
        let described = described.ok_or_else(|| Failure::Start(format!("template.yaml has no {function}")))?;
        let setting = Setting {
            base_url: ISSUER.to_owned(),
            master_key: master_key.to_owned(),
            store: endpoint.to_owned(),
            signing_algorithm: None,
            allow_loopback_webhooks: false,
            // Whom this machine trusts may be a folder of a hundred authorities, and how much it logs is its own affair.
            surroundings: BTreeMap::new(),
        };
        let environment = setting.environment(&template, described);
        let environment = environment.map_err(|error| Failure::Start(error.to_string()))?;
        Ok(Self { path: build(&FUNCTIONS, &[function]).await?.join(function), environment })
    }

    /// The same with a variable more, or another value of one.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    /// The same on another store.
    pub(crate) fn on(self, endpoint: &str) -> Self {
        self.with("AWS_ENDPOINT_URL_DYNAMODB", endpoint)
    }

    /// Starts it with the environment that the template gives it, and no other.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        command.env_clear().envs(&self.environment).stderr(Stdio::null());
        command
    }
}

/// Builds all functions at once: faster than one after another.
pub(crate) async fn build_functions() -> Result<(), Failure> {
    build(&FUNCTIONS, &FUNCTIONS).await.map(|_| ())
}

/// Builds what functions are compared with, in the order of their names.
pub(crate) async fn build_floor<const PROGRAMS: usize>(
    programs: [&str; PROGRAMS],
) -> Result<[PathBuf; PROGRAMS], Failure> {
    let folder = build(&["floor"], &programs).await?;
    Ok(programs.map(|program| folder.join(program)))
}

/// Builds `local` with the profile of this program, as it builds the functions then.
pub(crate) async fn build_local() -> Result<PathBuf, Failure> {
    let this = std::env::current_exe()?;
    let mut cargo = cargo(Path::new(ROOT));
    cargo.args(["build", "--locked", "--quiet", "--bin", "local", "--profile", profile()]);
    if !cargo.status().await?.success() {
        return Err(Failure::Start("local does not compile".to_owned()));
    }
    Ok(this.with_file_name("local"))
}

/// Builds programs of packages, with one call of cargo so that they are linked at the same time; the folder where they lie.
async fn build(packages: &[&str], programs: &[&str]) -> Result<PathBuf, Failure> {
    let this = std::env::current_exe()?;
    let unknown = || Failure::Start(format!("{} does not lie where cargo builds programs", this.display()));
    let folder = this.parent().ok_or_else(unknown)?;
    let target = folder.parent().ok_or_else(unknown)?;
    let mut cargo = cargo(Path::new(ROOT));
    cargo.args(["build", "--locked", "--quiet"]);
    cargo.args(programs.iter().flat_map(|program| ["--bin", program]));
    let folder = if folder.ends_with("debug") {
        // As in the workspace's tests, or else everything would be compiled twice.
        target.join("debug")
    } else {
        // As what is deployed, however this program itself was built: with these packages selected, features are their own.
        cargo.args(packages.iter().flat_map(|package| ["--package", package])).arg("--release");
        target.join("release")
    };
    let status = cargo.env("CARGO_TARGET_DIR", target).status().await?;
    if !status.success() {
        return Err(Failure::Start(format!("{} do not compile", programs.join(", "))));
    }
    Ok(folder)
}
