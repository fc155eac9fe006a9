//! The least that a function on Lambda costs: it answers a constant, and makes nothing of its event.

use std::convert::Infallible;

use lambda_runtime::{Error, LambdaEvent, service_fn};
use serde::de::IgnoredAny;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda_runtime::run(service_fn(async |_: LambdaEvent<IgnoredAny>| Ok::<_, Infallible>("constant"))).await
}
