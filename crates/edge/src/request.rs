//! A request, as a handler sees it.

use std::net::IpAddr;

use http::{HeaderMap, Method};
use serde_json::{Map, Value};

/// The body of a request or of an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Body {
    /// None.
    #[default]
    Empty,
    /// Text.
    Text(String),
    /// Bytes that are no text, or were not sent as text.
    Binary(Vec<u8>),
}

impl Body {
    /// What it consists of.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Empty => &[],
            Self::Text(text) => text.as_bytes(),
            Self::Binary(bytes) => bytes,
        }
    }
}

impl From<&str> for Body {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Body {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<&[u8]> for Body {
    fn from(bytes: &[u8]) -> Self {
        Self::Binary(bytes.to_owned())
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Binary(bytes)
    }
}

/// A request that came by a REST API, an HTTP API or a function URL.
///
/// It has no host and no scheme: those are callers' words, and nothing here needs them.
#[derive(Clone, Debug, Default)]
pub struct Request {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Body,
    pub(crate) source_address: Option<IpAddr>,
    pub(crate) authorizer: Map<String, Value>,
}

impl Request {
    /// `GET /` with a body.
    #[must_use]
    pub fn new(body: Body) -> Self {
        Self { path: "/".to_owned(), body, ..Self::default() }
    }

    /// The same by another method, at another path, with these query parameters.
    #[must_use]
    pub fn at(self, method: Method, path: &str, query: Vec<(String, String)>) -> Self {
        Self { method, path: path.to_owned(), query, ..self }
    }

    /// The method.
    #[must_use]
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path, without the stage, as the caller has written it.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The segments of the path: `["auth", "token"]`. A trailing slash is a last segment that is empty.
    #[must_use]
    pub fn segments(&self) -> Vec<&str> {
        self.path.strip_prefix('/').unwrap_or(&self.path).split('/').collect()
    }

    /// Each query parameter as often as it was sent, decoded.
    pub fn query(&self) -> impl Iterator<Item = (&str, &str)> {
        self.query.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Each value of each header. Cookies that a gateway took out of them are put back.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The headers, to be changed.
    pub fn headers_mut(&mut self) -> &mut HeaderMap {
        &mut self.headers
    }

    /// The body.
    #[must_use]
    pub fn body(&self) -> &Body {
        &self.body
    }

    /// The address that the gateway has seen. What a caller says of itself (`X-Forwarded-For`) does not count.
    #[must_use]
    pub fn source_address(&self) -> Option<IpAddr> {
        self.source_address
    }

    /// What the gateway's authorizer has said of the caller; nothing where there is none.
    #[must_use]
    pub fn authorizer(&self) -> &Map<String, Value> {
        &self.authorizer
    }
}
