//! Answers.

use http::{HeaderValue, Response, StatusCode, header};
use serde::Serialize;

use crate::request::Body;

/// An answer of an HTTP function.
pub type Reply = Response<Body>;

/// 200 with a JSON body.
#[must_use]
pub fn ok(body: &impl Serialize) -> Reply {
    with_status(StatusCode::OK, body)
}

/// A JSON body under some status. Nothing that is answered may be kept by a cache unless its handler says so: most of
/// it is secret, and all of it is of this moment.
#[must_use]
pub fn with_status(status: StatusCode, body: &impl Serialize) -> Reply {
    // Serialising our own bodies can't fail: they have string keys and no maps of other things.
    let mut reply = Response::new(Body::Text(serde_json::to_string(body).unwrap_or_default()));
    *reply.status_mut() = status;
    let headers = reply.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}

/// 204.
#[must_use]
pub fn no_content() -> Reply {
    let mut reply = Response::new(Body::Empty);
    *reply.status_mut() = StatusCode::NO_CONTENT;
    reply.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    reply
}
