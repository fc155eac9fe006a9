//! The responses that API Gateway makes itself, as the template sets them: gateway responses.

use std::collections::BTreeMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::{Map, Value};
use template::{GatewayResponse, HeaderValue as Setting};

use super::answer::Reply;
use super::request::Incoming;

/// Why API Gateway answers itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The authorizer's `Unauthorized`.
    Unauthorized,
    /// The authorizer's policy doesn't allow it; `explicit` where it denies it.
    AccessDenied {
        /// Whether a `Deny` matches.
        explicit: bool,
    },
    /// There is no such route.
    MissingAuthenticationToken,
    /// The authorizer failed.
    AuthorizerFailure,
    /// The authorizer can't be reached, or answers what can't be used.
    AuthorizerConfigurationError,
    /// The function failed, or answered what can't be used.
    MalformedAnswer,
    /// The function can't be reached.
    IntegrationFailure,
    /// The function took longer than 29 s.
    IntegrationTimeout,
    /// The body is too large.
    RequestTooLarge,
    /// Request line and headers are too large.
    HeadersTooLarge,
}

/// What AWS has for a kind of refusal.
struct Facts {
    kind: &'static str,
    status: u16,
    error_type: &'static str,
    message: Option<&'static str>,
    /// Whether a template can change it.
    customizable: bool,
}

impl Refusal {
    fn facts(self) -> Facts {
        let facts = |kind, status, error_type, message| Facts { kind, status, error_type, message, customizable: true };
        match self {
            Self::Unauthorized => facts("UNAUTHORIZED", 401, "UnauthorizedException", Some("Unauthorized")),
            Self::AccessDenied { explicit } => facts(
                "ACCESS_DENIED",
                403,
                "AccessDeniedException",
                Some(if explicit {
                    "User is not authorized to access this resource with an explicit deny"
                } else {
                    "User is not authorized to access this resource"
                }),
            ),
            Self::MissingAuthenticationToken => facts(
                "MISSING_AUTHENTICATION_TOKEN",
                403,
                "MissingAuthenticationTokenException",
                Some("Missing Authentication Token"),
            ),
            Self::AuthorizerFailure => facts("AUTHORIZER_FAILURE", 500, "AuthorizerFailureException", None),
            Self::AuthorizerConfigurationError => {
                facts("AUTHORIZER_CONFIGURATION_ERROR", 500, "AuthorizerConfigurationException", None)
            }
            // The service has no type of its own for this one: only the default can change it.
            Self::MalformedAnswer => {
                facts("DEFAULT_5XX", 502, "InternalServerErrorException", Some("Internal server error"))
            }
            Self::IntegrationFailure => {
                facts("INTEGRATION_FAILURE", 504, "IntegrationFailureException", Some("Internal server error"))
            }
            Self::IntegrationTimeout => {
                facts("INTEGRATION_TIMEOUT", 504, "InternalServerErrorException", Some("Endpoint request timed out"))
            }
            // "Customizing the default gateway response for 413 REQUEST_TOO_LARGE isn't currently supported."
            Self::RequestTooLarge => Facts {
                customizable: false,
                ..facts("REQUEST_TOO_LARGE", 413, "RequestTooLargeException", Some("Request Too Long"))
            },
            // Found before the request has come to an API.
            Self::HeadersTooLarge => Facts {
                customizable: false,
                ..facts("", 431, "BadRequestException", Some("HTTP header is larger than 10240 bytes."))
            },
        }
    }
}

/// The gateway responses of an API.
#[derive(Debug)]
pub struct Refusals {
    responses: BTreeMap<String, GatewayResponse>,
}

impl Refusals {
    /// Takes the template's, by type.
    #[must_use]
    pub fn new(responses: BTreeMap<String, GatewayResponse>) -> Self {
        Self { responses }
    }

