//! Where the project lies.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde::Deserialize;
use tokio::process::Command;

use crate::failure::{Context, Failure, Result};

/// The checkout that this program runs.
#[derive(Clone, Debug)]
pub struct Project {
    /// The folder with `template.yaml`.
    pub root: PathBuf,
    /// Where cargo puts what it builds.
    pub target: PathBuf,
}

#[derive(Deserialize)]
struct Metadata {
    target_directory: PathBuf,
}

impl Project {
    /// Finds the project around the current directory, or else where this program was built.
    ///
    /// # Errors
    /// Neither has a `template.yaml`, or cargo doesn't answer.
    pub async fn find() -> Result<Self> {
        let current = std::env::current_dir().doing(|| "reading the current directory".to_owned())?;
        let built_from = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."));
        let root = root_above(&current).or_else(|| root_above(built_from)).ok_or_else(|| {
            Failure::new("there is no template.yaml here or in a folder above: start this in the project")
        })?;
        let root = root.canonicalize().doing(|| format!("reading {}", root.display()))?;

        let output = cargo(&root)
            .args(["metadata", "--no-deps", "--format-version", "1"])
            .stderr(Stdio::inherit())
            .output()
            .await
            .doing(|| "running cargo metadata".to_owned())?;
        let metadata: Metadata =
            serde_json::from_slice(&output.stdout).doing(|| "reading cargo metadata".to_owned())?;
        Ok(Self { root, target: metadata.target_directory })
    }
}

fn root_above(folder: &Path) -> Option<PathBuf> {
    folder.ancestors().find(|folder| is_root(folder)).map(Path::to_owned)
}

fn is_root(folder: &Path) -> bool {
    folder.join("template.yaml").is_file() && folder.join("Cargo.toml").is_file()
}

/// The profile that this program was built with.
#[must_use]
pub fn profile() -> &'static str {
    let program = std::env::current_exe().ok();
    let folder = program.as_deref().and_then(Path::parent).and_then(Path::file_name);
    if cfg!(debug_assertions) {
        "dev"
    } else if folder.is_some_and(|folder| folder == "bench-fast") {
        "bench-fast"
    } else {
        "release"
    }
}

/// Cargo, as if it had been started from a shell: what the cargo that runs this program tells it about `local` would
/// otherwise be told to every build script, and make cargo build things again.
#[must_use]
pub fn cargo(root: &Path) -> Command {
    let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(program);
    command.current_dir(root).kill_on_drop(true).stdin(Stdio::null());
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(is_about_one_package) {
            command.env_remove(name);
        }
    }
    command
}

fn is_about_one_package(name: &str) -> bool {
    const PREFIXES: [&str; 4] = ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_CFG_"];
    const NAMES: [&str; 5] = ["CARGO", "CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR", "CARGO_TARGET_TMPDIR"];
    PREFIXES.iter().any(|prefix| name.starts_with(prefix)) || NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_project_is_found_from_any_folder_in_it() {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        assert_eq!(root_above(&here.join("src")), here.parent().and_then(Path::parent).map(Path::to_owned));
        assert_eq!(root_above(Path::new("/")), None);
    }

    #[test]
    fn cargo_is_not_told_about_this_package() {
        assert!(is_about_one_package("CARGO_PKG_NAME") && is_about_one_package("CARGO_MANIFEST_DIR"));
        assert!(!is_about_one_package("CARGO_TARGET_DIR") && !is_about_one_package("CARGO_HOME"));
    }
}
