//! The programs under test.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::{Once, folders, step};
use crate::project;

/// Where cargo builds: the folder that this test itself was built in.
pub fn target() -> &'static Path {
    Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap()
}

/// The program `local`, built together with the functions, so that it finds them built.
///
/// Cargo does not build other packages' programs for a test. It has let go of its lock by the time tests run.
pub fn local() -> &'static Path {
    static LOCAL: Once<PathBuf> = Once::new();
    LOCAL.get(|| {
        step("building the programs", || folders::alone(build));
        let profile = if cfg!(debug_assertions) { "debug" } else { "release" };
        target().join(profile).join("local")
    })
}

fn build() {
    let mut command = without_this_package(env!("CARGO"));
    // No package is selected, as `local` selects none: features are those of the whole workspace.
    command.args(["build", "--locked", "--quiet", "--bin", "local"]);
    for function in project::template().functions().unwrap() {
        command.args(["--bin", &function.package]);
    }
    if !cfg!(debug_assertions) {
        command.arg("--release");
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// A command that is not told what cargo tells this test about its own package: build scripts would be run again for
/// it, and with them all that depends on them.
pub fn without_this_package(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(project::root()).env("CARGO_TARGET_DIR", target());
    for (name, _) in std::env::vars_os() {
        let is_about_a_package = name.to_str().is_some_and(|name| {
            ["CARGO_PKG_", "CARGO_BIN_", "CARGO_MANIFEST_", "CARGO_CFG_"].iter().any(|it| name.starts_with(it))
                || ["CARGO_CRATE_NAME", "CARGO_PRIMARY_PACKAGE", "OUT_DIR"].contains(&name)
        });
        if is_about_a_package {
            command.env_remove(name);
        }
    }
    command
}