    /// The response to `request`; `authorizer` is what the authorizer hands on, where it came to that.
    #[must_use]
    pub fn reply(&self, refusal: Refusal, request: &Incoming, authorizer: Option<&Map<String, Value>>) -> Reply {
        let facts = refusal.facts();
        let fallback = if facts.status < 500 { "DEFAULT_4XX" } else { "DEFAULT_5XX" };
        let set =
            self.responses.get(facts.kind).or_else(|| self.responses.get(fallback)).filter(|_| facts.customizable);
        let variables = Variables { facts: &facts, request, authorizer };

        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert("x-amzn-errortype", HeaderValue::from_static(facts.error_type));
        for (name, setting) in set.into_iter().flat_map(|set| &set.headers) {
            let value = match setting {
                Setting::Static(text) => Some(text.clone()),
                Setting::Mapping(expression) => variables.mapped(expression),
            };
            let value = value.and_then(|value| HeaderValue::from_str(&value).ok());
            if let (Ok(name), Some(value)) = (HeaderName::try_from(name), value) {
                headers.insert(name, value);
            }
        }
        let template = set.and_then(|set| set.body_templates.get("application/json")).map(String::as_str);
        let body = variables.substitute(template.unwrap_or(r#"{"message":$context.error.messageString}"#));
        let status = set.and_then(|set| set.status_code).unwrap_or(facts.status);
        let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        Reply { status, headers, body: body.into_bytes() }
    }
}

/// What `$context.…` stands for. There is no template language in gateway responses, only these.
struct Variables<'a> {
    facts: &'a Facts,
    request: &'a Incoming,
    authorizer: Option<&'a Map<String, Value>>,
}

impl Variables<'_> {
    fn substitute(&self, template: &str) -> String {
        let mut out = String::with_capacity(template.len());
        let mut rest = template;
        while let Some(start) = rest.find("$context.") {
            out.push_str(&rest[..start]);
            let name = &rest[start + 1..];
            let end = name
                .find(|character: char| !(character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-')))
                .unwrap_or(name.len());
            // A full stop behind a variable belongs to the sentence.
            let name = name[..end].trim_end_matches('.');
            out.push_str(&self.variable(name).unwrap_or_default());
            rest = &rest[start + 1 + name.len()..];
        }
        out.push_str(rest);
        out
    }

    fn mapped(&self, expression: &str) -> Option<String> {
        match expression.strip_prefix("method.request.") {
            Some(place) => match place.split_once('.')? {
                ("header", name) => self.request.header(&name.to_ascii_lowercase()).map(str::to_owned),
                ("querystring", name) => {
                    self.request.query().into_iter().rev().find(|(own, _)| own == name).map(|(_, value)| value)
                }
                _ => None,
            },
            None => self.variable(expression),
        }
    }

    fn variable(&self, name: &str) -> Option<String> {
        let message = self.facts.message;
        Some(match name.strip_prefix("context.")? {
            "error.message" => message?.to_owned(),
            // In quotes, or `null`.
            "error.messageString" => Value::from(message).to_string(),
            "error.responseType" => self.facts.kind.to_owned(),
            "requestId" | "extendedRequestId" => self.request.request_id.clone(),
            "httpMethod" => self.request.method.clone(),
            "path" => self.request.raw_path.clone(),
            "identity.sourceIp" => self.request.peer.to_canonical().to_string(),
            "identity.userAgent" => self.request.header("user-agent")?.to_owned(),
            other => match self.authorizer?.get(other.strip_prefix("authorizer.")?)? {
                Value::String(text) => text.clone(),
                value => value.to_string(),
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use template::Template;

    use super::super::request::tests::incoming;
    use super::*;

    fn refusals(yaml: &str) -> Refusals {
        let indented = yaml.lines().map(|line| format!("        {line}")).collect::<Vec<_>>().join("\n");
        let text = format!(
            "Resources:\n  Api:\n    Type: AWS::Serverless::Api\n    Properties:\n      GatewayResponses:\n{indented}"
        );
        let template = Template::parse(&text).unwrap();
        Refusals::new(template.gateway_responses(&template.values().unwrap()).unwrap())
    }

    fn text(reply: &Reply) -> &str {
        std::str::from_utf8(&reply.body).unwrap()
    }

    #[test]
    fn the_projects_own_refusals_are_the_contracts() {
        const BASE: &str = "http://127.0.0.1:8788";
        let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let mut values = template.values().unwrap();
        values.set("BaseUrl", BASE);
        let refusals = Refusals::new(template.gateway_responses(&values).unwrap());
        let request = incoming("GET", "/insights/v1/a", &[]);
        let challenge =
            format!(r#"Bearer realm="keygate", resource_metadata="{BASE}/.well-known/oauth-protected-resource""#);
        let unavailable = "The service is unavailable, try again later";
        for (refusal, status, message, header) in [
            (
                Refusal::Unauthorized,
                401,
                "Bearer token is missing or has expired",
                Some(("www-authenticate", challenge.as_str())),
            ),
            (Refusal::AccessDenied { explicit: true }, 403, "Token is valid but lacks required scope", None),
            (Refusal::AccessDenied { explicit: false }, 403, "Token is valid but lacks required scope", None),
            (Refusal::MissingAuthenticationToken, 404, "There is nothing at this address", None),
            (Refusal::AuthorizerFailure, 503, unavailable, Some(("retry-after", "1"))),
            (Refusal::AuthorizerConfigurationError, 503, unavailable, Some(("retry-after", "1"))),
            (Refusal::MalformedAnswer, 503, unavailable, Some(("retry-after", "1"))),
            (Refusal::IntegrationFailure, 503, unavailable, Some(("retry-after", "1"))),
            (Refusal::IntegrationTimeout, 503, unavailable, Some(("retry-after", "1"))),
        ] {
            let reply = refusals.reply(refusal, &request, None);
            assert_eq!(reply.status.as_u16(), status, "{refusal:?}");
            let body: Value = serde_json::from_slice(&reply.body).unwrap();
            assert_eq!((&body["statusCode"], &body["message"]), (&json!(status), &json!(message)), "{refusal:?}");
            assert_eq!(reply.headers["content-type"], "application/json");
            if let Some((name, value)) = header {
                assert_eq!(reply.headers[name], value, "{refusal:?}");
            }
        }
    }

    /// What has no response of its own gets the default's status, whatever AWS gives it.
    #[test]
    fn each_4xx_that_aws_lists_has_a_response_of_its_own_with_the_status_meant_for_it() {
        let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let responses = template.gateway_responses(template.values().unwrap().set("BaseUrl", "")).unwrap();
        for (kind, status) in [
            ("ACCESS_DENIED", 403),
            ("BAD_REQUEST_BODY", 400),
            ("BAD_REQUEST_PARAMETERS", 400),
            ("EXPIRED_TOKEN", 404),
            ("INVALID_API_KEY", 403),
            ("INVALID_SIGNATURE", 404),
            ("MISSING_AUTHENTICATION_TOKEN", 404),
            ("QUOTA_EXCEEDED", 429),
            ("REQUEST_TOO_LARGE", 413),
            ("RESOURCE_NOT_FOUND", 404),
            ("THROTTLED", 429),
            ("UNAUTHORIZED", 401),
            ("UNSUPPORTED_MEDIA_TYPE", 415),
            ("WAF_FILTERED", 403),
        ] {
            let response = responses.get(kind).unwrap_or_else(|| panic!("template.yaml has no {kind}"));
            assert_eq!(response.status_code, Some(status), "{kind}");
            assert_eq!(response.headers.contains_key("Retry-After"), status == 429, "{kind}");
        }
    }

    #[test]
    fn what_aws_does_not_let_be_changed_stays_its_own() {
        let refusals = refusals(
            "REQUEST_TOO_LARGE: { StatusCode: 400, ResponseTemplates: { application/json: ours } }\nDEFAULT_4XX: { StatusCode: 400 }",
        );
        let request = incoming("POST", "/auth/token", &[]);
        let reply = refusals.reply(Refusal::RequestTooLarge, &request, None);
        assert_eq!((reply.status.as_u16(), text(&reply)), (413, r#"{"message":"Request Too Long"}"#));
        let reply = refusals.reply(Refusal::HeadersTooLarge, &request, None);
        assert_eq!(reply.status.as_u16(), 431);
    }

    #[test]
    fn an_unset_type_falls_back_to_the_default_of_its_class_and_then_to_awss_own() {
        let request = incoming("GET", "/x", &[]);
        let set = refusals("DEFAULT_4XX: { StatusCode: 418, ResponseTemplates: { application/json: teapot } }");
        let reply = set.reply(Refusal::Unauthorized, &request, None);
        assert_eq!((reply.status.as_u16(), text(&reply)), (418, "teapot"));
        let reply = set.reply(Refusal::IntegrationTimeout, &request, None);
        assert_eq!((reply.status.as_u16(), text(&reply)), (504, r#"{"message":"Endpoint request timed out"}"#));
        let reply = set.reply(Refusal::AuthorizerFailure, &request, None);
        assert_eq!((reply.status.as_u16(), text(&reply)), (500, r#"{"message":null}"#));
        let reply = set.reply(Refusal::MalformedAnswer, &request, None);
        assert_eq!((reply.status.as_u16(), text(&reply)), (502, r#"{"message":"Internal server error"}"#));
    }

    #[test]
    fn variables_are_substituted_and_unknown_ones_are_empty() {
        let set = refusals(concat!(
            "ACCESS_DENIED:\n",
            "  ResponseParameters:\n",
            "    Headers:\n",
            "      Retry-After: context.authorizer.retry_after\n",
            "      X-Missing: context.authorizer.missing\n",
            "      X-Origin: method.request.header.Origin\n",
            "  ResponseTemplates:\n",
            "    application/json: '$context.error.message|$context.error.messageString|$context.requestId|$context.authorizer.plan|$context.authorizer.missing|$contextual|$context.httpMethod.'\n",
        ));
        let request = incoming("GET", "/x", &[("origin", "https://app.example")]);
        let context = json!({"retry_after": "7", "plan": "free"});
        let reply = set.reply(Refusal::AccessDenied { explicit: false }, &request, context.as_object());
        assert_eq!(
            text(&reply),
            "User is not authorized to access this resource|\"User is not authorized to access this resource\"|4f1c1d6e-6f0b-4f0a-9b1e-2f6f3f1f9a11|free||$contextual|GET."
        );
        assert_eq!(reply.headers["retry-after"], "7");
        assert_eq!(reply.headers["x-origin"], "https://app.example");
        assert!(!reply.headers.contains_key("x-missing"));
    }
}
