//! Node, Python and curl, with the packages that the tests ask for, installed by themselves.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::Value;

use super::{Once, folders, step};
use crate::project;

/// A file of `tests/clients`.
pub fn source(path: &str) -> String {
    project::read(&format!("tests/clients/{path}"))
}

/// A document's own code with `changes` made, each of which must be there to be made.
pub fn document(path: &str, changes: &[(&str, &str)]) -> String {
    changes.iter().fold(source(path), |text, (from, to)| {
        assert!(text.contains(from), "there is no `{from}` in {path}");
        text.replace(from, to)
    })
}

/// A folder with Node packages; scripts in it can import them.
fn node() -> &'static Path {
    static FOLDER: Once<PathBuf> = Once::new();
    FOLDER.get(|| {
        let folder = folders::kept("node");
        folders::alone(|| {
            let lock = source("node/package-lock.json");
            install(&folder, &lock, "installing the Node clients", || {
                for file in ["package.json", "package-lock.json"] {
                    std::fs::write(folder.join(file), source(&format!("node/{file}"))).unwrap();
                }
                let mut npm = Command::new("npm");
                npm.args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"]).current_dir(&folder);
                succeed(&mut npm);
            });
        });
        folder
    })
}

/// The Python of a virtual environment with the packages.
fn python() -> &'static Path {
    static PROGRAM: Once<PathBuf> = Once::new();
    PROGRAM.get(|| {
        let folder = folders::kept("python");
        let program = folder.join("bin/python");
        folders::alone(|| {
            let requirements = source("python/requirements.txt");
            install(&folder, &requirements, "installing the Python clients", || {
                succeed(Command::new("python3").args(["-m", "venv", "--clear"]).arg(&folder));
                let mut pip = Command::new(&program);
                pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement"]);
                succeed(pip.arg(project::root().join("tests/clients/python/requirements.txt")));
            });
        });
        program
    })
}

/// Does `work` unless it was done for the same `wanted`.
fn install(folder: &Path, wanted: &str, what: &str, work: impl FnOnce()) {
    let stamp = folder.join("installed");
    if std::fs::read_to_string(&stamp).is_ok_and(|there| there == wanted) {
        return;
    }
    let _ = std::fs::remove_file(&stamp);
    step(what, work);
    std::fs::write(&stamp, wanted).unwrap();
}

fn succeed(command: &mut Command) {
    let output = command.stdin(Stdio::null()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(output.status.success(), "{command:?}\n{}", String::from_utf8_lossy(&output.stderr));
}

/// What a client printed.
#[derive(Debug)]
pub struct Printed {
    pub text: String,
    pub error: String,
    pub succeeded: bool,
}

impl Printed {
    /// The output of a client that must have succeeded.
    #[track_caller]
    pub fn expect(self) -> String {
        assert!(self.succeeded, "{}{}", self.text, self.error);
        self.text
    }

    /// The same, as JSON.
    #[track_caller]
    pub fn json(self) -> Value {
        let text = self.expect();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}

/// Runs a script of Node; `name` tells whoever looks what it is.
pub fn run_node(name: &str, script: &str, environment: &[(&str, &str)]) -> Printed {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let file = node().join(format!("{}-{number}-{name}.mjs", std::process::id()));
    std::fs::write(&file, script).unwrap();
    let printed = run(Command::new("node").arg(&file), environment);
    std::fs::remove_file(&file).unwrap();
    printed
}

/// Runs a script of `tests/clients/node` that drives a browser.
pub fn run_browser(script: &str, environment: &[(&str, &str)]) -> Printed {
    static UNPACKED: Once<()> = Once::new();
    let browser = source("node/browser.mjs");
    // What comes from the registry is unpacked at first use, which two at once would do into each other's hands.
    // The packages come before, since they are installed alone too.
    node();
    UNPACKED.get(|| folders::alone(|| drop(run_node("unpack", &browser, &[]).expect())));
    run_node(script.trim_end_matches(".mjs"), &format!("{browser}\n{}", source(&format!("node/{script}"))), environment)
}

/// Runs a script of Python.
pub fn run_python(script: &str, environment: &[(&str, &str)]) -> Printed {
    run(Command::new(python()).args(["-c", script]), environment)
}

/// Runs a script of Python that lies in `tests/clients/python`.
pub fn run_python_file(file: &str, environment: &[(&str, &str)]) -> Printed {
    run(Command::new(python()).arg(project::root().join("tests/clients/python").join(file)), environment)
}

/// Runs a shell's command line with curl in it; `None` where there is no curl, which the tests don't ask for.
pub fn run_curl(line: &str, environment: &[(&str, &str)]) -> Option<Printed> {
    has_curl().then(|| run(Command::new("sh").args(["-c", line]), environment))
}

/// Runs command lines of the README with the Python clients at hand; the answer is all that they print, in order.
/// `None` where there is no curl.
pub fn run_readme(script: &str) -> Option<String> {
    let search = format!("{}:{}", python().parent().unwrap().display(), std::env::var("PATH").unwrap_or_default());
    let mut shell = Command::new("sh");
    shell.args(["-c", &format!("exec 2>&1\n{script}")]).current_dir(project::root());
    has_curl().then(|| run(&mut shell, &[("PATH", &search)]).text)
}

fn has_curl() -> bool {
    static IS_THERE: OnceLock<bool> = OnceLock::new();
    *IS_THERE.get_or_init(|| {
        let is_there = Command::new("curl").arg("--version").output().is_ok();
        if !is_there {
            step("leaving out command lines, for want of curl", || ());
        }
        is_there
    })
}

/// Runs a command; what it calls is on this machine and behind no proxy.
pub fn run(command: &mut Command, environment: &[(&str, &str)]) -> Printed {
    command.stdin(Stdio::null()).env("NO_PROXY", "127.0.0.1").env("PYTHONDONTWRITEBYTECODE", "1");
    let output = command
        .envs(environment.iter().copied())
        .output()
        .unwrap_or_else(|error| panic!("{command:?} is needed: {error}"));
    Printed {
        text: String::from_utf8_lossy(&output.stdout).into_owned(),
        error: String::from_utf8_lossy(&output.stderr).into_owned(),
        succeeded: output.status.success(),
    }
}
