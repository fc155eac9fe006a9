//! Requests to handlers, and their answers, without a runtime between.

use std::collections::HashMap;

use lambda_http::{Body, Request, Response};
use serde_json::Value;

/// The request that an event carries, as a function under Lambda hands it to its handler.
#[must_use]
pub fn request_of(event: &str) -> Request {
    serde_json::from_str::<edge::Incoming>(event).unwrap().into_request().unwrap()
}

/// A request by hand: a JSON body where it has one.
#[must_use]
pub fn request(method: &str, path: &str, headers: &[(&str, &str)], body: impl Into<Body>) -> Request {
    use lambda_http::RequestExt as _;
    let (bare, query) = path.split_once('?').unwrap_or((path, ""));
    let mut request = lambda_http::http::Request::builder().method(method).uri(format!("https://auth.example{path}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let parameters: HashMap<String, Vec<String>> =
        query.split('&').filter(|pair| !pair.is_empty()).fold(HashMap::new(), |mut all, pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            all.entry(name.to_owned()).or_insert_with(Vec::new).push(value.to_owned());
            all
        });
    request.body(body.into()).unwrap().with_raw_http_path(bare).with_query_string_parameters(parameters)
}

/// Status and body of an answer; `Null` where it has none.
#[must_use]
pub fn parts(reply: Response<Body>) -> (u16, Value) {
    let status = reply.status().as_u16();
    match reply.into_body() {
        Body::Text(text) => (status, serde_json::from_str(&text).unwrap()),
        _ => (status, Value::Null),
    }
}
