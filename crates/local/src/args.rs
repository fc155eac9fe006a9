//! The command line.

use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::failure::{Failure, Result};

/// The gateway's port where none is named: 8787 and 8080 are what other development servers take.
pub const DEFAULT_PORT: u16 = 8788;

/// What `--help` prints.
pub const HELP: &str = "\
Runs the whole of Keygate on this machine: store, functions and gateway.

Usage: cargo run -p local -- [OPTIONS]

Options:
  --port <PORT>                The gateway's port on 127.0.0.1; 0 takes a free one [default: 8788]
  --data-dir <DIR>             Where keys, counters and demo.json are kept [default: .keygate in the project]
  --fresh                      Empty the data directory first
  --allow-loopback-webhooks    Let webhooks go to this machine
  --help                       Print this

Environment:
  KEYGATE_SIGNING_ALGORITHM    ES256, EdDSA or RS256 [default: the template's]
  RUST_LOG                     What the functions log [default: info]
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Run everything.
    Run(Options),
    /// Print [`HELP`].
    Help,
    /// Look after child processes; only ever started by this program itself.
    Warden,
}

/// How to run.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// The gateway's port; 0 takes a free one.
    pub port: u16,
    /// Where everything is kept that outlives a run; `.keygate` in the project where not named.
    pub data_dir: Option<PathBuf>,
    /// Whether to empty the data directory first.
    pub fresh: bool,
    /// Whether webhooks may go to this machine.
    pub allow_loopback_webhooks: bool,
}

/// The first argument of [`Command::Warden`].
pub const WARDEN: &str = "warden";

/// Reads the arguments, the program's own name not among them.
///
/// # Errors
/// An argument that isn't one of these, twice the same, or a value that doesn't fit.
pub fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut options = Options { port: DEFAULT_PORT, data_dir: None, fresh: false, allow_loopback_webhooks: false };
    let mut port = None;
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("port") if port.is_none() => {
                port = Some(parser.value().and_then(|value| value.parse()).map_err(refuse)?);
            }
            Long("data-dir") if options.data_dir.is_none() => {
                options.data_dir = Some(PathBuf::from(parser.value().map_err(refuse)?));
            }
            Long("fresh") => options.fresh = true,
            Long("allow-loopback-webhooks") => options.allow_loopback_webhooks = true,
            Long(name @ ("port" | "data-dir")) => return Err(refuse(format!("--{name} is given twice"))),
            Value(value) if value == WARDEN => return Ok(Command::Warden),
            other => return Err(refuse(other.unexpected())),
        }
    }
    options.port = port.unwrap_or(DEFAULT_PORT);
    Ok(Command::Run(options))
}

fn refuse(reason: impl std::fmt::Display) -> Failure {
    Failure::usage(format!("{reason}\nSee cargo run -p local -- --help"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Result<Command> {
        parse(arguments.iter().map(Into::into))
    }

    fn options(arguments: &[&str]) -> Options {
        match run(arguments).unwrap() {
            Command::Run(options) => options,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn nothing_is_needed() {
        assert_eq!(
            options(&[]),
            Options { port: DEFAULT_PORT, data_dir: None, fresh: false, allow_loopback_webhooks: false }
        );
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let expected = Options { port: 9, data_dir: Some("/d".into()), fresh: true, allow_loopback_webhooks: true };
        assert_eq!(options(&["--port", "9", "--data-dir", "/d", "--fresh", "--allow-loopback-webhooks"]), expected);
        assert_eq!(options(&["--allow-loopback-webhooks", "--fresh", "--data-dir=/d", "--port=9"]), expected);
        assert_eq!(run(&["--fresh", "--help"]).unwrap(), Command::Help);
    }

    #[test]
    fn nonsense_exits_with_two_and_says_what_it_was() {
        for (arguments, word) in [
            (&["--prot", "1"][..], "--prot"),
            (&["--port"], "--port"),
            (&["--port", "x"], "x"),
            (&["--port", "70000"], "70000"),
            (&["--port", "1", "--port", "2"], "twice"),
            (&["--data-dir", "a", "--data-dir", "b"], "twice"),
            (&["--fresh=yes"], "yes"),
            (&["serve"], "serve"),
        ] {
            let failure = run(arguments).unwrap_err();
            assert_eq!(failure.exit_code, 2, "{arguments:?}");
            assert!(failure.to_string().contains(word), "{arguments:?}: {failure}");
        }
    }
}
