//! A way to the store that counts: how many calls arrive, of which operation and on which table. Over TLS where a
//! function is to be measured with it, as Amazon's store is reached.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use testkit::TlsServer;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::failure::Failure;
use crate::program::ROOT;

/// The roots that a system trusts: what most clients have to read at their start.
const SYSTEM_ROOTS: [&str; 2] = ["/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt"];

/// How often each operation was called on each table: `("GetItem", "KeysTable")`.
pub(crate) type Counts = BTreeMap<(String, String), usize>;

/// A proxy before a store; it ends when this is dropped.
#[derive(Debug)]
pub(crate) struct Counted {
    endpoint: String,
    shared: Arc<Shared>,
    _server: Server,
}

#[derive(Debug)]
enum Server {
    Plain { _task: JoinSet<()> },
    Tls { _server: TlsServer },
}

#[derive(Debug)]
struct Shared {
    store: String,
    http: reqwest::Client,
    counts: Mutex<Counts>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    #[serde(default)]
    table_name: String,
}

impl Counted {
    /// Before the store at `store`, by plain HTTP.
    pub(crate) async fn start(store: &str) -> Result<Self, Failure> {
        let shared = Shared::new(store);
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let endpoint = format!("http://{}", listener.local_addr()?);
        let router = router(shared.clone());
        let mut task = JoinSet::new();
        task.spawn(async move {
            // It serves until it is aborted.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { endpoint, shared, _server: Server::Plain { _task: task } })
    }

    /// The same over TLS. Whom to trust is written to `roots`: this proxy's authority, and those that functions have embedded,
    /// whose reading is a part of what a cold start costs.
    pub(crate) async fn start_tls(store: &str, roots: &Path) -> Result<Self, Failure> {
        let shared = Shared::new(store);
        let server = TlsServer::start(router(shared.clone())).await;
        std::fs::write(roots, with_embedded_roots(&server.authority)?)?;
        let endpoint = format!("https://127.0.0.1:{}", server.port);
        Ok(Self { endpoint, shared, _server: Server::Tls { _server: server } })
    }

    /// Where it answers.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What has arrived since this was asked last.
    pub(crate) fn take(&self) -> Counts {
        std::mem::take(&mut *self.shared.counts())
    }
}

impl Shared {
    fn new(store: &str) -> Arc<Self> {
        Arc::new(Self { store: store.to_owned(), http: reqwest::Client::new(), counts: Mutex::default() })
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        // Nothing panics while it is held.
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An authority beside those that our functions trust.
fn with_embedded_roots(authority: &str) -> Result<String, Failure> {
    let mut roots = authority.to_owned();
    for file in std::fs::read_dir(Path::new(ROOT).join("crates/aws/roots"))? {
        roots += &std::fs::read_to_string(file?.path())?;
    }
    Ok(roots)
}

/// An authority among all that the system trusts.
pub(crate) fn with_system_roots(authority: &str) -> String {
    let system = SYSTEM_ROOTS.iter().find_map(|path| std::fs::read_to_string(path).ok()).unwrap_or_default();
    system + authority
}

fn router(shared: Arc<Shared>) -> Router {
    Router::new().fallback(forward).with_state(shared)
}

async fn forward(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> Response {
    let target = headers.get("x-amz-target").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let operation = target.rsplit('.').next().unwrap_or_default().to_owned();
    // A transaction names no table of its own.
    let table = serde_json::from_slice(&body).map_or_else(|_| String::new(), |named: Named| named.table_name);
    *shared.counts().entry((operation, table)).or_default() += 1;
    match shared.http.post(&shared.store).headers(headers).body(body).send().await {
        Ok(sent) => {
            let (status, headers) = (sent.status(), sent.headers().clone());
            match sent.bytes().await {
                Ok(body) => (status, headers, body).into_response(),
                Err(_) => StatusCode::BAD_GATEWAY.into_response(),
            }
        }
        Err(_) => StatusCode::BAD_GATEWAY.into_response(),
    }
}
