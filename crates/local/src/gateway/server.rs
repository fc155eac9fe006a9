//! The gateway's HTTP side.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderValue, Method, Request, StatusCode, Version, request::Parts};
use axum::response::{IntoResponse, Response};
use tokio::net::TcpListener;

use super::answer::Reply;
use super::request::Incoming;
use super::{BODY_LIMIT, Gateway};
use crate::clock;
use crate::failure::{Context, Failure, Result};

/// Local's own path.
const HEALTH: &str = "/healthz";
const METHOD_OVERRIDE: &str = "x-http-method-override";
/// How much of a body that is too large is read before the answer: a caller that is still sending doesn't hear it.
const DRAIN_LIMIT: usize = 64 * 1024 * 1024;

/// The gateway's port, and what it leads to once that is up.
#[derive(Clone, Debug)]
pub struct Door {
    gateway: Arc<OnceLock<Arc<Gateway>>>,
    /// The port.
    pub port: u16,
}

impl Door {
    /// Takes the port and answers 503 until [`Door::open`].
    ///
    /// # Errors
    /// The port is taken.
    pub async fn new(port: u16) -> Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .await
            .map_err(|error| Failure::new(format!("port {port} can't be used ({error}): name another with --port")))?;
        let port = listener.local_addr().doing(|| "reading the port".to_owned())?.port();
        let door = Self { gateway: Arc::default(), port };
        let app = axum::Router::new()
            .fallback(handle)
            .with_state(door.clone())
            .into_make_service_with_connect_info::<SocketAddr>();
        tokio::spawn(async move {
            let _ = axum::serve(listener, app).await;
        });
        Ok(door)
    }

    /// Lets callers in.
    pub fn open(&self, gateway: Arc<Gateway>) {
        let _ = self.gateway.set(gateway);
    }
}

async fn handle(
    State(door): State<Door>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request<Body>,
) -> Response {
    let gateway = door.gateway.get();
    if request.uri().path() == HEALTH && request.method() == Method::GET {
        let status = if gateway.is_some() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
        return status.into_response();
    }
    let Some(gateway) = gateway else {
        return (StatusCode::SERVICE_UNAVAILABLE, "not up yet\n").into_response();
    };
    let (parts, body) = request.into_parts();
    let mut incoming = incoming(&parts, peer.ip(), door.port);
    let reply = match read(body).await {
        Some(body) => {
            incoming.body = body;
            gateway.answer(&incoming).await
        }
        None => gateway.too_large(&incoming),
    };
    response(reply, &incoming.request_id)
}

/// The body, or `None` where it is too large.
async fn read(body: Body) -> Option<Vec<u8>> {
    match axum::body::to_bytes(body, DRAIN_LIMIT).await {
        Ok(bytes) if bytes.len() <= BODY_LIMIT => Some(bytes.into()),
        _ => None,
    }
}

fn incoming(parts: &Parts, peer: IpAddr, port: u16) -> Incoming {
    let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
    // API Gateway obeys this header, and doesn't hand it on.
    let method = header(METHOD_OVERRIDE).unwrap_or(parts.method.as_str()).to_ascii_uppercase();
    let headers = parts
        .headers
        .iter()
        .filter(|(name, _)| *name != METHOD_OVERRIDE)
        .map(|(name, value)| (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect();
    Incoming {
        method,
        raw_path: parts.uri.path().to_owned(),
        raw_query: parts.uri.query().map(str::to_owned),
        protocol: if parts.version == Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" },
        headers,
        body: Vec::new(),
        peer,
        port,
        request_id: request_id(),
        received: clock::now(),
    }
}

/// A request of this program's own.
pub(super) fn own_request(method: &str, path: &str, port: u16) -> Incoming {
    Incoming {
        method: method.to_owned(),
        raw_path: path.to_owned(),
        raw_query: None,
        protocol: "HTTP/1.1",
        headers: vec![("user-agent".to_owned(), "keygate-local".to_owned())],
        body: Vec::new(),
        peer: Ipv4Addr::LOCALHOST.into(),
        port,
        request_id: request_id(),
        received: clock::now(),
    }
}

/// A random UUID, version 4.
fn request_id() -> String {
    let mut bits = u128::from_be_bytes(domain::random::bytes());
    bits = bits & !(0xf << 76) | 0x4 << 76;
    bits = bits & !(0x3 << 62) | 0x2 << 62;
    let hex = format!("{bits:032x}");
    [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]].join("-")
}

fn response(reply: Reply, request_id: &str) -> Response {
    let mut response = Response::new(Body::from(reply.body));
    *response.status_mut() = reply.status;
    *response.headers_mut() = reply.headers;
    if let Ok(id) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(request: axum::http::request::Builder) -> Parts {
        request.body(()).unwrap().into_parts().0
    }

    #[test]
    fn the_method_can_be_overridden_as_api_gateway_lets_callers() {
        let parts = parts(Request::post("/api/v1/users?x=1").header("X-HTTP-Method-Override", "get").header("A", "b"));
        let incoming = incoming(&parts, Ipv4Addr::LOCALHOST.into(), 1);
        assert_eq!(incoming.method, "GET");
        assert_eq!(incoming.headers, [("a".to_owned(), "b".to_owned())]);
        assert_eq!((incoming.raw_path.as_str(), incoming.raw_query.as_deref()), ("/api/v1/users", Some("x=1")));
    }

    #[test]
    fn request_ids_are_uuids_and_differ() {
        let (one, two) = (request_id(), request_id());
        assert_ne!(one, two);
        assert_eq!(one.len(), 36);
        assert_eq!(one.split('-').map(str::len).collect::<Vec<_>>(), [8, 4, 4, 4, 12]);
        assert_eq!(one.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&one.as_bytes()[19]), "{one}");
    }

    #[tokio::test]
    async fn a_port_that_is_taken_is_named() {
        let first = Door::new(0).await.unwrap();
        let failure = Door::new(first.port).await.unwrap_err();
        assert!(failure.to_string().contains(&first.port.to_string()), "{failure}");
        assert_eq!(failure.exit_code, 1);
    }
}
