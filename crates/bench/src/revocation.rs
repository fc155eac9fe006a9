//! How long a revoked key and its token are still let through, by four authorizers under load.
//!
//! The authorizers are real processes, each with a feed interval of its own, begun a second apart. Each is asked without a pause,
//! by a token and by the raw key of every key that is being revoked, and of one that stays. A delay runs from when the
//! revocation was sent to the store, so it is a few milliseconds too long rather than too short, to when the last allow was
//! here.
//!
//! What ends it as wrong: a refusal before the revocation, an allow after a refusal, an allow for a call that began later than
//! the bound after the revocation was answered, a refusal of the key that stays, any other answer.

mod caller;
mod report;
mod tenant;

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::clocks;
use crate::failure::Failure;
use crate::program::Program;
use crate::runtime_api::Instance;
use crate::store_process::{StoreProcess, connect};

use caller::{Tally, Watch, call};
pub use report::{Delay, Report};
use tenant::Tenant;

/// How many authorizers there are.
pub const AUTHORIZERS: usize = 4;
/// What is promised: a call that begins later than this after the revocation is refused.
pub const BOUND: Duration = Duration::from_secs(5);
/// How long a key is looked at after the bound, so that an allow that comes back would be seen.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// How much later than the one before it an authorizer begins.
const APART: Duration = Duration::from_secs(1);

/// What to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Options {
    /// How many keys are revoked.
    pub rounds: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { rounds: 100 }
    }
}

/// Revokes keys while the authorizers are asked.
///
/// # Errors
/// [`Failure`], for a single wrong answer too.
pub async fn measure(options: &Options) -> Result<Report, Failure> {
    let folder = tempfile::Builder::new().prefix("keygate-bench-").tempdir()?;
    let stored = StoreProcess::start(&folder.path().join("keygate.db"))?;
    let program = Program::build("authorizer", stored.endpoint(), "").await?;
    let tenant = Tenant::new(connect(stored.endpoint())).await?;
    let watch = Arc::new(Watch::new(tenant.key().await?.1));
    let begun = clocks::start();
    let mut callers = JoinSet::new();
    for _ in 0..AUTHORIZERS {
        callers.spawn(call(Instance::start(program.command()).await?, watch.clone()));
        tokio::time::sleep(APART).await;
    }
    let revocations = async {
        revoke_all(&tenant, &watch, options.rounds).await?;
        watch.stop();
        std::future::pending().await
    };
    let mut tallies = Vec::new();
    tokio::select! {
        // A caller ends early only where something is wrong.
        failed = async {
            while let Some(ended) = callers.join_next().await {
                tallies.push(ended.map_err(std::io::Error::other)??);
            }
            Ok::<_, Failure>(())
        } => failed?,
        failed = revocations => return failed,
    }
    Ok(Report::new(options.rounds, begun.elapsed(), &Tally::sum(tallies)))
}

async fn revoke_all(tenant: &Tenant, watch: &Arc<Watch>, rounds: usize) -> Result<(), Failure> {
    let mut watched = JoinSet::new();
    for round in 0..rounds {
        let (key, events) = tenant.key().await?;
        let subject = watch.add(events);
        while !subject.is_known() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        tokio::time::sleep(pause(round)).await;
        let sent = clocks::start();
        tenant.revoke(&key).await?;
        subject.revoked(sent, clocks::start());
        let watch = watch.clone();
        watched.spawn(async move {
            tokio::time::sleep(BOUND + AFTERWARDS).await;
            watch.remove(&subject);
        });
    }
    while watched.join_next().await.is_some() {}
    Ok(())
}

/// Steps that meet no moment of an interval more often than another: by the golden ratio.
fn pause(round: usize) -> Duration {
    let steps = u64::try_from(round).unwrap_or_default();
    Duration::from_millis(steps * 618 % 1000 / 2)
}
