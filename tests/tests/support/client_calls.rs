//! Every call on what belongs to a client, as the contract has them: method, path and a body that is right.
//!
//! A route of the template that is missing here is found by `isolation.rs`; a call that is missing must be a 405.

use serde_json::Value;

/// Where it all lies.
pub const ROOT: &str = "/api/v1/clients/{client_id}";

/// A call.
#[derive(Clone, Copy, Debug)]
pub struct Call {
    pub method: &'static str,
    /// Behind [`ROOT`], as the template writes it.
    pub path: &'static str,
    /// The body, if any. `{unique}` is something that is another at each call, `{hash}` a hash that is.
    pub body: Option<&'static str>,
    /// What an owner of the client is answered who names what is there.
    pub status: u16,
}

const fn call(method: &'static str, path: &'static str, body: Option<&'static str>, status: u16) -> Call {
    Call { method, path, body, status }
}

const IMPORT: &str = r#"{
    "dry_run": false,
    "pattern": {"prefix": "former_", "length": 40},
    "rows": [{"name": "former", "hash": "{hash}", "encoding": "hex"}]
}"#;

const APP: &str = r#"{
    "name": "made",
    "grant_types": ["client_credentials"],
    "scopes": ["read"],
    "confidential": true
}"#;

/// All of them, in an order in which each finds what it needs: what takes something away comes last.
pub const CALLS: &[Call] = &[
    call("GET", "", None, 200),
    call("PATCH", "", Some(r#"{"name": "renamed {unique}"}"#), 200),
    call("GET", "/api_keys", None, 200),
    call("POST", "/api_keys", Some(r#"{"name": "made"}"#), 201),
    call("POST", "/api_keys/import", Some(IMPORT), 200),
    call("GET", "/api_keys/{key_id}", None, 200),
    call("PATCH", "/api_keys/{key_id}", Some(r#"{"name": "renamed {unique}"}"#), 200),
    call("GET", "/audit_events", None, 200),
    call("GET", "/agents", None, 200),
    call("GET", "/agents/{agent_id}", None, 200),
    call("GET", "/apps", None, 200),
    call("POST", "/apps", Some(APP), 201),
    call("GET", "/apps/{app_id}", None, 200),
    call("PATCH", "/apps/{app_id}", Some(r#"{"name": "renamed {unique}"}"#), 200),
    call("POST", "/apps/{app_id}/rotate_secret", Some("{}"), 201),
    call("GET", "/users", None, 200),
    call("POST", "/users", Some(r#"{"email": "{unique}@example.com", "role": "member"}"#), 201),
    call("GET", "/users/{user_id}", None, 200),
    call("PATCH", "/users/{user_id}", Some(r#"{"role": "admin"}"#), 200),
    call("GET", "/users/{user_id}/grants", None, 200),
    call("GET", "/workspaces", None, 200),
    call("POST", "/workspaces", Some(r#"{"name": "made"}"#), 201),
    call("GET", "/workspaces/{workspace_id}", None, 200),
    call("PATCH", "/workspaces/{workspace_id}", Some(r#"{"personal_keys_allowed": false}"#), 200),
    call("PATCH", "/workspaces/{workspace_id}", Some(r#"{"status": "suspended"}"#), 200),
    call("PATCH", "/workspaces/{workspace_id}", Some(r#"{"status": "active"}"#), 200),
    call("GET", "/workspaces/{workspace_id}/members", None, 200),
    call("GET", "/workspaces/{workspace_id}/members/{user_id}", None, 200),
    call("PUT", "/workspaces/{workspace_id}/members/{user_id}", Some(r#"{"role": "admin"}"#), 200),
    call("DELETE", "/workspaces/{workspace_id}/members/{user_id}", None, 204),
    call("DELETE", "/agents/{agent_id}", None, 204),
    call("DELETE", "/users/{user_id}/grants/{grant_id}", None, 204),
    call("DELETE", "/apps/{app_id}", None, 204),
    // It ends what was made with the key's old string.
    call("POST", "/api_keys/{key_id}/rotate", Some(r#"{"overlap_seconds": 0}"#), 201),
    call("DELETE", "/api_keys/{key_id}", None, 204),
    call("DELETE", "/users/{user_id}", None, 204),
];

/// What the names in a path stand for.
#[derive(Clone, Debug)]
pub struct Ids {
    pub client: String,
    pub key: String,
    pub user: String,
    pub workspace: String,
    pub agent: String,
    pub app: String,
    pub grant: String,
}

impl Ids {
    /// Such as nobody has.
    pub fn unknown() -> Self {
        let id = |prefix: &str| format!("{prefix}_{}", domain::random::base62(16));
        Self {
            client: id("cl"),
            key: id("ak"),
            user: id("cu"),
            workspace: id("ws"),
            agent: id("agent"),
            app: id("oc"),
            grant: id("gr"),
        }
    }

    /// A path of the template with its names filled in.
    ///
    /// # Panics
    /// Where it has a name that is not known here.
    pub fn fill(&self, path: &str) -> String {
        let filled = path
            .replace("{client_id}", &self.client)
            .replace("{key_id}", &self.key)
            .replace("{user_id}", &self.user)
            .replace("{workspace_id}", &self.workspace)
            .replace("{agent_id}", &self.agent)
            .replace("{app_id}", &self.app)
            .replace("{grant_id}", &self.grant);
        assert!(!filled.contains('{'), "{path} has a parameter that nobody fills in here");
        filled
    }
}

impl Call {
    /// Its whole path with `ids` in it.
    pub fn target(&self, ids: &Ids) -> String {
        ids.fill(&format!("{ROOT}{}", self.path))
    }

    /// A body that no other call has sent; `null` where there is none.
    pub fn body(&self) -> Value {
        let Some(text) = self.body else { return Value::Null };
        let hash = domain::HashedKey::of_text(&domain::random::base62(32)).to_hex();
        let text = text.replace("{unique}", &domain::random::base62(16)).replace("{hash}", &hash);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
    }
}
