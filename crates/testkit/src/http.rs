//! Requests to handlers, and their answers, without a runtime between.

use edge::{Body, Incoming, Reply, Request};
use serde_json::Value;

/// The request that an event carries, as a function under Lambda hands it to its handler.
#[must_use]
pub fn request_of(event: &str) -> Request {
    Incoming::read(event.as_bytes()).into_request().unwrap()
}

/// A request by hand: a JSON body where it has one.
#[must_use]
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let pairs = query.split('&').filter(|pair| !pair.is_empty());
    let query = pairs.map(|pair| pair.split_once('=').unwrap_or((pair, ""))).map(|(a, b)| (a.to_owned(), b.to_owned()));
    let mut request = Request::new(body.into()).at(method.parse().unwrap(), bare, query.collect());
    for (name, value) in headers {
        let name: edge::HeaderName = name.parse().unwrap();
        request.headers_mut().append(name, value.parse().unwrap());
    }
    request
}

/// Status and body of an answer; `Null` where it has none.
#[must_use]
pub fn parts(reply: Reply) -> (u16, Value) {
    let status = reply.status().as_u16();
    match reply.into_body() {
        Body::Text(text) => (status, serde_json::from_str(&text).unwrap()),
        _ => (status, Value::Null),
    }
}
