//! `upkeep`: what must happen from time to time, whether anybody calls or not.

use std::fmt::Display;

use edge::{Clock, Error};
use runtime::{Invocation, InvocationError};
use signing::{Wrapper, algorithm_from_env};
use store::{Config, Store, Table};
use upkeep::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    let clock = Clock::new();
    let store = Store::connect(Config::from_env(&[Table::Keys, Table::Signing, Table::Audit])?)?;
    let app = App { store, wrapper: Wrapper::from_env()?, algorithm: algorithm_from_env()? };
    // Its text is what an operator reads who has sent a command.
    let failed =
        |error: &dyn Display| InvocationError { error_type: "Upkeep".to_owned(), error_message: error.to_string() };
    runtime::run(async |Invocation { event, .. }| {
        let event = serde_json::from_slice(&event).map_err(|error| failed(&error))?;
        edge::written(&handle(&app, event, clock.now()).await.map_err(|error| failed(&error))?)
    })
    .await?;
    Ok(())
}
