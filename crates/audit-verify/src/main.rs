//! `cargo run -p audit-verify`.

use std::io;
use std::process::ExitCode;

fn main() -> ExitCode {
    let (input, out, errors) = (io::stdin().lock(), io::stdout().lock(), io::stderr().lock());
    ExitCode::from(audit_verify::run(std::env::args_os().skip(1), input, out, errors))
}
