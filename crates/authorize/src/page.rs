//! What every page has in common: its headers, and its style.

use std::sync::LazyLock;

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use edge::{ApiError, Body, HeaderValue, Reply, StatusCode};
use sha2::{Digest as _, Sha256};

use crate::stop::Stop;

/// The one style of all pages; a page names its hash, so that no other counts.
pub(crate) const STYLE: &str = include_str!("../templates/style.css");

static STYLE_HASH: LazyLock<String> = LazyLock::new(|| STANDARD.encode(Sha256::digest(STYLE)));

/// A page. Its forms may lead to `form_action` and nowhere else.
pub(crate) fn page(status: StatusCode, form_action: &str, template: &impl Template) -> Reply {
    let body = match template.render() {
        Ok(body) => body,
        // Writing into memory does not fail.
        Err(error) => return Stop::Failed(ApiError::Unavailable(Box::new(error))).into_reply(),
    };
    let mut reply = Reply::new(Body::Text(body));
    *reply.status_mut() = status;
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; form-action {form_action}; frame-ancestors 'none'; base-uri 'none'",
        *STYLE_HASH
    );
    set(&mut reply, "content-type", "text/html; charset=utf-8");
    set(&mut reply, "content-security-policy", &policy);
    set(&mut reply, "x-frame-options", "DENY");
    protect(&mut reply);
    reply
}

/// The headers of everything that a browser is answered here.
pub(crate) fn protect(reply: &mut Reply) {
    set(reply, "cache-control", "no-store");
    set(reply, "referrer-policy", "no-referrer");
    set(reply, "x-content-type-options", "nosniff");
}

/// Sends the browser on (RFC 9700, section 4.12: by 303, which never takes a form's body along).
pub(crate) fn see_other(location: &str) -> Reply {
    let mut reply = Reply::new(Body::Empty);
    *reply.status_mut() = StatusCode::SEE_OTHER;
    set(&mut reply, "location", location);
    protect(&mut reply);
    reply
}

fn set(reply: &mut Reply, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        reply.headers_mut().insert(name, value);
    }
}

/// Gives the browser cookies.
pub(crate) fn give_cookies(reply: &mut Reply, cookies: impl IntoIterator<Item = String>) {
    for cookie in cookies {
        if let Ok(value) = HeaderValue::from_str(&cookie) {
            reply.headers_mut().append("set-cookie", value);
        }
    }
}
