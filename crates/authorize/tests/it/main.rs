//! The function's handler on a store of each test's own.
#![expect(clippy::unwrap_used, reason = "a test that can't go on has failed")]

mod browser;
mod decide;
mod documents;
mod events;
mod faults;
mod logout;
mod pages;
mod register;
mod request;
mod setup;
mod sign_in;
