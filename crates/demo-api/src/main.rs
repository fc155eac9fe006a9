//! `demo-api`: a protected API to try Keygate on.

use std::future::ready;
use std::sync::Arc;

use demo_api::handle;
use edge::{Clock, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    edge::start_logging();
    // Its refusals never need the base URL: whoever gets here has passed the authorizer.
    edge::run(Arc::new(()), "", Clock::new(), |_, request, now| ready(handle(&request, now))).await?;
    Ok(())
}
