//! The REST API: its authorizers and its gateway responses.

use std::collections::BTreeMap;

use crate::Error;
use crate::expression::{Expression, Values};
use crate::node::Node;

/// A Lambda authorizer of the REST API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authorizer {
    /// The name by which routes choose it.
    pub name: String,
    /// The logical id of the function that is asked.
    pub function: String,
    /// `REQUEST` or `TOKEN`.
    pub kind: String,
    /// For how many seconds API Gateway keeps an answer; 300 where the template says nothing.
    pub result_ttl_seconds: u32,
    /// The headers without which API Gateway answers 401 itself.
    pub identity_headers: Vec<String>,
}

/// What the API answers where no function does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GatewayResponse {
    /// The HTTP status, where the template sets one.
    pub status_code: Option<u16>,
    /// Header names and what they are set to.
    pub headers: BTreeMap<String, HeaderValue>,
    /// Content type and template of the body; `$context.…` is substituted by API Gateway.
    pub body_templates: BTreeMap<String, String>,
}

/// What a header of a gateway response is set to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderValue {
    /// This text, without the quotes that mark it as static.
    Static(String),
    /// What a mapping expression such as `context.authorizer.limit` or
    /// `method.request.header.Origin` stands for.
    Mapping(String),
}

impl Authorizer {
    pub(crate) fn read_all(api: &Node<'_>) -> Result<Vec<Self>, Error> {
        Node::entries(api.find(&["Properties", "Auth", "Authorizers"]))?
            .into_iter()
            .map(|(name, node)| Self::read(name, &node))
            .collect()
    }

    fn read(name: &str, node: &Node<'_>) -> Result<Self, Error> {
        let arn = node.need("FunctionArn")?;
        let function = match arn.get("Fn::GetAtt").map(|node| node.value.clone()) {
            Some(serde_json::Value::Array(parts)) => parts.first().and_then(|part| part.as_str()).map(str::to_owned),
            _ => None,
        };
        let ttl = node.find(&["Identity", "ReauthorizeEvery"]);
        Ok(Self {
            name: name.to_owned(),
            function: function.ok_or_else(|| arn.error("`!GetAtt Function.Arn` is expected"))?,
            kind: match node.get("FunctionPayloadType") {
                Some(kind) => kind.text()?.to_owned(),
                None => "TOKEN".to_owned(),
            },
            result_ttl_seconds: ttl.map_or(Ok(300), |node| node.number())?,
            identity_headers: match node.find(&["Identity", "Headers"]) {
                Some(headers) => headers.read()?,
                None => Vec::new(),
            },
        })
    }
}

impl GatewayResponse {
    pub(crate) fn read_all(api: &Node<'_>, values: &Values) -> Result<BTreeMap<String, Self>, Error> {
        Node::entries(api.find(&["Properties", "GatewayResponses"]))?
            .into_iter()
            .map(|(kind, node)| Ok((kind.to_owned(), Self::read(&node, values)?)))
            .collect()
    }

    fn read(node: &Node<'_>, values: &Values) -> Result<Self, Error> {
        let mut headers = BTreeMap::new();
        for (name, value) in Node::entries(node.find(&["ResponseParameters", "Headers"]))? {
            if let Some(text) = values.resolve(&Expression::of(&value))? {
                headers.insert(name.to_owned(), HeaderValue::parse(&text));
            }
        }
        let mut body_templates = BTreeMap::new();
        for (content_type, body) in Node::entries(node.get("ResponseTemplates"))? {
            if let Some(text) = values.resolve(&Expression::of(&body))? {
                body_templates.insert(content_type.to_owned(), text);
            }
        }
        Ok(Self {
            status_code: match node.get("StatusCode") {
                Some(status) => Some(status.number()?),
                None => None,
            },
            headers,
            body_templates,
        })
    }
}

impl HeaderValue {
    fn parse(text: &str) -> Self {
        match text.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')) {
            Some(inner) => Self::Static(inner.to_owned()),
            None => Self::Mapping(text.to_owned()),
        }
    }
}
