//! The command line.

use std::ffi::OsString;
use std::fmt::Display;
use std::path::PathBuf;
use std::str::FromStr;

use lexopt::prelude::{Long, Short, Value, ValueExt};

use crate::failure::Failure;
use crate::instructions::{HotPath, PATH, Purpose};
use crate::keys::{FEW, MOST, Options};
use crate::{compare, load, revocation, unknown_kids};

/// What `--help` prints.
pub const HELP: &str = "\
Measures what the functions cost, beside the floor and beside others, and how soon a revocation counts.

Usage: cargo run --release -p bench -- [COMMAND] [OPTIONS]

Commands:
  compare       our functions, the floor, and what a user would pick instead; also where no command is given
  cost          what a million exchanges and authorizations cost on AWS, by the CPU time of a short comparison
  instructions  how many instructions the hot paths take, beside those of a baseline (needs valgrind)
  keys          list, get and exchange in a client of many keys, against one of ten
  load          the whole system on this machine, by `wrk` through the local gateway, and a soak
  revocation    how long four authorizers let a revoked key through still
  unknown-kids  whether a flood of unknown signing keys slows valid tokens down

Options of compare:
  --quick         Fewer of everything, for what is not given: some minutes, builds included
  --rounds <N>    How many rounds; a ratio is the median of theirs [default: 60; quick: 24]
  --calls <N>     How many calls a round makes of each subject [default: 300; quick: 250]
  --revocations <N>  How many keys are revoked beside it, 0 for none [default: 20; quick: 5]
  --no-peers      Without those that must be installed: Node's and Python's
  --chart <FILE>  Draws the chart there
  --json          One line of JSON instead of the tables

Options of cost:
  --json          One line of JSON instead of the table

Options of instructions:
  --check         Fails where a path has grown by more than 3 %
  --keep          Makes the counts the baseline
  --json          One line of JSON instead of the table

Options of keys:
  --keys <N>      How many the many are [default: 100000]
  --rounds <N>    How many rounds; a ratio is the median of theirs [default: 30]
  --calls <N>     How many calls of each kind a round makes of each client [default: 50]
  --json          One line of JSON instead of the table

Options of load:
  --seconds <N>    How long each kind of call is made with each number of connections [default: 10]
  --soak <N>       How many seconds it goes on then, 0 for none [default: 600]
  --instances <N>  How many instances each function has [default: 4]
  --json           One line of JSON instead of the tables

Options of revocation:
  --rounds <N>    How many keys are revoked [default: 100]
  --json          One line of JSON instead of the table

Options of unknown-kids:
  --flood <N>     How many unknown signing keys are named [default: 10000]
  --rounds <N>    In how many rounds [default: 20]
  --json          One line of JSON instead of the table

  --help          Print this

CPU time is per call, in microseconds, the function's and the store's apart. A wrong or refused answer ends it.
";

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
        return compare(lexopt::Parser::from_args(arguments));
    }
    let mut parser = lexopt::Parser::from_args(arguments);
    match parser.next().map_err(refuse)? {
        Some(Long("help") | Short('h')) => Ok(Command::Help),
        Some(Value(command)) if command == "compare" => compare(parser),
        Some(Value(command)) if command == "cost" => cost(parser),
        Some(Value(command)) if command == "keys" => keys(parser),
        Some(Value(command)) if command == "load" => load(parser),
        Some(Value(command)) if command == "revocation" => revocation(parser),
        Some(Value(command)) if command == "unknown-kids" => unknown_kids(parser),
        Some(Value(command)) if command == "instructions" => instructions(parser),
        Some(Value(command)) if command == PATH => hot_path(parser),
        Some(Value(command)) if command == STORE => Ok(Command::Store(parser.value().map_err(refuse)?.into())),
        Some(other) => Err(refuse(other.unexpected())),
        None => compare(parser),
    }
}

fn compare(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut quick, mut json, mut peers, mut chart) = (false, false, true, None);
    let [mut rounds, mut calls, mut revocations] = [None; 3];
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("quick") => quick = true,
            Long("rounds") => rounds = Some(number(&mut parser)?),
            Long("calls") => calls = Some(number(&mut parser)?),
            Long("revocations") => revocations = Some(number(&mut parser)?),
            Long("no-peers") => peers = false,
            Long("chart") => chart = Some(parser.value().map_err(refuse)?.into()),
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    let default = if quick { compare::Options::quick() } else { compare::Options::default() };
    let options = compare::Options {
        rounds: rounds.unwrap_or(default.rounds),
        calls: calls.unwrap_or(default.calls),
        revocations: revocations.unwrap_or(default.revocations),
        peers,
        chart,
    };
    if options.rounds == 0 || options.calls == 0 {
        return Err(refuse("--rounds and --calls must be 1 or more"));
    }
    Ok(Command::Compare { options, json })
}

fn cost(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let mut json = false;
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    let options = compare::Options { revocations: 0, peers: false, ..compare::Options::quick() };
    Ok(Command::Cost { options, json })
}

fn instructions(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut purpose, mut json) = (Purpose::Show, false);
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("check") => purpose = Purpose::Check,
            Long("keep") => purpose = Purpose::Keep,
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    Ok(Command::Instructions { purpose, json })
}

fn hot_path(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let name = parser.value().and_then(ValueExt::string).map_err(refuse)?;
    let path = HotPath::parse(&name).ok_or_else(|| refuse(name))?;
    let times = number(&mut parser)?;
    Ok(Command::HotPath(path, times, parser.value().map_err(refuse)?.into()))
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

fn load(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut options, mut json) = (load::Options::default(), false);
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("seconds") => options.seconds = number(&mut parser)?,
            Long("soak") => options.soak = number(&mut parser)?,
            Long("instances") => options.instances = number(&mut parser)?,
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    if options.seconds == 0 || options.instances == 0 {
        return Err(refuse("--seconds and --instances must be 1 or more"));
    }
    Ok(Command::Load { options, json })
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

fn unknown_kids(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut options, mut json) = (unknown_kids::Options::default(), false);
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("flood") => options.flood = number(&mut parser)?,
            Long("rounds") => options.rounds = number(&mut parser)?,
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    if options.rounds == 0 || options.flood < options.rounds {
        return Err(refuse("--rounds must be 1 or more, and --flood no fewer"));
    }
    Ok(Command::UnknownKids { options, json })
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
