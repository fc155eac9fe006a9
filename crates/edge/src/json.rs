//! JSON bodies.

use domain::strict_json;
use http::header;
use serde::de::DeserializeOwned;

use crate::error::ApiError;
use crate::request::Request;

/// The longest body where a call says nothing else: 64 KB.
pub const MAX_BODY_BYTES: usize = 64 * 1024;

/// Reads the body of a request as JSON: `application/json`, at most [`MAX_BODY_BYTES`], each member once. Shapes that
/// refuse unknown members end them here.
///
/// # Errors
/// [`ApiError::PayloadTooLarge`], [`ApiError::UnsupportedMediaType`], [`ApiError::BadRequest`], in this order.
pub fn json<T: DeserializeOwned>(request: &Request) -> Result<T, ApiError> {
    json_up_to(MAX_BODY_BYTES, request)
}

/// As [`json`], for calls that take bodies of up to `limit` bytes.
///
/// # Errors
/// As [`json`].
pub fn json_up_to<T: DeserializeOwned>(limit: usize, request: &Request) -> Result<T, ApiError> {
    let body = request.body().as_bytes();
    if body.len() > limit {
        return Err(ApiError::PayloadTooLarge { limit });
    }
    if !is_of_type(request, "application/json") {
        return Err(ApiError::UnsupportedMediaType);
    }
    strict_json::from_slice(body).map_err(|error| ApiError::BadRequest(describe(&error)))
}

/// As [`json`], for calls that need no body: nothing is the form's default, whatever its type is said to be.
///
/// # Errors
/// As [`json`].
pub fn json_or_nothing<T: DeserializeOwned + Default>(request: &Request) -> Result<T, ApiError> {
    if request.body().as_bytes().is_empty() { Ok(T::default()) } else { json(request) }
}

/// Whether a request says once that its body is of a type, with whatever parameters.
pub(crate) fn is_of_type(request: &Request, wanted: &str) -> bool {
    let mut values = request.headers().get_all(header::CONTENT_TYPE).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return false };
    let media_type = value.to_str().unwrap_or_default().split(';').next().unwrap_or_default();
    media_type.trim().eq_ignore_ascii_case(wanted)
}

