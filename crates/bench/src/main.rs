//! `cargo run --profile bench-fast -p bench`.

use std::io::{self, Write as _};
use std::process::ExitCode;

// One thread, as the functions have it.
#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let outcome = tokio::select! {
        outcome = bench::run(std::env::args_os().skip(1), io::stdout()) => outcome,
        // What it has begun is taken down with it: another process, and a folder of some size.
        _ = tokio::signal::ctrl_c() => return ExitCode::from(130),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let _ = writeln!(io::stderr(), "{failure}");
            ExitCode::from(failure.exit_code())
        }
    }
}
