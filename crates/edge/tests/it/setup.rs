use edge::{ApiError, Body, Incoming, Query, Reply, Request};
use serde_json::{Map, Value, json};

/// A sample event of a REST API: it has a Host, a stage, two query parameters and no body.
pub(crate) fn rest_api() -> Value {
    serde_json::from_str(include_str!("../../../../events/key-management-list.json")).unwrap()
}

/// A sample event of a function URL: it has a Host and a body.
pub(crate) fn function_url() -> Value {
    serde_json::from_str(include_str!("../../../../events/token-exchange-function-url.json")).unwrap()
}

/// The event with a member set; `path` is a JSON pointer.
pub(crate) fn with(mut event: Value, path: &str, value: impl Into<Value>) -> Value {
    let (parent, name) = path.rsplit_once('/').unwrap();
    event.pointer_mut(parent).unwrap()[name] = value.into();
    event
}

/// The event with a header, at all places where its kind has headers.
pub(crate) fn with_header(event: Value, name: &str, value: &str) -> Value {
    if event["version"] == "2.0" {
        return with(event, &format!("/headers/{}", name.to_ascii_lowercase()), value);
    }
    with(with(event, &format!("/headers/{name}"), value), &format!("/multiValueHeaders/{name}"), json!([value]))
}

/// Event in, answer out, both as JSON, as under Lambda.
pub(crate) async fn answer_with(event: &str, handler: fn(&Request) -> Result<Reply, ApiError>) -> Value {
    let incoming: Incoming = Incoming::read(event.as_bytes());
    let answer = edge::answer(incoming, "https://auth.example", async |request| handler(&request)).await;
    serde_json::to_value(answer).unwrap()
}

/// The status of an answer, and what the handler has seen, where it was called.
pub(crate) async fn seen(event: &Value) -> (u64, Value) {
    let answer = answer_with(&event.to_string(), |request| Ok(edge::ok(&mirror(request)))).await;
    let body = serde_json::from_str(answer["body"].as_str().unwrap()).unwrap();
    (answer["statusCode"].as_u64().unwrap(), body)
}

fn mirror(request: &Request) -> Value {
    let mut headers = Map::new();
    for (name, value) in request.headers() {
        let values = headers.entry(name.as_str()).or_insert_with(|| json!([])).as_array_mut().unwrap();
        values.push(String::from_utf8_lossy(value.as_bytes()).into());
    }
    let body = match request.body() {
        Body::Text(text) => json!({"text": text}),
        Body::Binary(bytes) => json!({"bytes": bytes}),
        Body::Empty => Value::Null,
    };
    let query = match Query::read(request, &["a", "environment", "limit"]) {
        Ok(query) => json!(query.parsed("a", "", |text| Some(text.to_owned())).unwrap()),
        Err(ApiError::BadRequest(message)) => json!({"refused": message}),
        Err(other) => panic!("{other:?}"),
    };
    json!({
        "method": request.method().as_str(),
        "segments": request.segments(),
        "query": query,
        "headers": headers,
        "body": body,
        "address": request.source_address().map(|address| address.to_string()),
    })
}
