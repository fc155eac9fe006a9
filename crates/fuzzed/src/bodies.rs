//! Bodies and queries: JSON, forms, and the events that they come in.

use edge::{ApiError, Body, Incoming, Parameters, Query, Request, form_decoded, json};
use serde::Deserialize;
use serde_json::Value;

use crate::bytes::{choice, text};

/// A form that an endpoint might have.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only its shape matters")]
struct Form {
    api_key: String,
    scopes: Option<domain::ScopeSet>,
    resource: Option<domain::Resource>,
    redirect_uris: Option<Vec<domain::RedirectUri>>,
    environment: Option<domain::Environment>,
    limit: Option<u32>,
}

/// A form that says nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Empty {}

/// The name by which `serde_json` would read a text as JSON of its own.
const RAW: &str = "$serde_json::private::RawValue";
/// What no error may repeat.
const SECRET: &str = "sk_live_ThatNobodyMaySee";

/// Bytes as a JSON body, as a form, and as an event with a request in it.
pub fn bodies(data: &[u8]) {
    let (form, rest) = choice(data, 3);
    match form {
        0 => json_body(rest),
        1 => form_body(rest),
        _ => event(rest),
    }
}

fn request(content_type: &'static str, body: &[u8]) -> Request {
    let mut request = Request::new(Body::Binary(body.to_vec()));
    request.headers_mut().insert("content-type", edge::HeaderValue::from_static(content_type));
    request
}

/// An error is the caller's, and says nothing of what was sent.
fn assert_refused(error: ApiError) {
    let reply = error.into_reply("https://auth.example");
    let (parts, body) = reply.into_parts();
    assert!((400..500).contains(&parts.status.as_u16()), "{}", parts.status);
    let Body::Text(body) = body else { panic!("no text") };
    assert!(!body.contains(SECRET), "{body}");
    let read: Value = serde_json::from_str(&body).unwrap();
    assert_eq!(read["statusCode"], parts.status.as_u16());
}

fn json_body(data: &[u8]) {
    // `~` stands for a secret and `^` for a name that none may have, wherever the fuzzer puts them.
    let body = text(data).replace('~', SECRET).replace('^', RAW);
    let form = json::<Form>(&request("application/json", body.as_bytes()));
    let value = json::<Value>(&request("application/json; charset=utf-8", body.as_bytes()));
    assert!(form.is_err() || value.is_ok(), "what has a shape is JSON");
    if let Ok(value) = &value {
        assert!(value.is_object());
        let again = json::<Value>(&request("application/json", value.to_string().as_bytes()));
        assert_eq!(again.ok().as_ref(), Some(value), "it reads back");
        assert_eq!(serde_json::from_str::<Value>(&body).ok().as_ref(), Some(value));
        assert_eq!(value.to_string().matches(RAW).count(), body.matches(RAW).count(), "nothing in it was read twice");
    }
    json::<Empty>(&request("application/json", body.as_bytes())).map(drop).map_err(assert_refused).ok();
    form.map(drop).map_err(assert_refused).ok();
    value.map(drop).map_err(assert_refused).ok();
    let Err(error) = json::<Value>(&request("text/plain", body.as_bytes())) else { panic!("no JSON by its own word") };
    assert!(matches!(error, ApiError::UnsupportedMediaType | ApiError::PayloadTooLarge { .. }));
    // Bytes as they are, too.
    json::<Value>(&request("application/json", data)).map(drop).map_err(assert_refused).ok();
}

fn form_body(data: &[u8]) {
    let read = match Parameters::of_form(&request("application/x-www-form-urlencoded", data)) {
        Ok(read) => read,
        Err(error) => return assert_refused(error),
    };
    // The same by the reader that browsers have, which guesses where ours refuses.
    let pairs: Vec<_> = url::form_urlencoded::parse(data).into_owned().collect();
    for (name, _) in &pairs {
        let values: Vec<_> = pairs.iter().filter(|(other, _)| other == name).map(|(_, value)| value.as_str()).collect();
        match (read.one(name), &values[..]) {
            (Ok(one), [value]) => assert_eq!(one.unwrap_or_default(), *value, "{name}"),
            (Err(repeated), [_, _, ..]) => assert_eq!(repeated.0, *name),
            other => panic!("{name}: {other:?}"),
        }
    }
    let repeated = pairs.iter().any(|(name, _)| pairs.iter().filter(|(other, _)| other == name).count() > 1);
    assert_eq!(read.repeated().is_some(), repeated);
    let encoded: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
    let again = Parameters::of_form(&request("application/x-www-form-urlencoded", encoded.as_bytes())).ok().unwrap();
    assert!(pairs.iter().all(|(name, _)| again.one(name) == read.one(name)), "it reads back");
    assert!(form_decoded(&encoded).is_some());
}

fn event(data: &[u8]) {
    let text = text(data);
    let Some(request) = Incoming::read(text.as_bytes()).into_request() else { return };
    assert!(!request.segments().is_empty());
    assert!(request.source_address().is_none_or(|address| text.contains(&address.to_string()) || address.is_ipv6()));
    let parameters = Parameters::of_query(&request);
    assert!(parameters.repeated().is_none_or(|repeated| parameters.one(&repeated.0).is_err()));
    let query = Query::read(&request, &["limit", "cursor"]);
    query.and_then(|query| query.limit()).map(|limit| assert!((1..=100).contains(&limit))).map_err(assert_refused).ok();
    json::<Value>(&request).map(drop).map_err(assert_refused).ok();
    Parameters::of_form(&request).map(drop).map_err(assert_refused).ok();
}
