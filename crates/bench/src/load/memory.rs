//! What the functions' processes have resident.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use crate::failure::Failure;
use crate::load::Grown;

/// The memory of all instances of each function, in MB, by its program's name.
pub(crate) struct Memory {
    by_program: BTreeMap<String, f64>,
    instances: BTreeSet<u32>,
}

impl Memory {
    /// That of the functions which the process `local` has started, by its warden.
    pub(crate) fn of(local: u32) -> Result<Self, Failure> {
        let parents = parents()?;
        let children = |of: u32| parents.iter().filter(move |(_, parent)| **parent == of).map(|(pid, _)| *pid);
        let (mut by_program, mut instances) = (BTreeMap::new(), BTreeSet::new());
        for pid in children(local).flat_map(children) {
            // One that has just ended has none.
            let Ok(program) = fs::read_link(format!("/proc/{pid}/exe")) else { continue };
            let Some(name) = program.file_name().and_then(|name| name.to_str()) else { continue };
            *by_program.entry(name.to_owned()).or_default() += resident(pid).unwrap_or_default();
            instances.insert(pid);
        }
        Ok(Self { by_program, instances })
    }
}

/// What each function had after the first of these and after the last.
///
/// # Errors
/// [`Failure::Ended`] where an instance has ended in between: the one in its place has forgotten what grew.
pub(crate) fn growth(after: &[Memory]) -> Result<Vec<Grown>, Failure> {
    let (Some(first), Some(last)) = (after.first(), after.last()) else { return Ok(Vec::new()) };
    if first.instances != last.instances {
        return Err(Failure::Ended("an instance".to_owned()));
    }
    let of = |name: &String| last.by_program.get(name).copied().unwrap_or_default();
    Ok(first
        .by_program
        .iter()
        .map(|(name, first)| Grown { program: name.clone(), first: *first, last: of(name) })
        .collect())
}

/// Every process's parent.
fn parents() -> Result<BTreeMap<u32, u32>, Failure> {
    let mut parents = BTreeMap::new();
    for entry in fs::read_dir("/proc")? {
        let path = entry?.path();
        let Some(pid) = path.file_name().and_then(|name| name.to_str()?.parse().ok()) else { continue };
        parents.extend(parent(&path).map(|parent| (pid, parent)));
    }
    Ok(parents)
}

fn parent(process: &Path) -> Option<u32> {
    let stat = fs::read_to_string(process.join("stat")).ok()?;
    // Behind the program's name, which stands in brackets and may hold anything.
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}
