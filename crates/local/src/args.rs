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
  --instances <NUMBER>         Processes of each function, 1 to 16, as many as it answers at once [default: 1]
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
    /// Processes of each function.
    pub instances: usize,
    /// Whether webhooks may go to this machine.
    pub allow_loopback_webhooks: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { port: DEFAULT_PORT, data_dir: None, fresh: false, instances: 1, allow_loopback_webhooks: false }
    }
}

/// The first argument of [`Command::Warden`].
pub const WARDEN: &str = "warden";

/// Reads the arguments, the program's own name not among them.
///
/// # Errors
/// An argument that isn't one of these, twice the same, or a value that doesn't fit.
pub fn parse(arguments: impl IntoIterator<Item = std::ffi::OsString>) -> Result<Command> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut options = Options::default();
    let (mut port, mut instances) = (None, None);
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("port") if port.is_none() => {
                port = Some(parser.value().and_then(|value| value.parse()).map_err(refuse)?);
            }
            Long("data-dir") if options.data_dir.is_none() => {
                options.data_dir = Some(PathBuf::from(parser.value().map_err(refuse)?));
            }
            Long("instances") if instances.is_none() => {
                instances =
                    Some(parser.value().and_then(|value| value.parse_with(number_of_instances)).map_err(refuse)?);
            }
            Long("fresh") => options.fresh = true,
            Long("allow-loopback-webhooks") => options.allow_loopback_webhooks = true,
            Long(name @ ("port" | "data-dir" | "instances")) => return Err(refuse(format!("--{name} is given twice"))),
            Value(value) if value == WARDEN => return Ok(Command::Warden),
            other => return Err(refuse(other.unexpected())),
        }
    }
    options.port = port.unwrap_or(options.port);
    options.instances = instances.unwrap_or(options.instances);
    Ok(Command::Run(options))
}

/// More would only wait for the same processors.
fn number_of_instances(text: &str) -> std::result::Result<usize, &'static str> {
    text.parse().ok().filter(|number| (1..=16).contains(number)).ok_or("1 to 16")
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
        assert_eq!(options(&[]), Options::default());
    }

    #[test]
    fn every_option_is_read_in_both_spellings() {
        let expected =
            Options { port: 9, data_dir: Some("/d".into()), fresh: true, instances: 4, allow_loopback_webhooks: true };
        let arguments = ["--port", "9", "--data-dir", "/d", "--fresh", "--instances", "4", "--allow-loopback-webhooks"];
        assert_eq!(options(&arguments), expected);
        let arguments = ["--allow-loopback-webhooks", "--fresh", "--data-dir=/d", "--port=9", "--instances=4"];
        assert_eq!(options(&arguments), expected);
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
            (&["--instances", "0"], "1 to 16"),
            (&["--instances", "17"], "1 to 16"),
            (&["--instances", "1", "--instances", "2"], "twice"),
            (&["--fresh=yes"], "yes"),
            (&["serve"], "serve"),
        ] {
            let failure = run(arguments).unwrap_err();
            assert_eq!(failure.exit_code, 2, "{arguments:?}");
            assert!(failure.to_string().contains(word), "{arguments:?}: {failure}");
        }
    }
}
