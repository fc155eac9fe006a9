//! Each seed's own call, and who the authorizer says is calling.

use demo_api::handle;
use serde_json::{Value, json};
use testkit::{event, moment, parts, request, request_of};

/// What the contract has the authorizer hand on.
const CONTEXT: [&str; 11] = [
    "client_id",
    "key_id",
    "user_id",
    "workspace_id",
    "agent_id",
    "tools",
    "scopes",
    "environment",
    "billed_to",
    "credential",
    "jti",
];

#[test]
fn each_sample_event_is_answered_with_its_caller() {
    for (name, expected, member) in [
        ("insights", 200, "rows"),
        ("list-users", 200, "data"),
        ("create-user", 201, "data"),
        ("execute-workflow", 200, "output"),
        ("logs", 200, "data"),
        ("chat-completions", 200, "choices"),
        ("models", 200, "data"),
    ] {
        let text = event(&format!("demo-api-{name}"), &[]);
        let sent: Value = serde_json::from_str(&text).unwrap();
        let (status, body) = parts(handle(&request_of(&text), moment(0.0)).unwrap());
        assert_eq!(status, expected, "{name}: {body}");
        assert!(body.get(member).is_some(), "{name}: {body}");
        let context = &sent["requestContext"]["authorizer"];
        for member in CONTEXT {
            assert!(context[member].is_string(), "{name}: the authorizer always hands on {member}");
        }
        assert_eq!(body["caller"]["client_id"], context["client_id"], "{name}");
        assert_eq!(body["caller"]["scopes"], context["scopes"], "{name}");
    }
}

#[test]
fn what_the_caller_sends_is_given_back() {
    let json = [("content-type", "application/json")];
    let said = json!({"model": "m", "messages": [{"role": "user", "content": "Hi"}]}).to_string();
    let (_, body) = parts(handle(&request("POST", "/v1/chat/completions", &json, said), moment(0.0)).unwrap());
    assert_eq!(body["choices"][0]["message"]["content"], "Hi");
    let user = json!({"external_id": "user_42", "traits": {"name": "Bob"}});
    let (_, body) = parts(handle(&request("POST", "/api/v1/users", &json, user.to_string()), moment(0.0)).unwrap());
    assert_eq!(body["data"], user);
    assert_eq!(body["caller"], json!({}), "no authorizer, no caller");
}

#[test]
fn bad_input_is_the_callers_fault() {
    let json = [("content-type", "application/json")];
    let refused = |method: &str, path: &str, body: &str| {
        let error = handle(&request(method, path, &json, body), moment(0.0)).unwrap_err();
        error.into_reply("").status().as_u16()
    };
    assert_eq!(refused("POST", "/api/workflows/1/execute", "{"), 400);
    assert_eq!(refused("GET", "/api/v1/nothing", ""), 404);
    assert_eq!(refused("POST", "/v1/chat/completions", "[]"), 400);
    for body in [r#"{"messages":1}"#, r#"{"messages":[1]}"#] {
        let reply = handle(&request("POST", "/v1/chat/completions", &json, body), moment(0.0)).unwrap();
        assert_eq!(reply.status().as_u16(), 200, "{body}");
    }
}
