//! The event: what is asked, and the headers it came with.
//!
//! Only what is needed is read, and nothing is required: an event that is none of a gateway's has no credential or no
//! route, and is refused like any other.

use std::net::IpAddr;

use edge::{Members, Text, Wanted, header_values, read_in_place};
use identity::is_header_of_a_call;
use serde::Deserialize;

use crate::arn::MethodArn;

/// Whose event it is, and so which answer it wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A REST API's, `TOKEN` or `REQUEST`, or an HTTP API's of format 1.0: an IAM policy.
    Policy,
    /// An HTTP API's of format 2.0.
    HttpApi2,
    /// A function URL: an HTTP answer.
    FunctionUrl,
}

/// What an authorizer is asked.
#[derive(Debug)]
pub struct Event {
    kind: Kind,
    asked: Option<MethodArn>,
    method: String,
    path: String,
    /// The route that the gateway has found, as the template writes it.
    resource: Option<String>,
    token: Option<String>,
    address: Option<IpAddr>,
    headers: Vec<(String, String)>,
}

/// The headers that say who calls.
struct OfACall;

impl Wanted for OfACall {
    fn wants(name: &str) -> bool {
        is_header_of_a_call(name)
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
struct Payload<'a> {
    #[serde(rename = "type")]
    kind: Option<Text<'a>>,
    version: Option<Text<'a>>,
    method_arn: Option<Text<'a>>,
    route_arn: Option<Text<'a>>,
    authorization_token: Option<Text<'a>>,
    resource: Option<Text<'a>>,
    route_key: Option<Text<'a>>,
    raw_path: Option<Text<'a>>,
    headers: Option<Members<'a, Option<Text<'a>>, OfACall>>,
    multi_value_headers: Option<Members<'a, Option<Vec<Text<'a>>>, OfACall>>,
    request_context: Option<PayloadContext<'a>>,
}

#[derive(Default, Deserialize)]
#[serde(default, bound(deserialize = "'de: 'a"))]
struct PayloadContext<'a> {
    http: Option<PayloadSource<'a>>,
    identity: Option<PayloadSource<'a>>,
}

/// What the gateway knows of the caller: `identity` of a REST API and of format 1.0, `http` of format 2.0.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default, bound(deserialize = "'de: 'a"))]
struct PayloadSource<'a> {
    method: Option<Text<'a>>,
    source_ip: Option<Text<'a>>,
}

impl Event {
    /// Reads an event. One that can't be read asks for nothing with no credential.
    #[must_use]
    pub fn read(json: &[u8]) -> Self {
        let raw: Payload = read_in_place(json).unwrap_or_else(|error| {
            // Its text would quote the event, credential and all.
            tracing::warn!(line = error.line(), column = error.column(), "not an event of a gateway");
            Payload::default()
        });
        let text = Text::into_owned;
        let (kind, version) = (raw.kind.as_ref().map(Text::as_str), raw.version.as_ref().map(Text::as_str));
        let is_token = kind == Some("TOKEN");
        let kind = match (kind, version, &raw.raw_path) {
            (None, Some("2.0"), Some(_)) => Kind::FunctionUrl,
            (_, Some("2.0"), _) => Kind::HttpApi2,
            _ => Kind::Policy,
        };
        let asked = raw.method_arn.or(raw.route_arn).and_then(|arn| MethodArn::parse(arn.as_str()));
        let context = raw.request_context.unwrap_or_default();
        let (http, identity) = (context.http.unwrap_or_default(), context.identity.unwrap_or_default());
        let address = http.source_ip.or(identity.source_ip).and_then(|text| text.as_str().parse().ok());
        let (method, path) = match (&asked, kind) {
            (Some(arn), _) => (arn.method.clone(), arn.path.clone()),
            (None, Kind::FunctionUrl) => {
                (http.method.map(text).unwrap_or_default(), raw.raw_path.map(text).unwrap_or_default())
            }
            (None, _) => Default::default(),
        };
        let route_key = raw.route_key.and_then(|key| Some(key.as_str().split_once(' ')?.1.to_owned()));
        let token = is_token.then(|| raw.authorization_token.map(text).unwrap_or_default());
        let (single, multi) = (raw.headers.unwrap_or_default(), raw.multi_value_headers.unwrap_or_default());
        let headers = header_values(&single, &multi);
        let headers = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { kind, asked, method, path, resource: raw.resource.map(text).or(route_key), token, address, headers }
    }

    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// What is asked, where a gateway asks.
    #[must_use]
    pub fn asked(&self) -> Option<&MethodArn> {
        self.asked.as_ref()
    }

    /// The method that is asked; empty where nothing is.
    #[must_use]
    pub fn method(&self) -> &str {
        &self.method
    }

    /// The path that is asked; empty where nothing is.
    #[must_use]
    pub fn path(&self) -> &str {
        &self.path
    }

    pub(crate) fn resource(&self) -> Option<&str> {
        self.resource.as_deref()
    }

    /// The value of the `Authorization` header where that is all that the event has: `TOKEN`.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        self.token.as_deref()
    }

    /// The headers that say who calls, with every value.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The address that the gateway has seen; a `TOKEN` event does not say.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}
