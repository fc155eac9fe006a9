//! `jwks`: what verifiers and clients read about this issuer.

use std::sync::Arc;

use domain::Access;
use edge::{Clock, Error};
use jwks::{App, handle};
use store::{Config, Store, Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    let clock = Clock::new();
    let base_url = edge::base_url()?;
    let store = Store::connect(Config::from_env(&[Table::Signing])?)?;
    let reads_documents = edge::per_hour("KEYGATE_CLIENT_DOCUMENTS_PER_HOUR")? > 0;
    let app = App::new(store, &base_url, &Access::built_in()?, reads_documents);
    edge::run(Arc::new(app), &base_url, clock, handle).await?;
    Ok(())
}
