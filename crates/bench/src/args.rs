//! The command line.

mod options;

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::failure::Failure;
use crate::instructions::{HotPath, PATH, Purpose};
use crate::keys::Options;
use crate::{compare, load, revocation, unknown_kids};

/// What `--help` prints.
pub const HELP: &str = include_str!("args/help.txt");

/// The first argument of [`Command::Store`].
pub const STORE: &str = "store";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Compare our functions with the floor and with others.
    Compare {
        /// How.
        options: compare::Options,
        /// Whether as JSON.
        json: bool,
    },
    /// Price a million calls.
    Cost {
        /// How the CPU time is measured.
        options: compare::Options,
        /// Whether as JSON.
        json: bool,
    },
    /// Compare clients of few and many keys.
    Keys {
        /// How.
        options: Options,
        /// Whether as JSON.
        json: bool,
    },
    /// Load a whole system.
    Load {
        /// How.
        options: load::Options,
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
    /// Measure valid tokens beside a flood of unknown signing keys.
    UnknownKids {
        /// How.
        options: unknown_kids::Options,
        /// Whether as JSON.
        json: bool,
    },
    /// Count the instructions of the hot paths.
    Instructions {
        /// What for.
        purpose: Purpose,
        /// Where callgrind's files are left.
        profiles: Option<PathBuf>,
        /// Whether as JSON.
        json: bool,
    },
    /// Run a hot path so many times, by the input in this file; only ever started by this program itself.
    HotPath(HotPath, u32, PathBuf),
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
    let arguments: Vec<OsString> = arguments.into_iter().collect();
    // Options without a command are the comparison's.
    if arguments.first().is_none_or(|first| first.to_string_lossy().starts_with("--") && first != "--help") {
        return options::compare(lexopt::Parser::from_args(arguments));
    }
    let mut parser = lexopt::Parser::from_args(arguments);
    match parser.next().map_err(refuse)? {
        Some(Long("help") | Short('h')) => Ok(Command::Help),
        Some(Value(command)) if command == "compare" => options::compare(parser),
        Some(Value(command)) if command == "cost" => options::cost(parser),
        Some(Value(command)) if command == "keys" => options::keys(parser),
        Some(Value(command)) if command == "load" => options::load(parser),
        Some(Value(command)) if command == "revocation" => options::revocation(parser),
        Some(Value(command)) if command == "unknown-kids" => options::unknown_kids(parser),
        Some(Value(command)) if command == "instructions" => options::instructions(parser),
        Some(Value(command)) if command == PATH => options::hot_path(parser),
        Some(Value(command)) if command == STORE => Ok(Command::Store(parser.value().map_err(refuse)?.into())),
        Some(other) => Err(refuse(other.unexpected())),
        None => options::compare(parser),
    }
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
        let expected =
            Command::UnknownKids { options: unknown_kids::Options { flood: 10_000, rounds: 20 }, json: false };
        assert_eq!(run(&["unknown-kids"]).unwrap(), expected);
        let expected = Command::Load { options: load::Options { seconds: 10, soak: 600, instances: 4 }, json: false };
        assert_eq!(run(&["load"]).unwrap(), expected);
        for default in ["100000", "30", "50", "100", "10000", "20", "10", "600", "4"] {
            assert!(HELP.contains(&format!("[default: {default}]")));
        }
        let (options, quick) = (compare::Options::default(), compare::Options::quick());
        for (default, quick) in
            [(options.rounds, quick.rounds), (options.calls, quick.calls), (options.revocations, quick.revocations)]
        {
            assert!(HELP.contains(&format!("[default: {default}; quick: {quick}]")));
        }
        assert_eq!(run(&[]).unwrap(), Command::Compare { options, json: false });
    }

    #[test]
    fn everything_is_read() {
        let expected = Command::Keys { options: Options { keys: 200, rounds: 2, calls: 3 }, json: true };
        assert_eq!(run(&["keys", "--json", "--keys=200", "--rounds", "2", "--calls", "3"]).unwrap(), expected);
        let expected = Command::Revocation { options: revocation::Options { rounds: 7 }, json: true };
        assert_eq!(run(&["revocation", "--rounds", "7", "--json"]).unwrap(), expected);
        let options =
            compare::Options { rounds: 3, peers: false, chart: Some("a.svg".into()), ..compare::Options::quick() };
        let expected = Command::Compare { options, json: true };
        let options = ["--quick", "--json", "--rounds=3", "--no-peers", "--chart", "a.svg"];
        assert_eq!(run(&options).unwrap(), expected);
        assert_eq!(run(&[&["compare"], &options[..]].concat()).unwrap(), expected);
        assert!(matches!(run(&["cost", "--json"]).unwrap(), Command::Cost { json: true, .. }));
        let expected = Command::Load { options: load::Options { seconds: 1, soak: 0, instances: 2 }, json: true };
        assert_eq!(run(&["load", "--seconds=1", "--soak=0", "--instances", "2", "--json"]).unwrap(), expected);
        assert_eq!(run(&["keys", "--json", "--help"]).unwrap(), Command::Help);
        assert_eq!(run(&["--help"]).unwrap(), Command::Help);
        assert_eq!(run(&[STORE, "a.db"]).unwrap(), Command::Store("a.db".into()));
    }

    #[test]
    fn nonsense_exits_with_two_and_says_what_it_was() {
        for (arguments, word) in [
            (&["kees"][..], "kees"),
            (&["--quik"], "--quik"),
            (&["--rounds", "0"], "1 or more"),
            (&["compare", "--keys", "5"], "--keys"),
            (&["cost", "--rounds", "5"], "--rounds"),
            (&["unknown-kids", "--flood", "3"], "no fewer"),
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
            (&["load", "--seconds", "0"], "1 or more"),
            (&["revocation", "--rounds", "0"], "1 or more"),
            (&["revocation", "--keys", "5"], "--keys"),
        ] {
            let failure = run(arguments).unwrap_err();
            assert_eq!(failure.exit_code(), 2, "{arguments:?}");
            assert!(failure.to_string().contains(word), "{arguments:?}: {failure}");
        }
    }
}
