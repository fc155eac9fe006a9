//! A small MCP server (Model Context Protocol, Streamable HTTP, without sessions): one tool, which says who is calling.
//!
//! The authorizer stands in front of it as in front of everything here; what is left to a server is which tools an agent
//! may use.

use edge::{ApiError, Reply, StatusCode};
use serde_json::{Value, json};

/// The version that is answered to a client that asks for one that is not known here.
const VERSION: &str = "2025-06-18";
const KNOWN: [&str; 3] = ["2025-03-26", VERSION, "2025-11-25"];
const TOOL: &str = "whoami";
/// JSON-RPC 2.0, section 5.1.
const METHOD_NOT_FOUND: i64 = -32601;
const INVALID_PARAMS: i64 = -32602;

/// Answers one JSON-RPC message.
///
/// # Errors
/// [`ApiError::BadRequest`] for what is none.
pub(crate) fn answer(message: &Value, caller: &Value) -> Result<Reply, ApiError> {
    let method = message["method"].as_str().filter(|_| message["jsonrpc"] == "2.0");
    let method = method.ok_or_else(|| ApiError::BadRequest("The body must be one JSON-RPC 2.0 request".to_owned()))?;
    let Some(id) = message.get("id") else {
        // A notification is accepted, and nothing is to be said.
        let mut reply = edge::no_content();
        *reply.status_mut() = StatusCode::ACCEPTED;
        return Ok(reply);
    };
    let outcome = match method {
        "initialize" => Ok(initialize(&message["params"])),
        "ping" => Ok(json!({})),
        "tools/list" => Ok(json!({ "tools": [tool()] })),
        "tools/call" => call(&message["params"], caller),
        _ => Err((METHOD_NOT_FOUND, "No such method")),
    };
    let member = match outcome {
        Ok(result) => ("result", result),
        Err((code, text)) => ("error", json!({ "code": code, "message": text })),
    };
    Ok(edge::ok(&json!({ "jsonrpc": "2.0", "id": id, member.0: member.1 })))
}

fn initialize(params: &Value) -> Value {
    let asked = params["protocolVersion"].as_str().filter(|asked| KNOWN.contains(asked));
    json!({
        "protocolVersion": asked.unwrap_or(VERSION),
        "capabilities": {"tools": {}},
        "serverInfo": {"name": "keygate-demo", "version": env!("CARGO_PKG_VERSION")},
    })
}

fn tool() -> Value {
    json!({
        "name": TOOL,
        "description": "Says who is calling, as the authorizer has it",
        "inputSchema": {"type": "object", "properties": {}, "additionalProperties": false},
    })
}

/// Calls a tool. An agent that was given tools by name may use these alone.
fn call(params: &Value, caller: &Value) -> Result<Value, (i64, &'static str)> {
    if params["name"] != TOOL {
        return Err((INVALID_PARAMS, "No such tool"));
    }
    let tools = caller["tools"].as_str().unwrap_or_default();
    let text = |text: String, failed: bool| json!({ "content": [{"type": "text", "text": text}], "isError": failed });
    if !tools.is_empty() && !tools.split(' ').any(|tool| tool == TOOL) {
        return Ok(text("The agent may not use this tool".to_owned(), true));
    }
    Ok(text(caller.to_string(), false))
}

#[cfg(test)]
mod tests {
    use edge::Body;

    use super::*;

    fn said(message: &Value, caller: &Value) -> Value {
        let reply = answer(message, caller).unwrap();
        let Body::Text(body) = reply.body() else { return Value::Null };
        serde_json::from_str(body).unwrap_or_default()
    }

    #[test]
    fn an_agent_uses_the_tools_alone_that_it_was_given() {
        let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": TOOL}});
        for (tools, refused) in [("", false), ("other whoami", false), ("other", true), ("whoami2", true)] {
            let result = &said(&call, &json!({ "tools": tools }))["result"];
            assert_eq!(result["isError"], refused, "{tools}");
        }
        let unknown = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "x"}});
        assert_eq!(said(&unknown, &json!({}))["error"]["code"], INVALID_PARAMS);
    }

    #[test]
    fn messages_are_answered_as_json_rpc_has_it() {
        let caller = json!({});
        let message = |method: &str| json!({"jsonrpc": "2.0", "id": "x", "method": method});
        assert_eq!(said(&message("tools/list"), &caller)["result"]["tools"][0]["name"], TOOL);
        assert_eq!(said(&message("none"), &caller)["error"]["code"], METHOD_NOT_FOUND);
        assert_eq!(said(&message("ping"), &caller), json!({"jsonrpc": "2.0", "id": "x", "result": {}}));
        let note = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        assert_eq!(answer(&note, &caller).unwrap().status(), StatusCode::ACCEPTED);
        for bad in [json!([]), json!({}), json!({"method": "ping", "id": 1}), json!({"jsonrpc": "2.0", "id": 1})] {
            assert!(matches!(answer(&bad, &caller), Err(ApiError::BadRequest(_))), "{bad}");
        }
    }
}
