//! Gets cargo-lambda, which plays Lambda's own interfaces: into `target/`, once.

use std::fs::File;
use std::io::ErrorKind;
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

    let with_python = step("Getting cargo-lambda from PyPI", install_with_python(&home, &program)).await;
    if let Err(reason) = with_python {
        say(format!("  that didn't work: {reason}"));
        step("Building cargo-lambda from source, which takes some minutes", install_with_cargo(project, &home)).await?;
    }
    check(&program).await?;
    Ok(program)
}

/// Whether it runs. That its folder is there says nothing: an installation may have been cut off at any point.
async fn answers(program: &Path) -> bool {
    let output =
        Command::new(program).args(["lambda", "--version"]).stdin(Stdio::null()).kill_on_drop(true).output().await;
    output.is_ok_and(|it| it.status.success() && String::from_utf8_lossy(&it.stdout).contains(VERSION))
}

async fn check(program: &Path) -> Result<()> {
    if answers(program).await {
        return Ok(());
    }
    Err(Failure::new(format!("{} doesn't run, or is not version {VERSION}", program.display())))
}

/// Removes what an earlier installation left, whole or not.
fn clear(home: &Path) -> Result<()> {
    match std::fs::remove_dir_all(home) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(Failure::new(format!("removing {}: {error}", home.display())))
        }
        _ => Ok(()),
    }
}

async fn install_with_python(home: &Path, program: &Path) -> Result<()> {
    clear(home)?;
    run(Command::new("python3").args(["-m", "venv"]).arg(home)).await?;
    // Without its dependencies: the one it names, zig, is for cross-compiling.
    let package = format!("cargo-lambda=={VERSION}");
    run(Command::new(home.join("bin/python")).args(["-m", "pip", "install", "--quiet", "--no-deps", &package])).await?;
    // A build for another C library installs well and doesn't run.
    check(program).await
}

async fn install_with_cargo(project: &Project, home: &Path) -> Result<()> {
    clear(home)?;
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

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// A file where cargo-lambda belongs, as an installation may leave it.
    fn left_behind(content: &str, mode: u32) -> (tempfile::TempDir, PathBuf) {
        let home = tempfile::tempdir().unwrap();
        let program = home.path().join("cargo-lambda");
        std::fs::write(&program, content).unwrap();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(mode)).unwrap();
        (home, program)
    }

    #[tokio::test]
    async fn only_a_program_that_runs_and_is_this_version_counts_as_installed() {
        let whole = format!("#!/bin/sh\necho cargo-lambda {VERSION}\n");
        let (_home, program) = left_behind(&whole, 0o755);
        assert!(answers(&program).await);
        for (what, content, mode) in [
            ("is not executable", whole.as_str(), 0o644),
            ("is empty", "", 0o755),
            ("is cut off", "\u{7f}ELF", 0o755),
            ("fails", &format!("{whole}exit 1\n"), 0o755),
            ("is another version", "#!/bin/sh\necho cargo-lambda 1.8.6\n", 0o755),
        ] {
            let (home, program) = left_behind(content, mode);
            assert!(!answers(&program).await, "one that {what}");
            assert!(!answers(&home.path().join("nothing")).await);
        }
    }

    #[test]
    fn what_was_left_half_made_is_removed_first() {
        let parent = tempfile::tempdir().unwrap();
        let home = parent.path().join("venv");
        clear(&home).unwrap();
        std::fs::create_dir_all(home.join("bin")).unwrap();
        std::fs::write(home.join("pyvenv.cfg"), "x").unwrap();
        clear(&home).unwrap();
        assert!(!home.exists());
    }
}
