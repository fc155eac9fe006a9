//! `authorizer`: decides at the gateway whether a call may pass.

use std::sync::Arc;

use authorizer::{App, Event, HttpApiResponse, Policies, handle};
use domain::Access;
use edge::{Clock, Error};
use identity::Identity;
use lambda_runtime::{BoxFuture, LambdaEvent, service_fn};
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
    let store = Store::connect(Config::from_env(&tables)?).await;
    let audience = Audience { issuer: base_url.clone(), resource: base_url.clone() };
    let usage = Arc::new(UsageBuffer::new(store.clone()));
    edge::flush_usage(usage.clone(), clock).await;
    let app = Arc::new(App {
        identity: Identity::new(store, audience).within(edge::revocation_bound()?),
        usage,
        access,
        policies,
        http_api_response,
        base_url,
    });
    lambda_runtime::run(service_fn(move |event: LambdaEvent<Event>| -> BoxFuture<'static, _> {
        let app = app.clone();
        Box::pin(async move { handle(&app, &event.payload, clock.now()).await })
    }))
    .await
}
