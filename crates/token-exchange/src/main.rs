//! `token-exchange`: an API key, or a password, becomes a short-lived token.

use std::sync::Arc;

use domain::Access;
use edge::{Clock, Error};
use identity::Identity;
use signing::{Audience, Wrapper, algorithm_from_env};
use store::{Config, Store, Table, UsageBuffer};
use token_exchange::{App, SigningKey, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    let clock = Clock::new();
    let issuer = edge::base_url()?;
    let tables = [Table::Keys, Table::Directory, Table::Signing, Table::Usage, Table::Audit];
    let store = Store::connect(Config::from_env(&tables)?)?;
    let audience = Audience { issuer: issuer.clone(), resource: issuer.clone() };
    let signing_key = SigningKey::new(store.clone(), Wrapper::from_env()?, algorithm_from_env()?);
    signing_key.prepare(clock.now()).await;
    let usage = Arc::new(UsageBuffer::new(store.clone()));
    edge::flush_usage(usage.clone(), clock).await?;
    let app = App {
        identity: Identity::new(store.clone(), audience).within(edge::revocation_bound()?),
        store,
        signing_key,
        usage,
        access: Access::built_in()?,
        issuer: issuer.clone(),
        sign_ups_per_hour: edge::per_hour("KEYGATE_SIGN_UPS_PER_HOUR")?,
    };
    edge::run(Arc::new(app), &issuer, clock, handle).await?;
    Ok(())
}
