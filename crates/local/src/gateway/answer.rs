//! From a function's answer to an HTTP response, by the rules of a Lambda proxy integration.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use serde_json::Value;

use super::headers::{Fate, fate};

/// A response, ready to be sent.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body.
    pub body: Vec<u8>,
}

const MEMBERS: [&str; 5] = ["statusCode", "headers", "multiValueHeaders", "body", "isBase64Encoded"];

/// Reads what a function answered.
///
/// # Errors
/// A malformed answer, which is a 502 of API Gateway's own; the text says what is wrong, for the log alone.
pub fn read(answer: &[u8]) -> Result<Reply, String> {
    let answer: Value = serde_json::from_slice(answer).map_err(|error| format!("not JSON: {error}"))?;
    let answer = answer.as_object().ok_or("not an object")?;
    if let Some(unknown) = answer.keys().find(|name| !MEMBERS.contains(&name.as_str())) {
        return Err(format!("an unknown member `{unknown}`"));
    }
    let mut headers = HeaderMap::new();
    let multi = header_lists(answer.get("multiValueHeaders"))?;
    for (name, value) in single_headers(answer.get("headers"))? {
        // Where both have a name, its list counts.
        if !multi.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
            append(&mut headers, &name, &value)?;
        }
    }
    for (name, values) in &multi {
        for value in values {
            append(&mut headers, name, value)?;
        }
    }
    headers.entry(header::CONTENT_TYPE).or_insert(HeaderValue::from_static("application/json"));
    let body = match answer.get("body") {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => text.clone().into_bytes(),
        Some(_) => return Err("body is not a string".to_owned()),
    };
    match answer.get("isBase64Encoded") {
        // No media type of this API is binary, so base64 is sent on as it is, which no caller expects.
        None | Some(Value::Null | Value::Bool(_)) => {}
        Some(_) => return Err("isBase64Encoded is not a boolean".to_owned()),
    }
    Ok(Reply { status: status(answer.get("statusCode"))?, headers, body })
}

fn status(value: Option<&Value>) -> Result<StatusCode, String> {
    let number = match value {
        None | Some(Value::Null) => Some(200),
        Some(Value::Number(number)) => number.as_u64(),
        Some(Value::String(text)) => text.parse().ok(),
        Some(_) => None,
    };
    number
        .and_then(|number| u16::try_from(number).ok())
        // What is below 200 is no end of a request.
        .filter(|number| (200..600).contains(number))
        .and_then(|number| StatusCode::from_u16(number).ok())
        .ok_or("statusCode is not an HTTP status".to_owned())
}

fn single_headers(value: Option<&Value>) -> Result<Vec<(String, String)>, String> {
    entries(value, "headers")?.into_iter().map(|(name, value)| Ok((name.to_owned(), text(name, value)?))).collect()
}

fn header_lists(value: Option<&Value>) -> Result<Vec<(String, Vec<String>)>, String> {
    entries(value, "multiValueHeaders")?
        .into_iter()
        .map(|(name, value)| {
            let values = value.as_array().ok_or(format!("multiValueHeaders.{name} is not a list"))?;
            Ok((name.to_owned(), values.iter().map(|value| text(name, value)).collect::<Result<_, _>>()?))
        })
        .collect()
}

fn entries<'a>(value: Option<&'a Value>, what: &str) -> Result<Vec<(&'a str, &'a Value)>, String> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Object(map)) => Ok(map.iter().map(|(name, value)| (name.as_str(), value)).collect()),
        Some(_) => Err(format!("{what} is not an object")),
    }
}

fn text(name: &str, value: &Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(flag) => Ok(flag.to_string()),
        _ => Err(format!("the header {name} is not a string")),
    }
}

