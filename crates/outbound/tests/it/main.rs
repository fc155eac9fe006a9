//! Requests over real sockets and real TLS.
#![expect(clippy::unwrap_used, reason = "a test that can't be set up has failed")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use outbound::{Failure, Outbound, Reach};
use testkit::TlsServer;
use url::Url;

const JSON: &str = "application/json";

struct Setup {
    server: TlsServer,
    /// Requests that have come through to it.
    seen: Arc<AtomicUsize>,
}

impl Setup {
    async fn new() -> Self {
        let seen = Arc::new(AtomicUsize::new(0));
        let counted = seen.clone();
        let count = axum::middleware::map_request(move |request: axum::extract::Request| {
            counted.fetch_add(1, Ordering::SeqCst);
            std::future::ready(request)
        });
        let headers = [("content-type", "Application/JSON; charset=utf-8"), ("cache-control", "public, max-age=600")];
        let router = Router::new()
            .route("/five", get(async move || (headers, "12345")))
            .route("/redirect", get(async || Redirect::temporary("/five")))
            .route("/gone", get(async || StatusCode::GONE))
            .route("/endless", get(async || body_of(|_| Bytes::from_static(&[b' '; 1024]))))
            .route("/never", get(async || std::future::pending::<()>().await))
            .route("/slowly", get(slowly))
            .layer(count);
        Self { server: TlsServer::start(router).await, seen }
    }

    async fn get(&self, outbound: &Outbound, path: &str) -> Result<outbound::Fetched, Failure> {
        outbound.get(&Url::parse(&self.server.url(path)).unwrap(), JSON, 1000).await
    }

    fn trusting(&self, reach: Reach) -> Outbound {
        Outbound::new(reach).trusting([self.server.root()])
    }

    fn seen(&self) -> usize {
        self.seen.load(Ordering::SeqCst)
    }
}

/// A body without an end or a length.
fn body_of(chunk: fn(usize) -> Bytes) -> Response {
    let chunks = tokio_stream::iter((0..).map(chunk).map(Ok::<_, std::convert::Infallible>));
    Body::from_stream(chunks).into_response()
}

async fn slowly() -> Response {
    use tokio_stream::StreamExt as _;
    let chunks = tokio_stream::iter(0..).map(|_: u64| Ok::<_, std::convert::Infallible>("1"));
    Body::from_stream(chunks.throttle(Duration::from_millis(500))).into_response()
}

#[tokio::test]
async fn what_lies_at_an_address_is_read_with_its_type_and_age() {
    let setup = Setup::new().await;
    let fetched = setup.get(&setup.trusting(Reach::Loopback), "/five").await.unwrap();
    assert_eq!(
        (fetched.body.as_slice(), fetched.media_type.as_str(), fetched.max_age),
        (&b"12345"[..], JSON, Some(600))
    );
}

#[tokio::test]
async fn no_address_of_this_machine_is_asked_where_only_public_ones_are_within_reach() {
    let setup = Setup::new().await;
    let outbound = setup.trusting(Reach::Public);
    let port = setup.server.port;
    for host in
        ["localhost", "127.0.0.1", "[::1]", "[::ffff:127.0.0.1]", "0x7f000001", "2130706433", "127.1", "0", "[::]"]
    {
        let url = Url::parse(&format!("https://{host}:{port}/five")).unwrap();
        let outcome = outbound.get(&url, JSON, 1000).await;
        assert!(matches!(outcome, Err(Failure::OutOfReach)), "{host}: {outcome:?}");
    }
    assert_eq!(setup.seen(), 0);
}

#[tokio::test]
async fn private_networks_are_out_of_reach_on_one_machine_too() {
    let setup = Setup::new().await;
    for host in ["169.254.169.254", "10.0.0.1", "192.168.1.1", "[fd00:ec2::254]", "0.0.0.0"] {
        let url = Url::parse(&format!("https://{host}/latest/meta-data/")).unwrap();
        let outcome = setup.trusting(Reach::Loopback).get(&url, JSON, 1000).await;
        assert!(matches!(outcome, Err(Failure::OutOfReach)), "{host}: {outcome:?}");
    }
}

#[tokio::test]
async fn only_https_with_a_trusted_certificate_is_read() {
    let setup = Setup::new().await;
    let plain = Url::parse(&format!("http://localhost:{}/five", setup.server.port)).unwrap();
    let outcome = setup.trusting(Reach::Loopback).get(&plain, JSON, 1000).await;
    assert!(matches!(outcome, Err(Failure::NotHttps)), "{outcome:?}");
    let outcome = setup.get(&Outbound::new(Reach::Loopback), "/five").await;
    assert!(matches!(outcome, Err(Failure::Unreachable(_))), "{outcome:?}");
    assert_eq!(setup.seen(), 0);
}

#[tokio::test]
async fn redirects_and_other_statuses_are_no_answers() {
    let setup = Setup::new().await;
    let outbound = setup.trusting(Reach::Loopback);
    let outcome = setup.get(&outbound, "/redirect").await;
    assert!(matches!(outcome, Err(Failure::Status(StatusCode::TEMPORARY_REDIRECT))), "{outcome:?}");
    assert_eq!(setup.seen(), 1, "it was not followed");
    let outcome = setup.get(&outbound, "/gone").await;
    assert!(matches!(outcome, Err(Failure::Status(StatusCode::GONE))), "{outcome:?}");
}

#[tokio::test]
async fn bytes_and_time_are_bounded() {
    let setup = Setup::new().await;
    let outbound = setup.trusting(Reach::Loopback);
    let outcome = setup.get(&outbound, "/endless").await;
    assert!(matches!(outcome, Err(Failure::TooLarge(1000))), "{outcome:?}");
    for path in ["/never", "/slowly"] {
        let outcome = setup.get(&outbound, path).await;
        assert!(matches!(&outcome, Err(Failure::Unreachable(error)) if error.is_timeout()), "{path}: {outcome:?}");
    }
}
