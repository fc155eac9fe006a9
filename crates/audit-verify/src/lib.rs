//! Whether exported audit events are the chain that was written, or were changed, taken out or put in since.
//!
//! 1. [`read`] takes events as they were exported, and nothing that two readers might read in two ways.
//! 2. [`chain`] goes from link to link and names the first one that is broken.
//!
//! What a chain can't show: that its end was cut off, and that all of it was written anew. Against both helps the hash of
//! its last event, kept where whoever writes the log can't reach it ([`args::HELP`], `--head` and `--after`).

pub mod args;
pub mod chain;
pub mod read;

use std::ffi::OsString;
use std::io::{Read, Write};

use args::{Command, Options};
use read::{Recorded, Source, Unreadable};

/// The exit code where the chain is broken.
pub const BROKEN: u8 = 1;
/// The exit code where the input can't be read, or the arguments are none.
pub const UNREADABLE: u8 = 2;

/// Runs the program and says how it exits: 0 for a whole chain, [`BROKEN`], [`UNREADABLE`].
pub fn run(
    arguments: impl IntoIterator<Item = OsString>,
    input: impl Read,
    mut out: impl Write,
    mut errors: impl Write,
) -> u8 {
    let options = match args::parse(arguments) {
        Ok(Command::Verify(options)) => options,
        Ok(Command::Help) => return say(&mut out, args::HELP.trim_end()),
        Err(error) => return fail(&mut errors, UNREADABLE, &error),
    };
    let events = match read_all(&options, input) {
        Ok(events) => events,
        Err(unreadable) => return fail(&mut errors, UNREADABLE, &unreadable),
    };
    match chain::verify(&events, &options.expected) {
        Ok(summary) => say(&mut out, &summary.to_string()),
        Err(broken) => fail(&mut errors, BROKEN, &format!("broken: {broken}")),
    }
}

fn read_all(options: &Options, mut input: impl Read) -> Result<Vec<Recorded>, Unreadable> {
    let mut events = Vec::new();
    for source in &options.sources {
        let bytes = match source {
            Source::File(path) => std::fs::read(path),
            Source::StandardInput => {
                let mut bytes = Vec::new();
                input.read_to_end(&mut bytes).map(|_| bytes)
            }
        };
        let bytes = bytes.map_err(|error| Unreadable::new(source, None, error.to_string()))?;
        events.extend(read::events(source, &bytes)?);
    }
    Ok(events)
}

fn say(out: &mut impl Write, line: &str) -> u8 {
    // Whoever does not read the answer must not take it for a good one.
    match writeln!(out, "{line}").and_then(|()| out.flush()) {
        Ok(()) => 0,
        Err(_) => UNREADABLE,
    }
}

fn fail(errors: &mut impl Write, code: u8, reason: &impl std::fmt::Display) -> u8 {
    let _ = writeln!(errors, "{reason}");
    code
}
