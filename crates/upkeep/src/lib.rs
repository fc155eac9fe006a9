//! What must happen from time to time, whether anybody calls or not. `EventBridge` calls every hour; an operator who may
//! invoke the function calls with a command.
//!
//! Each job does what is due, and nothing where nothing is: a run that is lost is made good by the next, and two at once do
//! no more than one.

mod error;
mod event;
mod report;
mod signing_keys;

use domain::{Algorithm, Moment};
use signing::Wrapper;
use store::Store;

pub use error::UpkeepError;
use event::Event;
pub use report::Report;

/// What this function uses: the signing table, the feed, and the deployment's own chain of the audit log. It wraps and never
/// unwraps.
pub struct App {
    /// The tables.
    pub store: Store,
    /// What new private keys are wrapped with.
    pub wrapper: Wrapper,
    /// What new keys sign with.
    pub algorithm: Algorithm,
}

/// Does what is due, or what a command says.
///
/// # Errors
/// [`UpkeepError`]; whatever was done is whole.
pub async fn handle(app: &App, event: serde_json::Value, now: Moment) -> Result<Report, UpkeepError> {
    let now = now.timestamp();
    let done = match Event::read(event)? {
        Event::Scheduled => signing_keys::due(app, now).await,
        Event::Rotate { algorithm, at_once } => signing_keys::rotate(app, algorithm, at_once, now).await,
        Event::Withdraw { kid } => signing_keys::withdraw(app, &kid, now).await,
    };
    done.inspect_err(|error| tracing::error!(%error, "upkeep failed"))
}
