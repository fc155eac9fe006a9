//! From an event of Lambda to a request, without a step that can fail loudly.
//!
//! `lambda_http`'s own conversion builds the whole URI out of headers that callers choose, unwraps on the way, and lets
//! the last of two headers win. So the events' types are AWS's, and the request is made here.

use std::panic::catch_unwind;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use lambda_http::aws_lambda_events::apigw::{ApiGatewayProxyRequest, ApiGatewayV2httpRequest};
use lambda_http::aws_lambda_events::query_map::QueryMap;
use lambda_http::http::header::COOKIE;
use lambda_http::http::{HeaderMap, Method};
use lambda_http::request::{RequestContext, RequestOrigin};
use lambda_http::{Body, Request, RequestExt as _};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

/// What a function was called with: a request that came by a REST API, an HTTP API or a function URL, or something that
/// is none.
///
/// The request has its method, path, query, headers, body and the gateway's context. Its URI is `/` always: host and
/// scheme are callers' words, and nothing here needs them. Cookies that a gateway took out of the headers are put back.
pub struct Incoming {
    pub(crate) origin: RequestOrigin,
    request: Option<Request>,
}

impl Incoming {
    /// The request; `None` where the event is none, or contradicts itself.
    #[must_use]
    pub fn into_request(self) -> Option<Request> {
        self.request
    }
}

impl<'de> Deserialize<'de> for Incoming {
    /// Takes any JSON: an error here would be a 5xx.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let event = Box::<RawValue>::deserialize(deserializer)?;
        let origin = origin(event.get());
        // A map of headers has a limit, and AWS's types panic at it.
        let read = catch_unwind(|| match origin {
            RequestOrigin::ApiGatewayV2 => from_http_api(serde_json::from_str(event.get()).ok()?),
            _ => from_rest_api(serde_json::from_str(event.get()).ok()?),
        });
        Ok(Self { request: read.ok().flatten(), origin })
    }
}

/// The form of an event, which is the form of its answer too. Its word counts: were each form tried in turn, what one
/// refuses could be read as the other.
fn origin(event: &str) -> RequestOrigin {
    #[derive(Deserialize)]
    struct Form {
        version: Option<String>,
    }
    match serde_json::from_str(event) {
        Ok(Form { version: Some(version) }) if version == "2.0" => RequestOrigin::ApiGatewayV2,
        _ => RequestOrigin::ApiGatewayV1,
    }
}

fn from_rest_api(event: ApiGatewayProxyRequest) -> Option<Request> {
    // The single-value maps repeat the last of each name's values.
    let mut headers = event.multi_value_headers;
    for (name, value) in &event.headers {
        if !headers.contains_key(name) {
            headers.insert(name, value.clone());
        }
    }
    let query = event.multi_value_query_string_parameters;
    let query = if query.is_empty() { event.query_string_parameters } else { query };
    Some(
        request(event.http_method, headers, body(event.body, event.is_base64_encoded)?)
            .with_raw_http_path(event.path.unwrap_or_default())
            .with_query_string_parameters(query)
            .with_request_context(RequestContext::ApiGatewayV1(event.request_context)),
    )
}

fn from_http_api(event: ApiGatewayV2httpRequest) -> Option<Request> {
    // The gateway's own map joins the values of a name by commas.
    let query = event.raw_query_string.unwrap_or_default().parse::<QueryMap>().ok()?;
    let method = event.request_context.http.method.clone();
    let mut headers = event.headers;
    if let Some(cookies) = event.cookies.filter(|cookies| !cookies.is_empty() && !headers.contains_key(COOKIE)) {
        headers.insert(COOKIE, cookies.join("; ").parse().ok()?);
    }
    Some(
        request(method, headers, body(event.body, event.is_base64_encoded)?)
            .with_raw_http_path(event.raw_path.unwrap_or_default())
            .with_query_string_parameters(query)
            .with_request_context(RequestContext::ApiGatewayV2(event.request_context)),
    )
}

fn request(method: Method, headers: HeaderMap, body: Body) -> Request {
    let mut request = Request::new(body);
    *request.method_mut() = method;
    *request.headers_mut() = headers;
    request
}

/// The body; `None` where it is not the base64 that it is said to be.
fn body(text: Option<String>, is_base64: bool) -> Option<Body> {
    match text {
        None => Some(Body::Empty),
        Some(text) if is_base64 => STANDARD.decode(text).ok().map(Body::Binary),
        Some(text) => Some(Body::Text(text)),
    }
}
