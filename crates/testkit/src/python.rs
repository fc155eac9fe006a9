//! Programs written in Python that tests need, from its package index.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The Python of a virtual environment in `folder` that has what `requirements`, a file, asks for. It is made at the
/// first call, and anew where the file or this machine's Python has changed; of several callers at once, in whichever
/// process, one does it.
#[must_use]
pub fn python(folder: &Path, requirements: &Path) -> PathBuf {
    let program = folder.join("bin/python");
    let stamp = folder.join("installed");
    std::fs::create_dir_all(folder).unwrap();
    let lock = File::create(folder.with_extension("lock")).unwrap();
    lock.lock().unwrap();
    let version = run(Command::new("python3").args(["-c", "import sys; print(sys.base_prefix, sys.version)"]));
    let wanted = format!("{version}{}", std::fs::read_to_string(requirements).unwrap());
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return program;
    }
    run(Command::new("python3").args(["-m", "venv", "--clear"]).arg(folder));
    let pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"];
    run(Command::new(&program).args(pip).arg(requirements));
    // Last: an installation that was cut off has none.
    std::fs::write(&stamp, wanted).unwrap();
    program
}

fn run(command: &mut Command) -> String {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
