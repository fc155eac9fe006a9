//! The events that API Gateway makes of a request: one for the authorizer, one for the function behind the route.
//!
//! Their shape is that of AWS's public samples, checked against the files in `events/`.

use std::net::IpAddr;

use serde_json::{Map, Value, json};

use super::arn::{ACCOUNT, API_ID, method_arn};
use super::headers::{reaches_function, spelled};
use super::request::Incoming;
use super::router::Match;

/// What is the same for every request.
#[derive(Clone, Debug)]
pub struct Api {
    /// The stage's name.
    pub stage: String,
    /// The host of the base URL, without a port.
    pub domain: String,
}

impl Api {
    /// The event for a REST API's `REQUEST` authorizer.
    #[must_use]
    pub fn authorizer_event(&self, request: &Incoming, route: &Match<'_>) -> Value {
        let (headers, multi_headers) = headers(request, |_| true);
        let (query, multi_query) = single_and_multi(request.query());
        json!({
            "type": "REQUEST",
            "methodArn": self.method_arn(request),
            "resource": route.resource,
            "path": request.path(),
            "httpMethod": request.method,
            "headers": headers,
            "multiValueHeaders": multi_headers,
            "queryStringParameters": query,
            "multiValueQueryStringParameters": multi_query,
            "pathParameters": parameters(route),
            "stageVariables": {},
            "requestContext": self.context(request, route),
        })
    }

    /// The event for a function; `authorizer` is what the authorizer hands on, where one was asked.
    #[must_use]
    pub fn proxy_event(&self, request: &Incoming, route: &Match<'_>, authorizer: Option<Map<String, Value>>) -> Value {
        let (headers, multi_headers) = headers(request, reaches_function);
        let (query, multi_query) = single_and_multi(request.query());
        let mut context = self.context(request, route);
        if let Some(authorizer) = authorizer {
            context["authorizer"] = Value::Object(authorizer);
        }
        // No media type of this API is binary, so whatever comes is taken for text.
        let body = (!request.body.is_empty()).then(|| String::from_utf8_lossy(&request.body));
        json!({
            "resource": route.resource,
            "path": request.path(),
            "httpMethod": request.method,
            "headers": headers,
            "multiValueHeaders": multi_headers,
            "queryStringParameters": or_null(query),
            "multiValueQueryStringParameters": or_null(multi_query),
            "pathParameters": or_null(parameters(route)),
            "stageVariables": null,
            "requestContext": context,
            "body": body,
            "isBase64Encoded": false,
        })
    }

    /// The ARN that the authorizer's policy must allow.
    #[must_use]
    pub fn method_arn(&self, request: &Incoming) -> String {
        method_arn(&self.stage, &request.method, &request.path())
    }

    fn context(&self, request: &Incoming, route: &Match<'_>) -> Value {
        json!({
            "accountId": ACCOUNT,
            "apiId": API_ID,
            "deploymentId": "local0",
            "domainName": self.domain,
            "domainPrefix": self.domain.split('.').next(),
            "extendedRequestId": request.request_id,
            "httpMethod": request.method,
            "identity": {
                "accessKey": null,
                "accountId": null,
                "caller": null,
                "cognitoAuthenticationProvider": null,
                "cognitoAuthenticationType": null,
                "cognitoIdentityId": null,
                "cognitoIdentityPoolId": null,
                "principalOrgId": null,
                "sourceIp": source_ip(request.peer),
                "user": null,
                "userAgent": request.header("user-agent"),
                "userArn": null,
            },
            "path": request.raw_path,
            "protocol": request.protocol,
            "requestId": request.request_id,
            "requestTime": request.received.strftime("%d/%b/%Y:%H:%M:%S +0000").to_string(),
            "requestTimeEpoch": request.received.as_millisecond(),
            "resourceId": "local0",
            "resourcePath": route.resource,
            "stage": self.stage,
        })
    }
}

fn source_ip(peer: IpAddr) -> String {
    peer.to_canonical().to_string()
}

