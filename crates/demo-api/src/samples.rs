//! Sample data.

use domain::Timestamp;
use edge::{Reply, StatusCode};
use serde_json::{Value, json};

/// SIMCEL's Insights API.
pub(crate) fn insights(name: &str, plan: Option<&str>, caller: &Value) -> Reply {
    edge::ok(&json!({
        "insight": name,
        "planId": plan,
        "currency": "USD",
        "rows": [
            {"period": "2026-Q1", "revenue": 1_250_000, "cost": 830_000, "margin": 420_000},
            {"period": "2026-Q2", "revenue": 1_310_000, "cost": 845_000, "margin": 465_000},
        ],
        "caller": caller,
    }))
}

/// Simbee's users: the end users of its sample, not the client's staff.
pub(crate) fn users(caller: &Value) -> Reply {
    let data = [
        json!({"external_id": "user_1", "traits": {"name": "Alice"}}),
        json!({"external_id": "user_2", "traits": {"name": "Bob"}}),
    ];
    edge::ok(&json!({"data": data, "caller": caller}))
}

/// Gives a user back; nothing is kept.
pub(crate) fn create_user(user: &Value, caller: &Value) -> Reply {
    edge::with_status(StatusCode::CREATED, &json!({"data": user, "caller": caller}))
}

/// Sim's workflow execution.
pub(crate) fn execute_workflow(id: &str, body: &Value, caller: &Value) -> Reply {
    edge::ok(&json!({
        "success": true,
        "workflowId": id,
        "output": {"inputs": body.get("inputs").cloned().unwrap_or_default()},
        "caller": caller,
    }))
}

/// Sim's Logs API.
pub(crate) fn logs(caller: &Value) -> Reply {
    let data = [json!({"workflowId": "1", "level": "info", "durationMs": 412, "trigger": "api"})];
    edge::ok(&json!({"data": data, "caller": caller}))
}

/// SIMOSphere's chat completions: it says back what was said last.
pub(crate) fn chat_completion(body: &Value, now: Timestamp, caller: &Value) -> Reply {
    let said = body["messages"].as_array().and_then(|messages| messages.last()).map(|last| &last["content"]);
    let content = said.and_then(Value::as_str).unwrap_or("Hello");
    edge::ok(&json!({
        "id": "chatcmpl-demo",
        "object": "chat.completion",
        "created": now.unix(),
        "model": body.get("model").cloned().unwrap_or_else(|| json!("mistral-small-latest")),
        "choices": [{"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}],
        "caller": caller,
    }))
}

/// SIMOSphere's models.
pub(crate) fn models(caller: &Value) -> Reply {
    let data = [json!({"id": "mistral-small-latest", "object": "model", "owned_by": "demo"})];
    edge::ok(&json!({"object": "list", "data": data, "caller": caller}))
}
