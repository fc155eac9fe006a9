//! What the kernel knows about processes, by `/proc`.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::clock::wait_for;
use super::step;

/// How long processes may live on when `local` was killed: what functions get to write their last, and what cargo-lambda
/// gets.
const AFTERLIFE: Duration = Duration::from_mins(1);

/// A process that no later one is taken for, though it have the same number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Process {
    pub pid: u32,
    pub name: String,
    started: String,
}

struct Status {
    name: String,
    state: String,
    parent: u32,
    started: String,
}

fn status(pid: u32) -> Option<Status> {
    let text = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name stands in brackets and may hold anything.
    let (start, rest) = text.rsplit_once(')')?;
    let name = start.split_once('(')?.1.to_owned();
    let fields: Vec<&str> = rest.split_whitespace().collect();
    Some(Status {
        name,
        state: (*fields.first()?).to_owned(),
        parent: fields.get(1)?.parse().ok()?,
        started: (*fields.get(19)?).to_owned(),
    })
}

/// Whether there is such a process that has not ended.
pub fn lives(pid: u32) -> bool {
    status(pid).is_some_and(|status| status.state != "Z")
}

impl Process {
    /// Whether it has not ended.
    pub fn lives(&self) -> bool {
        status(self.pid).is_some_and(|status| status.state != "Z" && status.started == self.started)
    }

    /// Sends a signal; whether there was still somebody to have it.
    pub fn signal(&self, signal: Signal) -> bool {
        let pid = Pid::from_raw(self.pid.try_into().unwrap()).unwrap();
        self.lives() && kill_process(pid, signal).is_ok()
    }

    /// The environment that it was started with.
    pub fn environment(&self) -> Vec<(String, String)> {
        let environment = std::fs::read(format!("/proc/{}/environ", self.pid)).unwrap_or_default();
        let pairs = environment.split(|byte| *byte == 0).map(|pair| String::from_utf8_lossy(pair).into_owned());
        pairs.filter_map(|pair| pair.split_once('=').map(|(name, value)| (name.to_owned(), value.to_owned()))).collect()
    }

    /// A variable of it.
    pub fn variable(&self, name: &str) -> Option<String> {
        self.environment().into_iter().find_map(|(other, value)| (other == name).then_some(value))
    }
}

/// The one process of this name among those that `pid` started.
pub fn named(pid: u32, name: &str) -> Option<Process> {
    // The kernel keeps fifteen characters of a name.
    let kept: String = name.chars().take(15).collect();
    family(pid).into_iter().find(|process| process.name == kept && process.lives())
}

/// The process of this number.
pub fn this(pid: u32) -> Process {
    let Status { name, started, .. } = status(pid).expect("it runs");
    Process { pid, name, started }
}

/// Waits until all of them have ended, as they must soon after the kill of the `local` that started them.
#[track_caller]
pub fn wait_for_the_end(family: &BTreeSet<Process>) {
    let all_ended = step("waiting for the killed system's processes", || {
        wait_for(AFTERLIFE, || !family.iter().any(Process::lives))
    });
    let left: Vec<_> = family.iter().filter(|process| process.lives()).collect();
    assert!(all_ended, "these outlive the kill by {AFTERLIFE:?}: {left:?}");
}

/// A process and all that it started, and what those started.
pub fn family(pid: u32) -> BTreeSet<Process> {
    let all: Vec<(u32, Status)> = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
        .filter_map(|pid| Some((pid, status(pid)?)))
        .collect();
    let mut pids = BTreeSet::from([pid]);
    while let Some((next, _)) = all.iter().find(|(pid, status)| !pids.contains(pid) && pids.contains(&status.parent)) {
        pids.insert(*next);
    }
    all.into_iter()
        .filter(|(pid, _)| pids.contains(pid))
        .map(|(pid, status)| Process { pid, name: status.name, started: status.started })
        .collect()
}

/// The TCP ports that these processes listen on.
pub fn ports(processes: &BTreeSet<Process>) -> BTreeSet<u16> {
    const LISTENS: &str = "0A";
    let sockets: BTreeSet<String> = processes.iter().flat_map(|process| sockets(process.pid)).collect();
    ["/proc/net/tcp", "/proc/net/tcp6"]
        .iter()
        .flat_map(|table| {
            std::fs::read_to_string(table).unwrap_or_default().lines().map(str::to_owned).collect::<Vec<_>>()
        })
        .filter_map(|line| {
            let fields: Vec<&str> = line.split_whitespace().collect();
            let (address, state, inode) = (fields.get(1)?, fields.get(3)?, fields.get(9)?);
            let port = u16::from_str_radix(address.rsplit_once(':')?.1, 16).ok()?;
            (*state == LISTENS && sockets.contains(&format!("socket:[{inode}]"))).then_some(port)
        })
        .collect()
}

fn sockets(pid: u32) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(Path::new("/proc").join(pid.to_string()).join("fd")) else { return Vec::new() };
    entries.flatten().filter_map(|entry| std::fs::read_link(entry.path()).ok()?.to_str().map(str::to_owned)).collect()
}
