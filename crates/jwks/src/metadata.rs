//! Metadata: only what is there is named.

use domain::Access;
use serde_json::{Value, json};
use signing::Algorithm;

/// The authorization server's metadata (RFC 8414, section 2; RFC 9207, section 3; RFC 7591;
/// draft-ietf-oauth-client-id-metadata-document); the same content at `openid-configuration`, for verifiers that look there.
pub(crate) fn authorization_server(base_url: &str, access: &Access, reads_documents: bool) -> Value {
    let at = |path: &str| format!("{base_url}{path}");
    let with_secret = ["client_secret_basic", "client_secret_post"];
    json!({
        "issuer": base_url,
        "authorization_endpoint": at("/oauth/authorize"),
        "token_endpoint": at("/oauth/token"),
        "registration_endpoint": at("/oauth/register"),
        "revocation_endpoint": at("/oauth/revoke"),
        "introspection_endpoint": at("/oauth/introspect"),
        "jwks_uri": at("/.well-known/jwks.json"),
        "scopes_supported": access.scope_names().collect::<Vec<_>>(),
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": [
            "authorization_code",
            "refresh_token",
            "client_credentials",
            "urn:ietf:params:oauth:grant-type:token-exchange",
        ],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "revocation_endpoint_auth_methods_supported": ["none", "client_secret_basic", "client_secret_post"],
        "introspection_endpoint_auth_methods_supported": with_secret,
        "authorization_response_iss_parameter_supported": true,
        "client_id_metadata_document_supported": reads_documents,
        // There are no ID tokens; verifiers that read this document as OpenID Connect's refuse one without these.
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
        // Clients ask for all that stands here: what no app may have would only be refused.
        "scopes_supported": access.unprivileged_names().collect::<Vec<_>>(),
        "bearer_methods_supported": ["header"],
    })
}
