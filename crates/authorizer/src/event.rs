//! The event: what is asked, and the headers it came with.
//!
//! Only what is needed is read, and nothing is required: an event that is none of a gateway's has no credential or no
//! route, and is refused like any other.

use std::collections::BTreeMap;
use std::net::IpAddr;

use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

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

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Payload {
    #[serde(rename = "type")]
    kind: Option<String>,
    version: Option<String>,
    method_arn: Option<String>,
    route_arn: Option<String>,
    authorization_token: Option<String>,
    resource: Option<String>,
    route_key: Option<String>,
    raw_path: Option<String>,
    headers: Option<BTreeMap<String, Option<String>>>,
    multi_value_headers: Option<BTreeMap<String, Option<Vec<String>>>>,
    request_context: Option<PayloadContext>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct PayloadContext {
    http: Option<PayloadSource>,
    identity: Option<PayloadSource>,
}

/// What the gateway knows of the caller: `identity` of a REST API and of format 1.0, `http` of format 2.0.
#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct PayloadSource {
    method: Option<String>,
    source_ip: Option<String>,
}

impl<'de> Deserialize<'de> for Event {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let json = Box::<RawValue>::deserialize(deserializer)?;
        Ok(Self::read(json.get()))
    }
}

impl Event {
    /// Reads an event. One that can't be read asks for nothing with no credential.
    #[must_use]
    pub fn read(json: &str) -> Self {
        let raw: Payload = serde_json::from_str(json).unwrap_or_else(|error| {
            // Its text would quote the event, credential and all.
            tracing::warn!(line = error.line(), column = error.column(), "not an event of a gateway");
            Payload::default()
        });
        let kind = match (&raw.kind, raw.version.as_deref(), &raw.raw_path) {
            (None, Some("2.0"), Some(_)) => Kind::FunctionUrl,
            (_, Some("2.0"), _) => Kind::HttpApi2,
            _ => Kind::Policy,
        };
        let asked = raw.method_arn.or(raw.route_arn).and_then(|arn| MethodArn::parse(&arn));
        let context = raw.request_context.unwrap_or_default();
        let (http, identity) = (context.http.unwrap_or_default(), context.identity.unwrap_or_default());
        let address = http.source_ip.or(identity.source_ip).and_then(|text| text.parse().ok());
        let (method, path) = match (&asked, kind) {
            (Some(arn), _) => (arn.method.clone(), arn.path.clone()),
            (None, Kind::FunctionUrl) => (http.method.unwrap_or_default(), raw.raw_path.unwrap_or_default()),
            (None, _) => Default::default(),
        };
        let route_key = raw.route_key.and_then(|key| Some(key.split_once(' ')?.1.to_owned()));
        let token = (raw.kind.as_deref() == Some("TOKEN")).then(|| raw.authorization_token.unwrap_or_default());
        let headers = headers(raw.headers.unwrap_or_default(), raw.multi_value_headers.unwrap_or_default());
        Self { kind, asked, method, path, resource: raw.resource.or(route_key), token, address, headers }
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

    /// Every header with every value.
    pub fn headers(&self) -> impl Iterator<Item = (&str, &str)> {
        self.headers.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// The address that the gateway has seen; a `TOKEN` event does not say.
    #[must_use]
    pub fn address(&self) -> Option<IpAddr> {
        self.address
    }
}

/// The multi-value map knows every value; the plain one knows the last, and all names.
fn headers(
    single: BTreeMap<String, Option<String>>,
    multi: BTreeMap<String, Option<Vec<String>>>,
) -> Vec<(String, String)> {
    let rest = single.into_iter().filter(|(name, _)| !multi.contains_key(name)).collect::<Vec<_>>();
    let multi = multi
        .into_iter()
        .flat_map(|(name, values)| values.unwrap_or_default().into_iter().map(move |value| (name.clone(), value)));
    multi.chain(rest.into_iter().filter_map(|(name, value)| Some((name, value?)))).collect()
}
