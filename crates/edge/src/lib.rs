//! What every HTTP function shares: reading a request, answering it, running under Lambda.
//!
//! Handlers take a [`Request`] and a [`domain::Moment`] and give a [`Reply`]; this crate alone reads the clock, and
//! turns each [`ApiError`] into its answer in one place.

mod answer;
mod caller;
mod clock;
mod cursor;
mod error;
mod form;
mod headers;
mod incoming;
mod json;
mod logging;
mod members;
mod metrics;
mod oauth;
mod parameters;
mod query;
mod refused;
mod repeatable;
mod reply;
mod request;
mod runtime;
mod settings;
mod start;
mod urlencoded;
mod usage;

pub use answer::{Answer, answer};
pub use caller::{act, caller, principal};
pub use clock::Clock;
pub use cursor::{decode_cursor, encode_cursor};
pub use error::{ApiError, Limited};
pub use form::{Given, checked_name, is_unseen};
pub use headers::header_values;
pub use incoming::Incoming;
pub use json::{MAX_BODY_BYTES, json, json_or_nothing, json_up_to};
pub use logging::start_logging;
pub use members::{All, Members, Text, Wanted, read_in_place};
pub use oauth::OauthError;
pub use parameters::{Parameters, Repeated};
pub use query::Query;
pub use refused::note_refusal;
pub use repeatable::Repeatable;
pub use reply::{Reply, no_content, ok, with_status};
pub use request::{Body, Request};
pub use runtime::{PATIENCE, run, written};
pub use settings::{SettingsError, base_url, per_hour, revocation_bound};
pub use urlencoded::form_decoded;
pub use usage::flush_usage;

pub use http::{HeaderName, HeaderValue, Method, StatusCode};

pub use start::Error;
