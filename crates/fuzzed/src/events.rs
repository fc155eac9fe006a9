//! What a gateway asks an authorizer.

use authorizer::Event;
use serde_json::{Value, json};

use crate::bytes::{choice, text, two_texts};

const API: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/live";

/// Any text as an event; and a call in each kind of event.
pub fn events(data: &[u8]) {
    let (form, rest) = choice(data, 2);
    if form == 0 { read(&text(rest)) } else { asked(rest) }
}

fn read(text: &str) {
    let event = Event::read(text.as_bytes());
    let known = serde_json::from_str::<Value>(text).ok();
    let Some(json) = known.filter(Value::is_object) else {
        let nothing = event.headers().next().is_none() && event.token().is_none() && event.method().is_empty();
        // A list in the place of an object is read by its places, and none of a gateway's.
        assert!(nothing || text.trim_start().starts_with('['), "{text}");
        return;
    };
    for (name, value) in event.headers() {
        let single = json["headers"][name] == value;
        let multi =
            json["multiValueHeaders"][name].as_array().is_some_and(|values| values.iter().any(|one| one == value));
        assert!(single || multi, "{name}: {value} stands nowhere in {text}");
    }
    if let Some(token) = event.token() {
        assert!(json["type"] == "TOKEN" && json["authorizationToken"].as_str().unwrap_or_default() == token);
    }
    if let Some(arn) = ["methodArn", "routeArn"].into_iter().find_map(|name| json[name].as_str())
        && event.asked().is_some()
    {
        assert!(
            arn.ends_with(&format!("{}{}", event.method(), event.path().trim_end_matches('/'))) || arn.ends_with('/')
        );
        assert!(arn.starts_with("arn:"), "{text}");
    }
    // The context's address alone; never a header's.
    let http = json["requestContext"]["http"]["sourceIp"].as_str();
    let address = http.or(json["requestContext"]["identity"]["sourceIp"].as_str());
    assert!(event.address().is_none() || event.address() == address.and_then(|text| text.parse().ok()), "{text}");
}

/// Every kind of event says the same of the same call, and hides no value of a header.
fn asked(data: &[u8]) {
    let (path, value) = two_texts(data);
    let path = format!("/{path}");
    let (call, other) = (format!("{API}/GET{path}"), "other");
    let many = json!({"Authorization": [value, other], "x": [value]});
    let rest = json!({
        "type": "REQUEST", "methodArn": call, "headers": {"Authorization": other, "X-API-Key": value},
        "multiValueHeaders": many, "requestContext": {"identity": {"sourceIp": "192.0.2.1"}},
    });
    let http = json!({
        "version": "2.0", "type": "REQUEST", "routeArn": call, "headers": {"authorization": value},
        "requestContext": {"http": {"method": "POST", "path": "/other", "sourceIp": "192.0.2.1"}},
    });
    let url = json!({
        "version": "2.0", "rawPath": path, "headers": {"authorization": value},
        "requestContext": {"http": {"method": "GET", "sourceIp": "192.0.2.1"}},
    });
    let token = json!({"type": "TOKEN", "methodArn": call, "authorizationToken": value});
    for (event, credentials) in [(rest, 3), (http, 1), (url, 1), (token, 0)] {
        let read = Event::read(event.to_string().as_bytes());
        assert_eq!((read.method(), read.path()), ("GET", path.as_str()), "{event}");
        let shown =
            read.headers().filter(|(name, _)| name.eq_ignore_ascii_case("authorization") || *name == "X-API-Key");
        assert_eq!(shown.count(), credentials, "{event}");
        assert!(read.token() == Some(value.as_str()) || read.headers().any(|(_, one)| one == value), "{event}");
        assert_eq!(read.address().is_some(), credentials > 0);
    }
}
