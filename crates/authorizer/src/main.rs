//! `authorizer`: decides at the gateway whether a call may pass.

use std::sync::Arc;

use authorizer::{App, Event, HttpApiResponse, Policies, handle};
use domain::Access;
use edge::{Clock, Error};
use identity::Identity;
use runtime::Invocation;
use signing::Audience;
use store::{Config, Store, Table, UsageBuffer};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    let clock = Clock::new();
    let base_url = edge::base_url()?;
    let access = Access::built_in()?;
    let policies = Policies::from_env(&access)?;
    let http_api_response = HttpApiResponse::from_env(&policies)?;
    let tables = [Table::Keys, Table::Directory, Table::Signing, Table::Usage];
    let store = Store::connect(Config::from_env(&tables)?)?;
    let audience = Audience { issuer: base_url.clone(), resource: base_url.clone() };
    let usage = Arc::new(UsageBuffer::new(store.clone()));
    edge::flush_usage(usage.clone(), clock).await?;
    let app = App {
        identity: Identity::new(store, audience).within(edge::revocation_bound()?),
        usage,
        access,
        policies,
        http_api_response,
        base_url,
    };
    runtime::run(async |Invocation { event, .. }| {
        let event = Event::read(&event);
        edge::written(&handle(&app, &event, clock.now()).await?)
    })
    .await?;
    Ok(())
}
