//! Builds the functions, all with one call of cargo, so that none is compiled while a request waits.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;

use serde::Deserialize;

use crate::failure::{Context, Failure, Result};
use crate::project::{Project, cargo, profile};

/// The line of cargo's output that says where an executable lies.
#[derive(Deserialize)]
struct Artifact {
    target: Target,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
}

/// The executables of `packages`, by package, built with the profile of this program itself.
///
/// # Errors
/// They don't compile; cargo has said why.
pub async fn functions(project: &Project, packages: &[String]) -> Result<BTreeMap<String, PathBuf>> {
    let mut command = cargo(&project.root);
    // No package is selected, so that features are those of the whole workspace, as in its tests: else everything that
    // both need would be compiled twice.
    command.args(["build", "--message-format", "json-render-diagnostics"]);
    for package in packages {
        command.args(["--bin", package]);
    }
    command.args(["--profile", profile()]);
    let output = command.stderr(Stdio::inherit()).output().await.doing(|| "running cargo build".to_owned())?;
    if !output.status.success() {
        return Err(Failure::new("the functions don't compile: see above"));
    }
    let built = executables(&String::from_utf8_lossy(&output.stdout));
    for package in packages {
        if !built.contains_key(package) {
            return Err(Failure::new(format!("cargo built no program `{package}`, which template.yaml names")));
        }
    }
    Ok(built)
}

fn executables(output: &str) -> BTreeMap<String, PathBuf> {
    output
        .lines()
        .filter_map(|line| serde_json::from_str::<Artifact>(line).ok())
        .filter(|artifact| artifact.target.kind.iter().any(|kind| kind == "bin"))
        .filter_map(|artifact| Some((artifact.target.name, artifact.executable?)))
        .collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The crates that are compiled for `selection`, each with its features; the project's own left out.
    fn tree(selection: &[&str]) -> BTreeSet<String> {
        let output = std::process::Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .args(["tree", "--offline", "--prefix", "none", "--format", "{p} [{f}]"])
            .args(selection)
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        text.lines().map(|line| line.trim_end_matches(" (*)").to_owned()).filter(|line| !line.contains("(/")).collect()
    }

    #[test]
    fn what_local_the_functions_and_the_tests_share_is_compiled_once() {
        let local = tree(&["--package", "local", "--edges", "normal,build"]);
        let functions = tree(&["--workspace", "--edges", "normal,build"]);
        let tests = tree(&["--workspace", "--edges", "normal,build,dev"]);
        let twice = |few: &BTreeSet<String>, many: &BTreeSet<String>| few.difference(many).cloned().collect::<Vec<_>>();
        assert_eq!(twice(&local, &functions), Vec::<String>::new(), "other features in `cargo run -p local`");
        assert_eq!(twice(&functions, &tests), Vec::<String>::new(), "other features in `cargo test --workspace`");
    }

    #[test]
    fn executables_are_picked_out_of_cargos_messages() {
        let output = concat!(
            r#"{"reason":"compiler-artifact","target":{"name":"domain","kind":["lib"]},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"name":"jwks","kind":["bin"]},"executable":"/t/jwks"}"#,
            "\n",
            r#"{"reason":"build-finished","success":true}"#,
        );
        assert_eq!(executables(output), [("jwks".to_owned(), PathBuf::from("/t/jwks"))].into());
    }
}
