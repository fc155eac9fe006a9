//! From an event of Lambda to a request, without a step that can fail loudly.
//!
//! An event has three times what a request needs (the gateway's context, single and multiple values). It is read once, in
//! place, and the rest passed over.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::COOKIE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use serde::Deserialize;
use serde_json::{Map, Value};
use url::form_urlencoded;

use crate::headers::header_values;
use crate::members::{Members, Text, read_in_place};
use crate::request::{Body, Request};

/// The form of an event, which is the form of its answer too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// A REST API's, and an HTTP API's of format 1.0.
    One,
    /// An HTTP API's of format 2.0, and a function URL's.
    Two,
}

/// What a function was called with: a request that came by a REST API, an HTTP API or a function URL, or something that
/// is none.
#[derive(Debug)]
pub struct Incoming {
    pub(crate) form: Form,
    request: Option<Request>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Event<'a> {
    version: Option<Text<'a>>,
    http_method: Option<Text<'a>>,
    path: Option<Text<'a>>,
    raw_path: Option<Text<'a>>,
    headers: Option<Members<'a, Option<Text<'a>>>>,
    multi_value_headers: Option<Members<'a, Option<Vec<Text<'a>>>>>,
    cookies: Option<Vec<Text<'a>>>,
    query_string_parameters: Option<Members<'a, Option<Text<'a>>>>,
    multi_value_query_string_parameters: Option<Members<'a, Option<Vec<Text<'a>>>>>,
    raw_query_string: Option<Text<'a>>,
    body: Option<Text<'a>>,
    is_base64_encoded: Option<bool>,
    request_context: Option<Context<'a>>,
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "'de: 'a"))]
struct Context<'a> {
    stage: Option<Text<'a>>,
    http: Option<Source<'a>>,
    identity: Option<Source<'a>>,
    authorizer: Option<Map<String, Value>>,
}

/// What the gateway knows of the caller: `identity` of format 1.0, `http` of format 2.0.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", bound(deserialize = "'de: 'a"))]
struct Source<'a> {
    method: Option<Text<'a>>,
    source_ip: Option<Text<'a>>,
}

impl Incoming {
    /// Reads an event. Anything else is no request, and no error either: that would be a 5xx.
    #[must_use]
    pub fn read(json: &[u8]) -> Self {
        match read_in_place::<Event<'_>>(json) {
            Ok(event) => {
                let form = form(event.version.as_ref());
                let request = if form == Form::Two { of_format_2(event) } else { of_format_1(event) };
                Self { form, request }
            }
            Err(_) => Self { form: form_alone(json), request: None },
        }
    }

    /// The request; `None` where the event is none, or contradicts itself.
    #[must_use]
    pub fn into_request(self) -> Option<Request> {
        self.request
    }
}

/// An event's word counts: were each form tried in turn, what one refuses could be read as the other.
fn form(version: Option<&Text<'_>>) -> Form {
    if version.is_some_and(|version| version.as_str() == "2.0") { Form::Two } else { Form::One }
}

/// The form of what can't be read as an event: it has to be answered, too.
fn form_alone(json: &[u8]) -> Form {
    #[derive(Deserialize)]
    #[serde(bound(deserialize = "'de: 'a"))]
    struct Version<'a> {
        version: Option<Text<'a>>,
    }
    read_in_place::<Version<'_>>(json).map_or(Form::One, |event| form(event.version.as_ref()))
}

fn of_format_1(event: Event<'_>) -> Option<Request> {
    let context = event.request_context?;
    let mut headers = HeaderMap::new();
    let (single, multi) = (event.headers.unwrap_or_default(), event.multi_value_headers.unwrap_or_default());
    for (name, value) in header_values(&single, &multi) {
        add(&mut headers, name, value)?;
    }
    let mut query = Vec::new();
    for (name, values) in event.multi_value_query_string_parameters.unwrap_or_default().0 {
        let values = values.unwrap_or_default().into_iter();
        query.extend(values.map(|value| (name.as_str().to_owned(), value.into_owned())));
    }
    if query.is_empty() {
        let single = event.query_string_parameters.unwrap_or_default().0.into_iter();
        query.extend(single.filter_map(|(name, value)| Some((name.into_owned(), value?.into_owned()))));
    }
    Some(Request {
        method: method(&event.http_method?)?,
        // A REST API's path has no stage, and nothing tells it from an HTTP API's.
        path: event.path.map(Text::into_owned).unwrap_or_default(),
        query,
        headers,
        body: body(event.body, event.is_base64_encoded)?,
        source_address: context.identity.and_then(Source::address),
        authorizer: context.authorizer.unwrap_or_default(),
    })
}

fn of_format_2(event: Event<'_>) -> Option<Request> {
    let context = event.request_context?;
    let source = context.http?;
    let mut headers = HeaderMap::new();
    for (name, value) in event.headers.unwrap_or_default().0 {
        if let Some(value) = value {
            add(&mut headers, name.as_str(), value.as_str())?;
        }
    }
    if let Some(cookies) = event.cookies.filter(|cookies| !cookies.is_empty() && !headers.contains_key(COOKIE)) {
        let cookies: Vec<_> = cookies.iter().map(Text::as_str).collect();
        headers.insert(COOKIE, cookies.join("; ").parse().ok()?);
    }
    // The gateway's own map joins the values of a name by commas.
    let query = event.raw_query_string.map(Text::into_owned).unwrap_or_default();
    let query = form_urlencoded::parse(query.as_bytes());
    let authorizer = match context.authorizer.unwrap_or_default().remove("lambda") {
        Some(Value::Object(said)) => said,
        _ => Map::new(),
    };
    Some(Request {
        method: method(source.method.as_ref()?)?,
        path: without_stage(event.raw_path.map(Text::into_owned).unwrap_or_default(), context.stage.as_ref()),
        query: query.into_owned().collect(),
        headers,
        body: body(event.body, event.is_base64_encoded)?,
        source_address: source.address(),
        authorizer,
    })
}

impl Source<'_> {
    fn address(self) -> Option<std::net::IpAddr> {
        self.source_ip?.as_str().parse().ok()
    }
}

/// In format 2.0 an HTTP API's path begins with its stage, unless that is the default one.
fn without_stage(path: String, stage: Option<&Text<'_>>) -> String {
    let stage = stage.map(Text::as_str).filter(|stage| !stage.is_empty() && *stage != "$default");
    let rest = stage.and_then(|stage| path.strip_prefix('/')?.strip_prefix(stage));
    match rest {
        Some("") => "/".to_owned(),
        Some(rest) if rest.starts_with('/') => rest.to_owned(),
        _ => path,
    }
}

fn method(text: &Text<'_>) -> Option<Method> {
    text.as_str().parse().ok()
}

/// Adds a header; `None` where it is none, or one too many.
fn add(headers: &mut HeaderMap, name: &str, value: &str) -> Option<()> {
    let name = HeaderName::from_bytes(name.as_bytes()).ok()?;
    let value = HeaderValue::from_str(value).ok()?;
    headers.try_append(name, value).ok().map(|_| ())
}

/// The body; `None` where it is not the base64 that it is said to be.
fn body(text: Option<Text<'_>>, is_base64: Option<bool>) -> Option<Body> {
    match text {
        None => Some(Body::Empty),
        Some(text) if is_base64 == Some(true) => STANDARD.decode(text.as_str()).ok().map(Body::Binary),
        Some(text) => Some(Body::Text(text.into_owned())),
    }
}
