//! Where the project's files are and what cargo knows about them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::LazyLock;

use serde::Deserialize;
use template::Template;

/// The folder of the workspace.
pub fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
}

/// A file of the workspace as text.
pub fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{path}: {error}"))
}

pub fn template() -> Template {
    Template::load(root().join("template.yaml")).unwrap()
}

/// The names of the JSON files in `events/`, sorted.
pub fn event_files() -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(root().join("events"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| Path::new(name).extension().is_some_and(|it| it == "json"))
        .collect();
    names.sort();
    names
}

#[derive(Deserialize)]
pub struct Metadata {
    pub packages: Vec<Package>,
    workspace_members: Vec<String>,
}

#[derive(Deserialize)]
pub struct Package {
    id: String,
    pub name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
    name: String,
}

/// What cargo knows: the workspace and all that it depends on, as the lock file has it.
pub fn metadata() -> &'static Metadata {
    static METADATA: LazyLock<Metadata> = LazyLock::new(|| {
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1", "--offline", "--locked"])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    });
    &METADATA
}

impl Metadata {
    /// The workspace's packages that have binaries, with those binaries' names.
    pub fn binaries(&self) -> BTreeMap<&str, Vec<&str>> {
        self.packages
            .iter()
            .filter(|package| self.workspace_members.contains(&package.id))
            .map(|package| (package.name.as_str(), package.binaries()))
            .filter(|(_, binaries)| !binaries.is_empty())
            .collect()
    }

    /// The source folder of a package.
    pub fn folder(&self, package: &str) -> &Path {
        let package = self
            .packages
            .iter()
            .find(|candidate| candidate.name == package)
            .unwrap_or_else(|| panic!("{package} is not among the dependencies"));
        package.manifest_path.parent().unwrap()
    }
}

impl Package {
    fn binaries(&self) -> Vec<&str> {
        self.targets
            .iter()
            .filter(|target| target.kind.iter().any(|kind| kind == "bin"))
            .map(|target| target.name.as_str())
            .collect()
    }
}
