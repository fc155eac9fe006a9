//! The least that a function on this project's own runtime costs. Its event is taken, and not read.

use runtime::{Bytes, Invocation, RuntimeError, run};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), RuntimeError> {
    run(async |_: Invocation| Ok(Bytes::from_static(br#""constant""#))).await
}
