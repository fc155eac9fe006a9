//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::failure::Failure;
use crate::keys::{FEW, MOST, Options};
use crate::revocation;

/// What `--help` prints.
pub const HELP: &str = "\
Measures what the functions cost, two things side by side, and how soon a revocation counts.

Usage: cargo run --profile bench-fast -p bench -- <COMMAND> [OPTIONS]

Commands:
  keys        list, get and exchange in a client of many keys, against one of ten
  revocation  how long four authorizers let a revoked key through still

Options of keys:
  --keys <N>      How many the many are [default: 100000]
  --rounds <N>    How many rounds; a ratio is the median of theirs [default: 30]
  --calls <N>     How many calls of each kind a round makes of each client [default: 50]
  --json          One line of JSON instead of the table

Options of revocation:
  --rounds <N>    How many keys are revoked [default: 100]
  --json          One line of JSON instead of the table

  --help          Print this

CPU time is per call, in microseconds, the function's and the store's apart. A wrong or refused answer ends it.
";

/// The first argument of [`Command::Store`].
pub const STORE: &str = "store";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Compare clients of few and many keys.
    Keys {
        /// How.
        options: Options,
        /// Whether as JSON.
        json: bool,
    },
    /// Measure how long revoked keys are let through.
    Revocation {
        /// How.
        options: revocation::Options,
        /// Whether as JSON.
        json: bool,
    },
    /// Print [`HELP`].
    Help,
    /// Serve the store in this file; only ever started by this program itself.
    Store(PathBuf),
}

/// Reads the arguments, the program's own name not among them.
///
/// # Errors
/// [`Failure::Usage`]: what is wrong with them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, Failure> {
    let mut parser = lexopt::Parser::from_args(arguments);
    match parser.next().map_err(refuse)? {
        Some(Long("help") | Short('h')) => Ok(Command::Help),
        Some(Value(command)) if command == "keys" => keys(parser),
        Some(Value(command)) if command == "revocation" => revocation(parser),
        Some(Value(command)) if command == STORE => Ok(Command::Store(parser.value().map_err(refuse)?.into())),
        Some(other) => Err(refuse(other.unexpected())),
        None => Err(refuse("what is to be measured?")),
    }
}

fn keys(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut options, mut json) = (Options::default(), false);
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("keys") => options.keys = number(&mut parser)?,
            Long("rounds") => options.rounds = number(&mut parser)?,
            Long("calls") => options.calls = number(&mut parser)?,
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    if options.keys <= FEW || options.keys > MOST {
        return Err(refuse(format!(
            "--keys must be more than the {FEW} that they are compared with, and {MOST} at most"
        )));
    }
    if options.rounds == 0 || options.calls == 0 {
        return Err(refuse("--rounds and --calls must be 1 or more"));
    }
    Ok(Command::Keys { options, json })
}

fn revocation(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut options, mut json) = (revocation::Options::default(), false);
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("rounds") => options.rounds = number(&mut parser)?,
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    if options.rounds == 0 {
        return Err(refuse("--rounds must be 1 or more"));
    }
    Ok(Command::Revocation { options, json })
}

fn number<T: FromStr<Err: std::error::Error + Send + Sync + 'static>>(
    parser: &mut lexopt::Parser,
) -> Result<T, Failure> {
    parser.value().and_then(|value| value.parse()).map_err(refuse)
}

fn refuse(reason: impl Display) -> Failure {
    Failure::Usage(reason.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Result<Command, Failure> {
        parse(arguments.iter().map(Into::into))
    }

    #[test]
    fn what_is_left_out_is_as_the_help_says() {
        let expected = Command::Keys { options: Options { keys: 100_000, rounds: 30, calls: 50 }, json: false };
        assert_eq!(run(&["keys"]).unwrap(), expected);
        let expected = Command::Revocation { options: revocation::Options { rounds: 100 }, json: false };
        assert_eq!(run(&["revocation"]).unwrap(), expected);
        for default in ["100000", "30", "50", "100"] {
            assert!(HELP.contains(&format!("[default: {default}]")));
        }
    }

    #[test]
    fn everything_is_read() {
        let expected = Command::Keys { options: Options { keys: 200, rounds: 2, calls: 3 }, json: true };
        assert_eq!(run(&["keys", "--json", "--keys=200", "--rounds", "2", "--calls", "3"]).unwrap(), expected);
        let expected = Command::Revocation { options: revocation::Options { rounds: 7 }, json: true };
        assert_eq!(run(&["revocation", "--rounds", "7", "--json"]).unwrap(), expected);
        assert_eq!(run(&["keys", "--json", "--help"]).unwrap(), Command::Help);
        assert_eq!(run(&["--help"]).unwrap(), Command::Help);
        assert_eq!(run(&[STORE, "a.db"]).unwrap(), Command::Store("a.db".into()));
    }

    #[test]
    fn nonsense_exits_with_two_and_says_what_it_was() {
        for (arguments, word) in [
            (&[][..], "measured"),
            (&["kees"], "kees"),
            (&[STORE], "missing"),
            (&["keys", "--keys"], "--keys"),
            (&["keys", "--keys", "many"], "many"),
            (&["keys", "--keys", "10"], "more than the 10"),
            (&["keys", "--keys", "1000001"], "1000000 at most"),
            (&["keys", "--rounds", "0"], "1 or more"),
            (&["keys", "--calls", "0"], "1 or more"),
            (&["keys", "--calls", "-1"], "-1"),
            (&["keys", "--yaml"], "--yaml"),
            (&["keys", "more"], "more"),
            (&["revocation", "--rounds", "0"], "1 or more"),
            (&["revocation", "--keys", "5"], "--keys"),
        ] {
            let failure = run(arguments).unwrap_err();
            assert_eq!(failure.exit_code(), 2, "{arguments:?}");
            assert!(failure.to_string().contains(word), "{arguments:?}: {failure}");
        }
    }
}
