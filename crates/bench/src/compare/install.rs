//! Puts the peers that are not in Rust under `target/bench/`: their sources, and what their lock files name. What is there
//! already, of the same lock files, is taken as it is.

use std::path::{Path, PathBuf};
use std::process::Stdio;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use tokio::process::Command;

use crate::failure::Failure;
use crate::program::ROOT;

/// Where the sources lie.
pub const SOURCES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
/// The file that says of which lock files an installation is.
const STAMP: &str = "installed";
/// `aws-lambda-ric` compiles C and C++ where it is installed.
const NEEDS: &str =
    "needs npm, cmake, autoconf, automake, libtool, make and a C++ compiler (Debian's packages of these names)";

/// Where they lie.
pub(super) struct Installed {
    pub(super) node: PathBuf,
    pub(super) python: PathBuf,
}

impl Installed {
    /// Python with its packages.
    pub(super) fn python_program(&self) -> PathBuf {
        self.python.join("venv/bin/python")
    }
}

/// Installs them.
pub(super) async fn peers() -> Result<Installed, Failure> {
    let target = Path::new(ROOT).canonicalize()?.join("target/bench");
    let (node, python) = (target.join("node"), target.join("python"));
    if let Some(digest) = copy("node", &node)? {
        run("npm", &["ci", "--ignore-scripts", "--no-audit", "--no-fund"], &node).await?;
        // Its scripts alone, and with the headers of this Node rather than those that would be fetched for it.
        run("npm", &["rebuild", "aws-lambda-ric", "--ignore-scripts=false"], &node)
            .await
            .map_err(|failure| Failure::Start(format!("{failure}; aws-lambda-ric {NEEDS}")))?;
        std::fs::write(node.join(STAMP), digest)?;
    }
    if let Some(digest) = copy("python", &python)? {
        run("python3", &["-m", "venv", "--clear", "venv"], &python).await?;
        let pip =
            ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", "requirements.txt"];
        run("venv/bin/python", &pip, &python).await?;
        std::fs::write(python.join(STAMP), digest)?;
    }
    Ok(Installed { node, python })
}

/// Copies the sources; `None` where what is there is of the same lock files.
fn copy(language: &str, to: &Path) -> Result<Option<String>, Failure> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(Path::new(SOURCES).join(language))?
        .map(|entry| Ok(entry?.path()))
        .collect::<Result<_, Failure>>()?;
    files.sort();
    std::fs::create_dir_all(to)?;
    let mut digest = Sha256::new();
    for file in &files {
        let (name, content) = (file.file_name().unwrap_or_default(), std::fs::read(file)?);
        // The sources themselves need no installation.
        if file.extension().is_some_and(|kind| kind == "json" || kind == "txt") {
            digest.update(name.as_encoded_bytes());
            digest.update(&content);
        }
        std::fs::write(to.join(name), content)?;
    }
    let digest = URL_SAFE_NO_PAD.encode(digest.finalize());
    let installed = std::fs::read_to_string(to.join(STAMP)).is_ok_and(|stamp| stamp == digest);
    Ok((!installed).then_some(digest))
}

async fn run(program: &str, arguments: &[&str], folder: &Path) -> Result<(), Failure> {
    let line = format!("{program} {}", arguments.join(" "));
    let mut command = Command::new(if program.contains('/') { folder.join(program) } else { program.into() });
    command.args(arguments).current_dir(folder).stdin(Stdio::null()).env("npm_config_nodedir", "/usr");
    // What it says matters only where it fails.
    let output = command.output().await.map_err(|error| Failure::Start(format!("{line}: {error}")))?;
    if output.status.success() {
        return Ok(());
    }
    let said = [output.stdout, output.stderr].map(|text| String::from_utf8_lossy(&text).into_owned()).concat();
    let end: Vec<&str> = said.lines().rev().take(20).collect();
    let end: Vec<&str> = end.into_iter().rev().collect();
    Err(Failure::Start(format!("{line} failed:\n{}", end.join("\n"))))
}
