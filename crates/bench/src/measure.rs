//! One batch of calls.

use std::future::Future;
use std::time::Duration;

use crate::clocks;
use crate::failure::Failure;
use crate::store_process::StoreProcess;

/// What a batch of calls cost.
#[derive(Clone, Debug, PartialEq)]
pub struct Batch {
    /// CPU time of this process, per call, in microseconds.
    pub function_cpu: f64,
    /// CPU time of the store's process, per call, in microseconds.
    pub store_cpu: f64,
    /// How long each call took, in microseconds.
    pub wall: Vec<f64>,
}

/// Makes `calls` one after the other, and gives their answers with what they cost. What an answer is worth is looked at
/// afterwards, so that looking costs nothing here.
///
/// # Errors
/// [`Failure::Io`] where the store is gone.
pub async fn batch<C, A, F: Future<Output = A>>(
    stored: &mut StoreProcess,
    calls: Vec<C>,
    make: impl Fn(C) -> F,
) -> Result<(Batch, Vec<A>), Failure> {
    let count = calls.len();
    let (mut wall, mut answers) = (Vec::with_capacity(count), Vec::with_capacity(count));
    let store_before = stored.cpu()?;
    let before = clocks::cpu();
    for call in calls {
        let start = clocks::start();
        let answer = make(call).await;
        wall.push(microseconds(start.elapsed()));
        answers.push(answer);
    }
    let function_cpu = per_call(clocks::cpu().saturating_sub(before), count);
    let store_cpu = per_call(stored.cpu()?.saturating_sub(store_before), count);
    Ok((Batch { function_cpu, store_cpu, wall }, answers))
}

fn microseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e6
}

fn per_call(time: Duration, calls: usize) -> f64 {
    microseconds(time / u32::try_from(calls.max(1)).unwrap_or(u32::MAX))
}
