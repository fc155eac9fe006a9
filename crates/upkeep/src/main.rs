//! `upkeep`: what must happen from time to time, whether anybody calls or not.

use std::sync::Arc;

use edge::{Clock, Error};
use lambda_runtime::{Diagnostic, LambdaEvent, service_fn};
use signing::{Wrapper, algorithm_from_env};
use store::{Config, Store, Table};
use upkeep::{App, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    let clock = Clock::new();
    let store = Store::connect(Config::from_env(&[Table::Keys, Table::Signing, Table::Audit])?).await;
    let app = Arc::new(App { store, wrapper: Wrapper::from_env().await?, algorithm: algorithm_from_env()? });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<serde_json::Value>| {
        let app = app.clone();
        async move {
            // Boxed: its future is too deep for the compiler within the runtime's own.
            let outcome = Box::pin(handle(&app, event.payload, clock.now())).await;
            // Its text is what an operator reads who has sent a command.
            outcome.map_err(|error| Diagnostic { error_type: "Upkeep".to_owned(), error_message: error.to_string() })
        }
    }))
    .await
}
