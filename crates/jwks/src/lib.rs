//! The published documents: the JWK set, the authorization server's metadata (RFC 8414), and the protected resource's
//! (RFC 9728).
//!
//! 1. The path names a document; the metadata are bytes made once at start.
//! 2. The JWK set is made of the public halves in the store: one query, kept for seconds.
//! 3. A caller that has the document already, by its `ETag`, is told so in no bytes at all (RFC 9110, section 13.1.2).

mod document;
mod key_set;
mod metadata;

use std::sync::Arc;

use domain::{Access, Moment};
use edge::{ApiError, Reply, Request};
use store::Store;

use document::Document;
use key_set::KeySet;

/// What this function uses: the public partition of the signing table.
pub struct App {
    key_set: KeySet,
    authorization_server: Document,
    protected_resource: Document,
}

impl App {
    /// Makes the documents that never change. `reads_documents`: whether an app's id may be the address of a document that
    /// describes it.
    #[must_use]
    pub fn new(store: Store, base_url: &str, access: &Access, reads_documents: bool) -> Self {
        let authorization_server = metadata::authorization_server(base_url, access, reads_documents);
        Self {
            key_set: KeySet::new(store),
            authorization_server: Document::new(authorization_server.to_string()),
            protected_resource: Document::new(metadata::protected_resource(base_url, access).to_string()),
        }
    }
}

/// Answers a request.
///
/// # Errors
/// [`ApiError`].
pub async fn handle(app: Arc<App>, request: Request, now: Moment) -> Result<Reply, ApiError> {
    let [".well-known", name] = request.segments()[..] else { return Err(ApiError::NotFound) };
    if !matches!(name, "jwks.json" | "oauth-authorization-server" | "openid-configuration" | "oauth-protected-resource")
    {
        return Err(ApiError::NotFound);
    }
    if request.method() != "GET" && request.method() != "HEAD" {
        return Err(ApiError::MethodNotAllowed("GET, HEAD"));
    }
    match name {
        "jwks.json" => Ok(app.key_set.document(now).await?.reply(&request)),
        "oauth-protected-resource" => Ok(app.protected_resource.reply(&request)),
        _ => Ok(app.authorization_server.reply(&request)),
    }
}