/// Says what is wrong with a body and never what stands in it: a key sent in the wrong place must not come back in an
/// error.
fn describe(error: &serde_json::Error) -> String {
    if error.line() == 0 {
        return "The body must be a JSON object".to_owned();
    }
    let place = format!("line {}, column {}", error.line(), error.column());
    if !error.is_data() {
        return format!("The body is not JSON ({place})");
    }
    let text = error.to_string();
    let text = text.rsplit_once(" at line ").map_or(text.as_str(), |(text, _)| text);
    // serde quotes the input before the last of these words, and after it only what was expected.
    let expected = if text.ends_with(", there are no fields") {
        Some("no fields")
    } else {
        text.rsplit_once(", expected ").map(|(_, rest)| rest)
    };
    if text.starts_with("missing field ") {
        format!("The body has a {text}")
    } else if text.starts_with("unknown ") {
        format!("The body has an unknown member or value, expected {} ({place})", expected.unwrap_or("none"))
    } else if text.starts_with("invalid ") {
        format!("The body has a wrong value, expected {} ({place})", expected.unwrap_or("another"))
    } else {
        // One of this project's own texts, all constant.
        format!("The body has a wrong value: {text} ({place})")
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;
    use crate::request::Body;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields, rename_all = "camelCase")]
    struct Form {
        api_key: String,
        #[expect(dead_code, reason = "only its shape matters")]
        scopes: Option<domain::ScopeSet>,
        #[expect(dead_code, reason = "only its shape matters")]
        environment: Option<domain::Environment>,
    }

    fn request(content_type: Option<&str>, body: impl Into<Body>) -> Request {
        let mut request = Request::new(body.into());
        if let Some(value) = content_type {
            request.headers_mut().insert(header::CONTENT_TYPE, value.parse().unwrap());
        }
        request
    }

    fn message(body: &[u8]) -> String {
        match json::<Form>(&request(Some("application/json"), body)) {
            Err(ApiError::BadRequest(message)) => message,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_right_body_is_read_from_text_and_bytes() {
        let body = r#"{"apiKey":"x"}"#;
        for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
            assert_eq!(json::<Form>(&request(Some(content_type), body)).unwrap().api_key, "x");
            assert_eq!(json::<Form>(&request(Some(content_type), body.as_bytes())).unwrap().api_key, "x");
        }
    }

    #[test]
    fn a_form_that_has_nothing_says_so_and_repeats_nothing() {
        #[derive(Debug, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Nothing {}
        let body = r#"{"a, expected sk_live_SECRET":1}"#;
        let refused = json::<Nothing>(&request(Some("application/json"), body));
        let Err(ApiError::BadRequest(message)) = refused else { panic!("{refused:?}") };
        assert_eq!(message, "The body has an unknown member or value, expected no fields (line 1, column 29)");
    }

    #[test]
    fn other_types_and_lengths_have_their_own_answers() {
        for content_type in
            [None, Some("text/plain"), Some("application/x-www-form-urlencoded"), Some("application/jsonp")]
        {
            let refused = json::<Form>(&request(content_type, r#"{"apiKey":"x"}"#));
            assert!(matches!(refused, Err(ApiError::UnsupportedMediaType)), "{content_type:?}");
        }
        let long = format!(r#"{{"apiKey":"{}"}}"#, "x".repeat(MAX_BODY_BYTES));
        let refused = json::<Form>(&request(Some("application/json"), long.as_str()));
        assert!(matches!(refused, Err(ApiError::PayloadTooLarge { limit: MAX_BODY_BYTES })));
        let taken = json_up_to::<Form>(long.len(), &request(Some("application/json"), long.as_str()));
        assert!(taken.is_ok());
        let refused = json_up_to::<Form>(long.len() - 1, &request(Some("application/json"), long.as_str()));
        assert!(matches!(refused, Err(ApiError::PayloadTooLarge { .. })));
    }

    #[test]
    fn messages_say_where_and_hold_no_value() {
        let secret = "sk_live_secret";
        for body in [
            format!(r#"{{"apiKey":"{secret}","scopes":"{secret}"}}"#),
            format!(r#"{{"apiKey":"{secret}","scopes":["{secret} x"]}}"#),
            format!(r#"{{"{secret}":1}}"#),
            format!(r#"{{"apiKey":"{secret}","environment":"{secret}"}}"#),
            format!(r#"{{"apiKey":"{secret}","scopes":"a, expected {secret}, expected "}}"#),
            format!(r#"{{"apiKey":"{secret}"}} {secret}"#),
            format!(r#"["{secret}"]"#),
            format!(r#""{secret}""#),
            secret.to_owned(),
        ] {
            let message = message(body.as_bytes());
            assert!(!message.contains(secret), "{body} → {message}");
        }
        assert_eq!(message(b"{}"), "The body has a missing field `apiKey`");
        assert_eq!(
            message(br#"{"apikey":"x"}"#),
            "The body has an unknown member or value, expected one of `apiKey`, `scopes`, `environment` (line 1, column 9)"
        );
        assert_eq!(message(br#"{"apiKey":1}"#), "The body has a wrong value, expected a string (line 1, column 11)");
    }

    #[test]
    fn what_is_no_json_object_of_the_shape_is_a_bad_request() {
        assert_eq!(message(b"[1]"), "The body must be a JSON object");
        for body in [
            &b""[..],
            b"null",
            b"[]",
            b"1",
            b"{",
            b"\xff",
            b"\xef\xbb\xbf{}",
            br#"{"apiKey":"x","apiKey":"y"}"#,
            br#"{"apiKey":"x","other":{"a":1,"a":2}}"#,
        ] {
            message(body);
        }
        message("[".repeat(20_000).as_bytes());
    }
}
