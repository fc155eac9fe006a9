//! Runs a handler on Lambda: the Runtime API, and the part of the Extensions API by which a process learns of its end.
//!
//! 1. [`run`] asks Lambda for the next invocation, and waits until there is one.
//! 2. The handler makes bytes of its bytes, or an [`InvocationError`].
//! 3. They are posted under the invocation's id, over the same connection.
//!
//! One invocation at a time, on one thread and one connection: what Lambda gives a process that is not told otherwise. Nothing
//! is kept of an invocation. The protocol: <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>.

mod connection;
mod error;
mod invocation;
mod run;
mod shutdown;

pub use bytes::Bytes;
pub use error::RuntimeError;
pub use invocation::{Invocation, InvocationError};
pub use run::{request_id, run, run_at};
pub use shutdown::on_shutdown;
