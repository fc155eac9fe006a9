//! A function's program, built as this one was, and what it finds in its environment.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use local::environment::Setting;
use local::project::cargo;
use template::Template;
use testkit::ISSUER;
use tokio::process::Command;

use crate::failure::Failure;

/// Where the project lies.
const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");

/// A program that can be started several times.
pub(crate) struct Program {
    path: PathBuf,
    environment: BTreeMap<String, String>,
}

impl Program {
    /// Builds `function`, to be run on the store at `endpoint`.
    ///
    /// # Errors
    /// [`Failure`] where it can't be built, or the template does not have it.
    pub(crate) async fn build(function: &str, endpoint: &str) -> Result<Self, Failure> {
        let template = Template::load(Path::new(ROOT).join("template.yaml"))?;
        let functions = template.functions()?;
        let described = functions.iter().find(|it| it.package == function);
        let described = described.ok_or_else(|| Failure::Start(format!("template.yaml has no {function}")))?;
        let setting = Setting {
            base_url: ISSUER.to_owned(),
            master_key: String::new(),
            store: endpoint.to_owned(),
            signing_algorithm: None,
            allow_loopback_webhooks: false,
        };
        let environment = setting.environment(&template, described);
        let environment = environment.map_err(|error| Failure::Start(error.to_string()))?;
        Ok(Self { path: build(function).await?, environment })
    }

    /// Starts it with the environment that the template gives it, and no other.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(&self.path);
        // A line for each refusal would be most of what there is to read.
        command.env_clear().envs(&self.environment).env("RUST_LOG", "error");
        command
    }
}

async fn build(package: &str) -> Result<PathBuf, Failure> {
    let this = std::env::current_exe()?;
    let unknown = || Failure::Start(format!("{} does not lie where cargo builds programs", this.display()));
    let folder = this.parent().ok_or_else(unknown)?;
    let (target, profile) = (folder.parent().ok_or_else(unknown)?, folder.file_name().ok_or_else(unknown)?);
    let mut cargo = cargo(Path::new(ROOT));
    cargo.args(["build", "--locked", "--quiet", "--bin", package, "--profile"]);
    // The folder of the profile `dev` is called otherwise.
    cargo.arg(if profile == "debug" { "dev".as_ref() } else { profile });
    let status = cargo.env("CARGO_TARGET_DIR", target).status().await?;
    if !status.success() {
        return Err(Failure::Start(format!("{package} does not compile")));
    }
    Ok(folder.join(package))
}
