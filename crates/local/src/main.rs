//! `cargo run -p local`.

use std::process::ExitCode;

use local::args::{self, Command};
use local::{run, say, warden, warn};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = match args::parse(std::env::args_os().skip(1)) {
        Ok(Command::Run(options)) => run::run(options).await,
        Ok(Command::Help) => {
            say(args::HELP.trim_end());
            Ok(())
        }
        Ok(Command::Warden) => {
            warden::run().await;
            Ok(())
        }
        Err(failure) => Err(failure),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            warn(failure.to_string());
            ExitCode::from(failure.exit_code)
        }
    }
}