/// The headers that `seen` lets through, and those that API Gateway sets itself.
fn headers(request: &Incoming, seen: impl Fn(&str) -> bool) -> (Map<String, Value>, Map<String, Value>) {
    let peer = source_ip(request.peer);
    let forwarded: Vec<&str> =
        request.headers.iter().filter(|(name, _)| name == "x-forwarded-for").map(|(_, value)| value.as_str()).collect();
    let forwarded = if forwarded.is_empty() { peer } else { format!("{}, {peer}", forwarded.join(", ")) };
    let own = ["x-forwarded-for", "x-forwarded-port", "x-forwarded-proto"];
    let mut pairs: Vec<(String, String)> = request
        .headers
        .iter()
        .filter(|(name, _)| seen(name) && !own.contains(&name.as_str()) && name != "content-length")
        .map(|(name, value)| (spelled(name), value.clone()))
        .collect();
    pairs.push(("X-Forwarded-For".to_owned(), forwarded));
    pairs.push(("X-Forwarded-Port".to_owned(), request.port.to_string()));
    pairs.push(("X-Forwarded-Proto".to_owned(), "http".to_owned()));
    if request.header("x-amzn-trace-id").is_none() {
        pairs.push(("X-Amzn-Trace-Id".to_owned(), trace_id(request)));
    }
    single_and_multi(pairs)
}

fn trace_id(request: &Incoming) -> String {
    let random: String = request.request_id.chars().filter(char::is_ascii_hexdigit).take(24).collect();
    format!("Root=1-{:08x}-{random:0<24}", request.received.as_second())
}

/// The last value of each name, and all of them.
fn single_and_multi(pairs: Vec<(String, String)>) -> (Map<String, Value>, Map<String, Value>) {
    let mut single = Map::new();
    let mut multi = Map::new();
    for (name, value) in pairs {
        let all = multi.entry(name.clone()).or_insert_with(|| json!([]));
        if let Value::Array(all) = all {
            all.push(Value::String(value.clone()));
        }
        single.insert(name, Value::String(value));
    }
    (single, multi)
}

fn parameters(route: &Match<'_>) -> Map<String, Value> {
    route.parameters.iter().map(|(name, value)| ((*name).to_owned(), Value::String(value.clone()))).collect()
}

