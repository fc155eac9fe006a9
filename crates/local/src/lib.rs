//! The whole system on one machine: an embedded store, the functions, and a gateway that plays API Gateway.
//!
//! [`run::run`] is the order of things.

pub mod args;
pub mod cargo_lambda;
mod clock;
pub mod compile;
pub mod data_dir;
pub mod environment;
pub mod failure;
pub mod functions;
pub mod gateway;
pub mod lambda;
mod progress;
pub mod project;
pub mod run;
pub mod schedule;
pub mod seed;
mod signals;
pub mod warden;
pub mod welcome;

pub use progress::{say, warn};
