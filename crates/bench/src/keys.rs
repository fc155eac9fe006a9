//! Whether list, get and exchange cost in a client of many keys what they cost in one of ten.
//!
//! Two clients in one store, whose number of keys is their only difference. Both are asked the same: for their first nine
//! keys, for four from the middle of the list, for a key by its id, for a token; the last two go through all keys. A page
//! of 50 holds ten keys where there are no more: that row shows what further keys in an answer cost.
//!
//! The functions are warm, and the time that they are told stands still: no read of the feed and no flush of counts is in
//! the numbers. A function makes the one every few seconds, and the other behind its answers, for each key that was used.

mod client;
mod fill;
mod functions;
mod operation;

use crate::failure::Failure;
use crate::measure::{Batch, batch};
use crate::report::{Compared, Report};
use crate::store_process::StoreProcess;

use client::FilledClient;
pub(crate) use fill::KEYS_TABLE;
use functions::Functions;
use operation::Operation;

/// How many the few keys are.
pub const FEW: usize = 10;
/// How many the many may be.
pub const MOST: usize = 1_000_000;

/// What to compare.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many the many keys are: more than [`FEW`], [`MOST`] at most.
    pub keys: usize,
    /// How many rounds.
    pub rounds: usize,
    /// How many calls of each kind a round makes of each client.
    pub calls: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { keys: 100_000, rounds: 30, calls: 50 }
    }
}

/// Compares a client of [`FEW`] keys with one of many.
///
/// # Errors
/// [`Failure`], for a single wrong answer too.
pub async fn compare(options: &Options) -> Result<Report, Failure> {
    let folder = tempfile::Builder::new().prefix("keygate-bench-").tempdir()?;
    let mut stored = StoreProcess::start(&folder.path().join("keygate.db"))?;
    let functions = Functions::start(stored.endpoint())?;
    let few = FilledClient::new(&functions, &mut stored, FEW).await?;
    let many = FilledClient::new(&functions, &mut stored, options.keys).await?;
    let mut measured = Operation::ALL.map(|operation| (operation, Vec::new()));
    // One round more, which warms everything up and is not counted.
    for round in 0..=options.rounds {
        for (operation, batches) in &mut measured {
            let mut turn =
                async |client| turn(&mut stored, &functions, client, *operation, round * options.calls, options).await;
            // What is second finds the machine as the first has left it, so they take turns in that too.
            let both = if round % 2 == 0 {
                let first = turn(&few).await?;
                [first, turn(&many).await?]
            } else {
                let first = turn(&many).await?;
                [turn(&few).await?, first]
            };
            if round > 0 {
                batches.push(both);
            }
        }
    }
    let operations = measured.iter().map(|(operation, batches)| {
        let answered = [&few, &many].map(|client| operation.answers(client.keys.len()));
        Compared::new(operation.name(), answered, batches)
    });
    Ok(Report {
        command: "keys",
        sides: [FEW, options.keys].map(|keys| format!("{keys} keys")),
        rounds: options.rounds,
        calls: options.calls,
        unoptimised: cfg!(debug_assertions),
        operations: operations.collect(),
    })
}

/// One batch of calls on one client; `begun` is how many were made of it before.
async fn turn(
    stored: &mut StoreProcess,
    functions: &Functions,
    client: &FilledClient,
    operation: Operation,
    begun: usize,
    options: &Options,
) -> Result<Batch, Failure> {
    let calls: Vec<_> = (begun..begun + options.calls).map(|turn| client.call(operation, turn)).collect();
    let (requests, expected): (Vec<_>, Vec<_>) = calls.into_iter().unzip();
    let (cost, answers) = batch(stored, requests, |request| functions.answer(operation.function(), request)).await?;
    for (answer, expected) in answers.into_iter().zip(expected) {
        expected.check(operation.name(), answer)?;
    }
    Ok(cost)
}