fn or_null(map: Map<String, Value>) -> Value {
    if map.is_empty() { Value::Null } else { Value::Object(map) }
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::apigw::{ApiGatewayCustomAuthorizerRequestTypeRequest, ApiGatewayProxyRequest};
    use template::{ApiRoute, Method};

    use super::super::request::tests::incoming;
    use super::super::router::Router;
    use super::*;

    fn api() -> Api {
        Api { stage: "live".to_owned(), domain: "127.0.0.1".to_owned() }
    }

    fn router() -> Router {
        let route = ApiRoute {
            path: "/insights/v1/{proxy+}".to_owned(),
            method: Method::Any,
            authorizer: Some("Keygate".to_owned()),
        };
        Router::new([(&route, "demo-api")])
    }

    fn proxy_event(request: &Incoming) -> Value {
        let router = router();
        api().proxy_event(request, &router.find(&request.method, &request.raw_path).unwrap(), None)
    }

    fn authorizer_event(request: &Incoming) -> Value {
        let router = router();
        api().authorizer_event(request, &router.find(&request.method, &request.raw_path).unwrap())
    }

    fn sample(name: &str) -> Value {
        let path = format!("{}/../../events/{name}", env!("CARGO_MANIFEST_DIR"));
        serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
    }

    /// Every member of `sample` must be in `event`, of the same type where it has a value.
    fn assert_shape(event: &Value, sample: &Value, path: &str) {
        const FREE: [&str; 4] = ["headers", "multiValueHeaders", "authorizer", "pathParameters"];
        // API Gateway has these only where an API key was sent.
        const OPTIONAL: [&str; 3] = ["apiKey", "apiKeyId", "clientCert"];
        let (Value::Object(event), Value::Object(sample)) = (event, sample) else {
            assert!(
                event.is_null() || sample.is_null() || std::mem::discriminant(event) == std::mem::discriminant(sample),
                "{path}: {event} is not like {sample}"
            );
            return;
        };
        for (name, value) in sample {
            if OPTIONAL.contains(&name.as_str()) || name == "authorizer" {
                continue;
            }
            let own = event.get(name).unwrap_or_else(|| panic!("{path}.{name} is missing"));
            if !FREE.contains(&name.as_str()) {
                assert_shape(own, value, &format!("{path}.{name}"));
            }
        }
    }

    #[test]
    fn events_have_the_shape_of_the_samples() {
        let mut request = incoming("GET", "/insights/v1/pnl-summary?planId=1", &[("authorization", "Bearer x")]);
        assert_shape(&proxy_event(&request), &sample("demo-api-insights.json"), "");
        assert_shape(&authorizer_event(&request), &sample("authorizer-rest-jwt.json"), "");
        request.body = b"{}".to_vec();
        assert_shape(&proxy_event(&request), &sample("demo-api-chat-completions.json"), "");
    }

    #[test]
    fn events_are_read_by_aws_lambda_events() {
        let request = incoming("GET", "/insights/v1/a/b?x=1&x=2", &[("authorization", "Bearer x")]);
        let proxy: ApiGatewayProxyRequest = serde_json::from_value(proxy_event(&request)).unwrap();
        assert_eq!(proxy.path_parameters["proxy"], "a/b");
        assert_eq!(proxy.request_context.identity.source_ip.as_deref(), Some("127.0.0.1"));
        let authorizer: ApiGatewayCustomAuthorizerRequestTypeRequest =
            serde_json::from_value(authorizer_event(&request)).unwrap();
        assert_eq!(
            authorizer.method_arn.as_deref(),
            Some("arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/insights/v1/a/b")
        );
    }

    #[test]
    fn a_repeated_header_or_parameter_keeps_all_its_values_and_the_last_one_alone() {
        let headers = [("x-api-key", "first"), ("x-api-key", "second")];
        let event = proxy_event(&incoming("GET", "/insights/v1/a?p=1&p=2", &headers));
        assert_eq!(event["headers"]["X-Api-Key"], "second");
        assert_eq!(event["multiValueHeaders"]["X-Api-Key"], json!(["first", "second"]));
        assert_eq!(event["queryStringParameters"]["p"], "2");
        assert_eq!(event["multiValueQueryStringParameters"]["p"], json!(["1", "2"]));
    }

    #[test]
    fn the_callers_address_is_the_peers_whatever_the_caller_claims() {
        let headers = [
            ("x-forwarded-for", "203.0.113.7"),
            ("x-forwarded-for", "198.51.100.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-port", "443"),
        ];
        let mut request = incoming("GET", "/insights/v1/a", &headers);
        request.peer = "::ffff:192.0.2.1".parse().unwrap();
        let event = authorizer_event(&request);
        assert_eq!(event["requestContext"]["identity"]["sourceIp"], "192.0.2.1");
        assert_eq!(event["headers"]["X-Forwarded-For"], "203.0.113.7, 198.51.100.1, 192.0.2.1");
        assert_eq!(event["multiValueHeaders"]["X-Forwarded-For"].as_array().unwrap().len(), 1);
        assert_eq!(event["headers"]["X-Forwarded-Proto"], "http");
        assert_eq!(event["headers"]["X-Forwarded-Port"], "8788");
    }

    #[test]
    fn the_path_is_handed_on_as_it_was_sent_but_for_slashes_in_front() {
        let event = proxy_event(&incoming("GET", "//insights/v1/a%2Fb/%7Ec/", &[]));
        assert_eq!(event["path"], "/insights/v1/a%2Fb/%7Ec/");
        assert_eq!(event["pathParameters"]["proxy"], "a%2Fb/%7Ec");
        assert_eq!(event["requestContext"]["path"], "//insights/v1/a%2Fb/%7Ec/");
    }

    #[test]
    fn what_is_empty_is_null_for_functions_and_an_empty_object_for_authorizers() {
        let request = incoming("GET", "/insights/v1/a", &[]);
        let event = proxy_event(&request);
        for member in ["queryStringParameters", "multiValueQueryStringParameters", "stageVariables", "body"] {
            assert!(event[member].is_null(), "{member}");
        }
        assert_eq!(event["requestContext"].get("authorizer"), None);
        let event = authorizer_event(&request);
        assert_eq!(event["queryStringParameters"], json!({}));
        assert_eq!(event.get("body"), None, "an authorizer sees no body");
    }

    #[test]
    fn the_authorizers_context_reaches_the_function() {
        let request = incoming("GET", "/insights/v1/a", &[]);
        let router = router();
        let context = json!({"principalId": "ak_1", "integrationLatency": 4});
        let event =
            api().proxy_event(&request, &router.find("GET", "/insights/v1/a").unwrap(), context.as_object().cloned());
        assert_eq!(event["requestContext"]["authorizer"], context);
    }

    #[test]
    fn headers_that_api_gateway_keeps_from_functions_are_kept_from_them() {
        let headers =
            [("expect", "100-continue"), ("te", "trailers"), ("content-length", "3"), ("host", "h"), ("range", "r")];
        let event = proxy_event(&incoming("POST", "/insights/v1/a", &headers));
        for name in ["Expect", "Te", "Content-Length"] {
            assert_eq!(event["headers"].get(name), None, "{name}");
        }
        assert_eq!(event["headers"]["Host"], "h");
        assert_eq!(event["headers"]["Range"], "r");
    }
}
