//! One event, one answer.

use std::future::Future;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::HeaderMap;
use http::header::SET_COOKIE;
use serde::ser::SerializeMap as _;
use serde::{Serialize, Serializer};

use crate::error::ApiError;
use crate::incoming::{Form, Incoming};
use crate::reply::Reply;
use crate::request::{Body, Request};

/// An answer in the form that its event's gateway takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    status_code: u16,
    headers: Single,
    multi_value_headers: Multiple,
    #[serde(skip_serializing_if = "Option::is_none")]
    cookies: Option<Vec<String>>,
    body: String,
    is_base64_encoded: bool,
}

/// Headers of one value each.
#[derive(Debug)]
struct Single(HeaderMap);

/// Headers with all their values.
#[derive(Debug)]
struct Multiple(HeaderMap);

/// The answer to an event, in the form that the event's gateway takes: what [`run`](crate::run) does with each. What is
/// no request gets an answer too, since no input may end in a 5xx.
pub async fn answer<H, F>(event: Incoming, base_url: &str, handler: H) -> Answer
where
    H: FnOnce(Request) -> F,
    F: Future<Output = Result<Reply, ApiError>>,
{
    let form = event.form;
    let outcome = if let Some(request) = event.into_request() {
        handler(request).await
    } else {
        tracing::warn!("not an HTTP event");
        Err(ApiError::BadRequest("Not an HTTP event".to_owned()))
    };
    Answer::new(form, outcome.unwrap_or_else(|error| error.into_reply(base_url)))
}

impl Answer {
    fn new(form: Form, reply: Reply) -> Self {
        let (parts, body) = reply.into_parts();
        let mut headers = parts.headers;
        let (headers, multi_value_headers, cookies) = match form {
            // A REST API merges both maps: what stood in both would be sent twice.
            Form::One => (HeaderMap::new(), headers, None),
            Form::Two => {
                let cookies = headers.get_all(SET_COOKIE).iter().map(|cookie| text(cookie).to_owned()).collect();
                headers.remove(SET_COOKIE);
                (headers, HeaderMap::new(), Some(cookies))
            }
        };
        let (body, is_base64_encoded) = match body {
            Body::Empty => (String::new(), false),
            Body::Text(text) => (text, false),
            Body::Binary(bytes) => (STANDARD.encode(bytes), true),
        };
        Self {
            status_code: parts.status.as_u16(),
            headers: Single(headers),
            multi_value_headers: Multiple(multi_value_headers),
            cookies,
            body,
            is_base64_encoded,
        }
    }
}

/// Headers of our own are visible ASCII.
fn text(value: &http::HeaderValue) -> &str {
    value.to_str().unwrap_or_default()
}

impl Serialize for Single {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.keys_len()))?;
        for name in self.0.keys() {
            // Several values of a header are one, joined by commas (RFC 9110, section 5.3).
            let values: Vec<_> = self.0.get_all(name).iter().map(text).collect();
            map.serialize_entry(name.as_str(), &values.join(", "))?;
        }
        map.end()
    }
}

impl Serialize for Multiple {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.keys_len()))?;
        for name in self.0.keys() {
            let values: Vec<_> = self.0.get_all(name).iter().map(text).collect();
            map.serialize_entry(name.as_str(), &values)?;
        }
        map.end()
    }
}