fn append(headers: &mut HeaderMap, name: &str, value: &str) -> Result<(), String> {
    let name = match fate(name) {
        Fate::Dropped => return Ok(()),
        Fate::Kept => name.to_owned(),
        Fate::Renamed(name) => name,
    };
    let value = HeaderValue::from_str(value).map_err(|_| format!("a value that {name} can't have"))?;
    let name = HeaderName::try_from(name).map_err(|_| "a name that no header can have".to_owned())?;
    headers.append(name, value);
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read_json(answer: &Value) -> Result<Reply, String> {
        read(answer.to_string().as_bytes())
    }

    fn values<'a>(reply: &'a Reply, name: &str) -> Vec<&'a str> {
        reply.headers.get_all(name).iter().map(|value| value.to_str().unwrap()).collect()
    }

    #[test]
    fn nothing_is_required_and_the_content_type_is_json_unless_said() {
        let reply = read_json(&json!({})).unwrap();
        assert_eq!((reply.status.as_u16(), reply.body.as_slice()), (200, &b""[..]));
        assert_eq!(values(&reply, "content-type"), ["application/json"]);
        let reply = read_json(
            &json!({"statusCode": "201", "headers": {"Content-Type": "text/plain", "X-Flag": true}, "body": "x"}),
        )
        .unwrap();
        assert_eq!((reply.status.as_u16(), reply.body.as_slice()), (201, &b"x"[..]));
        assert_eq!(values(&reply, "content-type"), ["text/plain"]);
        assert_eq!(values(&reply, "x-flag"), ["true"]);
        assert!(
            read_json(&json!({"headers": null, "multiValueHeaders": null, "body": null, "statusCode": null})).is_ok()
        );
    }

    #[test]
    fn malformed_answers_are_refused() {
        for answer in [
            json!("text"),
            json!([]),
            json!(null),
            json!({"statusCode": 200, "wrongValue": "x"}),
            json!({"statusCode": "x"}),
            json!({"statusCode": 99}),
            json!({"statusCode": 101}),
            json!({"statusCode": 600}),
            json!({"statusCode": 200.5}),
            json!({"statusCode": -1}),
            json!({"headers": []}),
            json!({"headers": {"X": 1}}),
            json!({"headers": {"X": null}}),
            json!({"headers": {"X": "a\r\nSet-Cookie: b"}}),
            json!({"headers": {"X Y": "a"}}),
            json!({"multiValueHeaders": {"X": "a"}}),
            json!({"multiValueHeaders": {"X": [1]}}),
            json!({"body": {}}),
            json!({"body": 1}),
            json!({"isBase64Encoded": "yes"}),
            json!({"errorMessage": "x", "errorType": "y"}),
        ] {
            assert!(read_json(&answer).is_err(), "{answer}");
        }
        assert!(read(b"").is_err() && read(b"{").is_err());
    }

    #[test]
    fn lists_of_values_win_over_single_ones() {
        let reply = read_json(&json!({
            "headers": {"set-cookie": "single", "x-one": "1"},
            "multiValueHeaders": {"Set-Cookie": ["a=1", "b=2"]},
        }))
        .unwrap();
        assert_eq!(values(&reply, "set-cookie"), ["a=1", "b=2"]);
        assert_eq!(values(&reply, "x-one"), ["1"]);
    }

    #[test]
    fn a_functions_challenge_is_renamed() {
        let reply = read_json(&json!({
            "statusCode": 401,
            "headers": {"WWW-Authenticate": "Bearer", "Transfer-Encoding": "chunked", "Content-Length": "3"},
        }))
        .unwrap();
        assert_eq!(values(&reply, "www-authenticate"), Vec::<&str>::new());
        assert_eq!(values(&reply, "x-amzn-remapped-www-authenticate"), ["Bearer"]);
        assert_eq!(values(&reply, "x-amzn-remapped-content-length"), ["3"]);
        assert_eq!(values(&reply, "transfer-encoding"), Vec::<&str>::new());
        assert_eq!(values(&reply, "content-length"), Vec::<&str>::new());
    }

    #[test]
    fn base64_is_not_decoded_for_an_api_without_binary_types() {
        let reply = read_json(&json!({"body": "dGVzdA==", "isBase64Encoded": true})).unwrap();
        assert_eq!(reply.body, b"dGVzdA==");
    }
}
