//! The command line.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::prelude::{Long, Short, Value};

use crate::chain::Expected;
use crate::read::Source;

/// What `--help` prints.
pub const HELP: &str = "\
Verifies the chain of a client's exported audit events.

Usage: audit-verify [OPTIONS] [FILE]...

Reads the files one after another, or standard input where none is named (or `-` is). In them stand, in the order of the
list: events one per line, arrays of events, or the pages that GET .../audit_events answers. It takes no filter but `from`
and `to` to export a chain: all others leave links out.

Options:
  --after <HASH>    The first event is the one behind this hash, and not the chain's beginning
  --head <HASH>     The last event is the one of this hash
  --help            Print this

Without --head an end that was cut off can't be seen, nor with it that all of the chain was written anew before the hash
was noted. So note the head that is printed somewhere else, and give it as --after the next time.

Events outside of the chain (logins, refused calls; their hash is null) are counted, and passed over: nothing vouches for
them.

Exits with
  0  the chain is whole: how many events, the first, the last, the hash of the last
  1  the chain is broken: the first broken link, and what is wrong with it
  2  the input can't be read: the place
";

/// What was asked for.
#[derive(Debug, PartialEq, Eq)]
pub enum Command {
    /// Verify a chain.
    Verify(Options),
    /// Print [`HELP`].
    Help,
}

/// What to verify.
#[derive(Debug, PartialEq, Eq)]
pub struct Options {
    /// Where the events are, in order; never none.
    pub sources: Vec<Source>,
    /// What is known of the chain.
    pub expected: Expected,
}

/// Reads the arguments, the program's own name not among them.
///
/// # Errors
/// What is wrong with them.
pub fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Command, String> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut options = Options { sources: Vec::new(), expected: Expected::default() };
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("after") if options.expected.after.is_none() => options.expected.after = Some(hash(&mut parser)?),
            Long("head") if options.expected.head.is_none() => options.expected.head = Some(hash(&mut parser)?),
            Long(name @ ("after" | "head")) => return Err(refuse(format!("--{name} is given twice"))),
            Value(value) if value == "-" => options.sources.push(Source::StandardInput),
            Value(value) => options.sources.push(Source::File(PathBuf::from(value))),
            other => return Err(refuse(other.unexpected())),
        }
    }
    if options.sources.is_empty() {
        options.sources.push(Source::StandardInput);
    }
    if options.sources.iter().filter(|source| **source == Source::StandardInput).count() > 1 {
        return Err(refuse("standard input can be read once"));
    }
    Ok(Command::Verify(options))
}

fn hash(parser: &mut lexopt::Parser) -> Result<String, String> {
    let value = parser.value().map_err(refuse)?;
    let hash = value.to_str().filter(|text| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit()));
    hash.map(str::to_ascii_lowercase).ok_or_else(|| refuse("a hash has 64 hex digits"))
}

fn refuse(reason: impl std::fmt::Display) -> String {
    format!("{reason}\nSee audit-verify --help")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(arguments: &[&str]) -> Result<Command, String> {
        parse(arguments.iter().map(Into::into))
    }

    #[test]
    fn what_is_left_out_is_standard_input_and_any_chain() {
        let expected = Options { sources: vec![Source::StandardInput], expected: Expected::default() };
        assert_eq!(run(&[]).unwrap(), Command::Verify(expected));
    }

    #[test]
    fn everything_is_read() {
        let (after, head) = ("0123456789ABCDEF".repeat(4), "fedcba9876543210".repeat(4));
        let expected = Options {
            sources: vec![Source::File("a".into()), Source::StandardInput, Source::File("--b".into())],
            expected: Expected { after: Some(after.to_lowercase()), head: Some(head.clone()) },
        };
        let arguments = ["a", "--head", &head, &format!("--after={after}"), "-", "--", "--b"];
        assert_eq!(run(&arguments).unwrap(), Command::Verify(expected));
        assert_eq!(run(&["a", "--help"]).unwrap(), Command::Help);
    }

    #[test]
    fn nonsense_is_refused() {
        let hash = "0".repeat(64);
        for (arguments, word) in [
            (&["--heads", &hash][..], "--heads"),
            (&["--head"], "--head"),
            (&["--head", "0"], "64 hex digits"),
            (&["--after", &"g".repeat(64)], "64 hex digits"),
            (&["--after", "null"], "64 hex digits"),
            (&["--head", &hash, "--head", &hash], "twice"),
            (&["-", "-"], "once"),
        ] {
            let refused = run(arguments).unwrap_err();
            assert!(refused.contains(word), "{arguments:?}: {refused}");
        }
    }
}
