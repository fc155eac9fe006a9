//! The server behind a test store: an embedded one of its own, or one that all share.

use std::path::Path;

use embedded::Embedded;
use serde_json::{Value, json};
use template::Template;

/// The variable that names the server of all test stores, as `http://127.0.0.1:<port>`. Without it each has an embedded
/// server of its own.
pub const STORE_VARIABLE: &str = "KEYGATE_TEST_STORE";

/// No signature, but what says in which region's tables to look: the one that the store's own calls are signed for.
const UNSIGNED: [(&str, &str); 2] = [
    (
        "authorization",
        "AWS4-HMAC-SHA256 Credential=local/20270115/local/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
    ),
    ("x-amz-date", "20270115T080000Z"),
];

#[derive(Debug)]
pub(crate) enum Server {
    Own(Embedded),
    Shared {
        endpoint: String,
        /// What the names of this store's tables end with, so that tests do not meet.
        suffix: String,
    },
}

impl Server {
    /// One with the empty tables of `template.yaml`.
    pub(crate) async fn start() -> Self {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../template.yaml");
        let template = Template::load(path).unwrap();
        let Ok(endpoint) = std::env::var(STORE_VARIABLE) else {
            return Self::Own(Embedded::start(None, &template).await.unwrap());
        };
        let server = Self::Shared { endpoint, suffix: format!("-{}", domain::random::base62(12)) };
        for table in template.tables().unwrap() {
            // Expiry is left off: such a server removes by the real clock, and tests have a time of their own.
            let mut request = table.create_table_request();
            request["TableName"] = json!(server.table_name(&table.logical_id));
            let made = call_store(&server.endpoint(), "CreateTable", &request).await;
            assert_eq!(made["TableDescription"]["TableStatus"], "ACTIVE", "{made}");
        }
        server
    }

    pub(crate) fn endpoint(&self) -> String {
        match self {
            Self::Own(embedded) => embedded.endpoint(),
            Self::Shared { endpoint, .. } => endpoint.clone(),
        }
    }

    /// What the table of this name in the template is called here.
    pub(crate) fn table_name(&self, logical_id: &str) -> String {
        match self {
            Self::Own(_) => logical_id.to_owned(),
            Self::Shared { suffix, .. } => format!("{logical_id}{suffix}"),
        }
    }

    /// Puts an item, past the proxy.
    pub(crate) fn put_item(&self, request: Value) {
        match self {
            Self::Own(embedded) => embedded.put_item(request).unwrap(),
            Self::Shared { endpoint, .. } => {
                // On a thread of its own: the caller's has a runtime already, and that can't wait for another.
                let put = || {
                    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
                    runtime.block_on(call_store(endpoint, "PutItem", &request));
                };
                std::thread::scope(|scope| scope.spawn(put).join().unwrap());
            }
        }
    }
}

/// Calls a server that plays DynamoDB, in the words of its API.
pub async fn call_store(endpoint: &str, operation: &str, request: &Value) -> Value {
    let mut call = reqwest::Client::new()
        .post(endpoint)
        .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
        .header("content-type", "application/x-amz-json-1.0")
        .body(request.to_string());
    for (name, value) in UNSIGNED {
        call = call.header(name, value);
    }
    let sent = call.send().await.unwrap();
    let (status, text) = (sent.status(), sent.text().await.unwrap());
    assert!(status.is_success(), "{operation}: {status}: {text}");
    serde_json::from_str(&text).unwrap()
}
