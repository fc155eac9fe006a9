//! The options of each command.

use lexopt::prelude::{Long, Short, ValueExt};

use crate::args::{Command, number, refuse};
use crate::failure::Failure;
use crate::instructions::{HotPath, Purpose};
use crate::keys::{FEW, MOST, Options};
use crate::{compare, load, revocation, unknown_kids};

pub(super) fn compare(mut parser: lexopt::Parser) -> Result<Command, Failure> {
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

pub(super) fn cost(mut parser: lexopt::Parser) -> Result<Command, Failure> {
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

pub(super) fn instructions(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let (mut purpose, mut profiles, mut json) = (Purpose::Show, None, false);
    while let Some(argument) = parser.next().map_err(refuse)? {
        match argument {
            Long("help") | Short('h') => return Ok(Command::Help),
            Long("check") => purpose = Purpose::Check,
            Long("keep") => purpose = Purpose::Keep,
            Long("profiles") => profiles = Some(parser.value().map_err(refuse)?.into()),
            Long("json") => json = true,
            other => return Err(refuse(other.unexpected())),
        }
    }
    Ok(Command::Instructions { purpose, profiles, json })
}

pub(super) fn hot_path(mut parser: lexopt::Parser) -> Result<Command, Failure> {
    let name = parser.value().and_then(ValueExt::string).map_err(refuse)?;
    let path = HotPath::parse(&name).ok_or_else(|| refuse(name))?;
    let times = number(&mut parser)?;
    Ok(Command::HotPath(path, times, parser.value().map_err(refuse)?.into()))
}

pub(super) fn keys(mut parser: lexopt::Parser) -> Result<Command, Failure> {
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

pub(super) fn load(mut parser: lexopt::Parser) -> Result<Command, Failure> {
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

pub(super) fn revocation(mut parser: lexopt::Parser) -> Result<Command, Failure> {
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

pub(super) fn unknown_kids(mut parser: lexopt::Parser) -> Result<Command, Failure> {
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
