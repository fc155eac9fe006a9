//! What holds across crates: that the files which describe the system agree with each other.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking, in its helpers too")]

mod drift;
mod event_shapes;
mod project;
