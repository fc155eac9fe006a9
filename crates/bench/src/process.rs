//! What another process has used: its CPU time by the kernel's own clock of it, and the most memory that it has had.

use std::time::Duration;

use crate::failure::Failure;

/// The CPU time of a process, user and system, of all the threads that it has had. To the nanosecond, also while it runs.
///
/// # Errors
/// [`Failure::Ended`] where there is no such process any more.
#[cfg(target_os = "linux")]
pub(crate) fn cpu(pid: u32) -> Result<Duration, Failure> {
    use nix::time::ClockId;
    use nix::unistd::Pid;

    let gone = |_| Failure::Ended(format!("process {pid}"));
    let id = i32::try_from(pid).map_err(|_| Failure::Ended(format!("process {pid}")))?;
    let time = ClockId::pid_cpu_clock_id(Pid::from_raw(id)).and_then(ClockId::now).map_err(gone)?;
    Ok(time.into())
}

/// Another process's clock is read on Linux alone.
#[cfg(not(target_os = "linux"))]
pub(crate) fn cpu(_: u32) -> Result<Duration, Failure> {
    Err(Failure::Start("processes are measured on Linux alone".to_owned()))
}

/// Keeps this thread, and every process that it starts from now on, on one processor, as a function of less than 1,769 MB has no
/// more. A processor that has slept between two events finds its caches cold, and takes half as long again for the same: that
/// measures the machine, and differently each time.
///
/// # Errors
/// [`Failure::Start`] where the system refuses.
#[cfg(target_os = "linux")]
pub(crate) fn stay_on_one_processor() -> Result<(), Failure> {
    use nix::sched::{CpuSet, sched_getaffinity, sched_setaffinity};
    use nix::unistd::Pid;

    let refused = |error: nix::Error| Failure::Start(format!("staying on one processor: {error}"));
    let this = Pid::from_raw(0);
    let allowed = sched_getaffinity(this).map_err(refused)?;
    let first = (0..CpuSet::count()).find(|processor| allowed.is_set(*processor).is_ok_and(|is_allowed| is_allowed));
    let mut one = CpuSet::new();
    one.set(first.unwrap_or_default()).map_err(refused)?;
    sched_setaffinity(this, &one).map_err(refused)
}

/// Elsewhere nothing is measured either.
#[cfg(not(target_os = "linux"))]
pub(crate) fn stay_on_one_processor() -> Result<(), Failure> {
    Ok(())
}

/// The most memory that a process has had resident, in MB (`VmHWM`).
///
/// # Errors
/// [`Failure::Io`] where there is no such process any more.
pub(crate) fn peak_memory(pid: u32) -> Result<f64, Failure> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.and_then(|line| line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok());
    Ok(kilobytes.ok_or_else(|| Failure::Ended(format!("process {pid}")))? / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_is_seen_to_and_one_that_is_gone_is_an_error() {
        let own = std::process::id();
        let before = cpu(own).unwrap();
        let mut sum = 0_u64;
        while cpu(own).unwrap() < before + Duration::from_millis(20) {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(peak_memory(own).unwrap() > 0.5);
        assert!(cpu(u32::MAX).is_err() && peak_memory(u32::MAX).is_err());
    }
}
