//! Gets cargo-lambda, which plays Lambda's own interfaces: into `target/`, once.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use tokio::process::Command;

use crate::failure::{Context, Failure, Result};
use crate::progress::{say, step};
use crate::project::{Project, cargo};

/// The version that this project is tried with.
const VERSION: &str = "1.9.2";

/// The program, after getting it where it isn't there yet.
///
/// # Errors
/// Neither Python's nor Rust's package index gives it.
pub async fn get(project: &Project) -> Result<PathBuf> {
    let home = project.target.join(format!("cargo-lambda-{VERSION}"));
    let program = home.join("bin/cargo-lambda");
    if answers(&program).await {
        return Ok(program);
    }
    // Two runs on a new checkout must not install into the same folder at once.
    std::fs::create_dir_all(&project.target).doing(|| format!("making {}", project.target.display()))?;
    let lock = home.with_extension("lock");
    let lock = File::create(&lock).doing(|| format!("making {}", lock.display()))?;
    tokio::task::spawn_blocking(move || lock.lock().map(|()| lock))
        .await
        .doing(|| "waiting for another run to get cargo-lambda".to_owned())?
        .doing(|| "waiting for another run to get cargo-lambda".to_owned())?;
    if answers(&program).await {
        return Ok(program);
    }

    let with_python = step("Getting cargo-lambda from PyPI", install_with_python(&home)).await;
    if let Err(reason) = with_python {
        say(format!("  that didn't work: {reason}"));
        step("Building cargo-lambda from source, which takes some minutes", install_with_cargo(project, &home)).await?;
    }
    if answers(&program).await {
        Ok(program)
    } else {
        Err(Failure::new(format!("{} doesn't run, or is not version {VERSION}", program.display())))
    }
}

async fn answers(program: &Path) -> bool {
    let output =
        Command::new(program).args(["lambda", "--version"]).stdin(Stdio::null()).kill_on_drop(true).output().await;
    output.is_ok_and(|output| String::from_utf8_lossy(&output.stdout).contains(VERSION))
}

async fn install_with_python(home: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(home);
    run(Command::new("python3").args(["-m", "venv"]).arg(home)).await?;
    // Without its dependencies: the one it names, zig, is for cross-compiling.
    let package = format!("cargo-lambda=={VERSION}");
    run(Command::new(home.join("bin/python")).args(["-m", "pip", "install", "--quiet", "--no-deps", &package])).await
}

async fn install_with_cargo(project: &Project, home: &Path) -> Result<()> {
    let _ = std::fs::remove_dir_all(home);
    let status = cargo(&project.root)
        .args(["install", "--locked", "cargo-lambda", "--version", VERSION, "--root"])
        .arg(home)
        .status()
        .await
        .doing(|| "running cargo install".to_owned())?;
    if status.success() { Ok(()) } else { Err(Failure::new(format!("cargo install cargo-lambda: {status}"))) }
}

async fn run(command: &mut Command) -> Result<()> {
    let name = command.as_std().get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).kill_on_drop(true).output().await.doing(|| format!("starting {name}"))?;
    if output.status.success() {
        return Ok(());
    }
    let words = String::from_utf8_lossy(&output.stderr).trim().to_owned();
    Err(Failure::new(format!("{name}: {}\n{words}", output.status)))
}
