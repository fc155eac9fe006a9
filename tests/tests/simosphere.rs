//! SIMOSphere: the key itself as a bearer.

use serde_json::{Value, json};

use crate::support::http::{Credential, Http, lacks_scope, unauthorized};
use crate::support::system;

const CHAT: &str = "/v1/chat/completions";
const MODELS: &str = "/v1/models";

/// The document's body, its three dots filled in.
fn body() -> Value {
    json!({"model": "mistral-small-latest", "messages": [{"role": "user", "content": "Good morning"}]})
}

#[tokio::test]
async fn a_raw_key_as_bearer_chats_and_lists_models() {
    let http = Http::new(system());
    for (key, prefix, environment) in
        [(&system().demo.api_key, "sk_live_", "live"), (&system().demo.test_key, "sk_test_", "test")]
    {
        assert!(key.starts_with(prefix));
        let chat = http.post(CHAT, Credential::Bearer(key), &body()).await.expect(200);
        assert_eq!(chat["model"], "mistral-small-latest");
        assert_eq!(chat["choices"][0]["message"]["content"], "Good morning");
        assert_eq!(chat["caller"]["environment"], environment);
        assert_eq!(chat["caller"]["credential"], "api_key");
        assert_eq!(chat["caller"]["client_id"], system().demo.client_id.as_str());
        let models = http.get(MODELS, Credential::Bearer(key)).await.expect(200);
        assert_eq!(models["data"][0]["id"], "mistral-small-latest");
    }
}

#[tokio::test]
async fn a_raw_key_that_is_wrong_or_lacks_the_scope_is_refused() {
    let http = Http::new(system());
    for key in ["sk_live_your_api_key_here", "sk_test_", "agent_tok_abc123..."] {
        assert_eq!(http.post(CHAT, Credential::Bearer(key), &body()).await.expect(401), unauthorized());
    }
    let lister = http.create_key("lister", &["models:read"]).await;
    assert_eq!(http.post(CHAT, Credential::Bearer(&lister.raw), &body()).await.expect(403), lacks_scope());
    http.get(MODELS, Credential::Bearer(&lister.raw)).await.expect(200);
    let writer = http.create_key("chatter", &["chat:completions"]).await;
    assert_eq!(http.get(MODELS, Credential::Bearer(&writer.raw)).await.expect(403), lacks_scope());
}

#[tokio::test]
async fn a_live_keys_secret_is_not_good_under_the_test_prefix() {
    let http = Http::new(system());
    let other = system().demo.api_key.replacen("sk_live_", "sk_test_", 1);
    assert_eq!(http.get(MODELS, Credential::Bearer(&other)).await.expect(401), unauthorized());
}

#[tokio::test]
async fn discovery_names_the_issuer_and_the_documents_scopes() {
    let http = Http::new(system());
    let base = system().demo.base_url.as_str();
    let metadata =
        http.send(http.request(reqwest::Method::GET, "/.well-known/oauth-authorization-server")).await.expect(200);
    assert_eq!(metadata["issuer"], base);
    assert_eq!(metadata["jwks_uri"], format!("{base}/.well-known/jwks.json"));
    let scopes = metadata["scopes_supported"].as_array().unwrap();
    for scope in ["chat:completions", "models:read", "usage:read"] {
        assert!(scopes.contains(&json!(scope)), "{scope}");
    }
}
