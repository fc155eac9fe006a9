//! Metadata: only what is there is named.

use domain::Access;
use serde_json::{Value, json};
use signing::Algorithm;

/// The authorization server's metadata (RFC 8414, section 2); the same content at `openid-configuration`, for
/// verifiers that look there.
///
/// There is no token endpoint of OAuth yet, so none is named although the RFC asks for one: a client that finds an
/// address expects somebody there.
pub(crate) fn authorization_server(base_url: &str, access: &Access) -> Value {
    json!({
        "issuer": base_url,
        "jwks_uri": format!("{base_url}/.well-known/jwks.json"),
        "scopes_supported": access.scope_names().collect::<Vec<_>>(),
        "response_types_supported": [],
        "grant_types_supported": [],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": Algorithm::ALL.map(Algorithm::name),
    })
}

/// The protected resource's metadata (RFC 9728, section 2).
pub(crate) fn protected_resource(base_url: &str, access: &Access) -> Value {
    json!({
        "resource": base_url,
        "authorization_servers": [base_url],
        "jwks_uri": format!("{base_url}/.well-known/jwks.json"),
        "scopes_supported": access.scope_names().collect::<Vec<_>>(),
        "bearer_methods_supported": ["header"],
    })
}
