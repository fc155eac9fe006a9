//! `key-management`: API keys, created, listed, changed, rotated and revoked by program.

use std::sync::Arc;

use domain::Access;
use edge::{Clock, Error};
use identity::Identity;
use key_management::{App, handle};
use signing::Audience;
use store::{Config, Store, Table};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    let clock = Clock::new();
    let base_url = edge::base_url()?;
    let tables = [Table::Keys, Table::Directory, Table::Signing, Table::Usage, Table::Audit];
    let store = Store::connect(Config::from_env(&tables)?)?;
    let audience = Audience { issuer: base_url.clone(), resource: base_url.clone() };
    let identity = Identity::new(store.clone(), audience).within(edge::revocation_bound()?);
    let app = App { identity, store, access: Access::built_in()? };
    edge::run(Arc::new(app), &base_url, clock, handle).await?;
    Ok(())
}
