//! A document that anybody may read and keep for a while.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::published_keys::SET_MAX_AGE;
use edge::{Body, Reply, Request};
use sha2::{Digest, Sha256};

/// Bytes that are made once, with their tag.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    body: String,
    etag: String,
    cache_control: String,
}

impl Document {
    pub(crate) fn new(body: String) -> Self {
        let digest = Sha256::digest(body.as_bytes());
        let tag = URL_SAFE_NO_PAD.encode(&digest[..16]);
        // Whoever makes a signing key waits for longer than this before it signs.
        let cache_control = format!("public, max-age={}", SET_MAX_AGE.as_secs());
        Self { body, etag: format!("\"{tag}\""), cache_control }
    }

    /// The same document, which nobody may keep: it is about to change.
    pub(crate) fn momentary(self) -> Self {
        Self { cache_control: "no-cache".to_owned(), ..self }
    }

    /// Answers with the document, or with 304 where the caller has it.
    pub(crate) fn reply(&self, request: &Request) -> Reply {
        let known = self.is_known_to(request);
        let body = if known || request.method() == "HEAD" { Body::Empty } else { Body::Text(self.body.clone()) };
        let mut reply = Reply::new(body);
        if known {
            *reply.status_mut() = edge::StatusCode::NOT_MODIFIED;
        }
        for (name, value) in [
            ("content-type", "application/json"),
            ("cache-control", &self.cache_control),
            ("etag", &self.etag),
            // These are public and hold no secret: a page of any origin may read them.
            ("access-control-allow-origin", "*"),
        ] {
            if let Ok(value) = value.parse() {
                reply.headers_mut().insert(name, value);
            }
        }
        reply
    }

    fn is_known_to(&self, request: &Request) -> bool {
        request
            .headers()
            .get_all("if-none-match")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|list| list.split(','))
            .map(|tag| tag.trim().trim_start_matches("W/"))
            .any(|tag| tag == self.etag || tag == "*")
    }
}
