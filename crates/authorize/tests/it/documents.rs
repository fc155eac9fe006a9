//! Apps whose id is the address of a document, which a real server of a stranger gives out over TLS.

use std::sync::{Arc, Mutex};

use authorize::Documents;
use axum::Router;
use axum::body::Body;
use axum::http::StatusCode;
use axum::response::Response;
use domain::{AppId, AuthorizationCode, HashedKey};
use outbound::{Outbound, Reach};
use serde_json::{Value, json};
use testkit::{Fault, ISSUER, TlsServer};

use crate::browser::Browser;
use crate::setup::{Answer, CALLBACK, Setup, asks, with};

/// What the stranger's server answers.
#[derive(Clone)]
struct Page {
    status: StatusCode,
    headers: Vec<(&'static str, String)>,
    body: String,
}

struct Site {
    setup: Setup,
    server: TlsServer,
    page: Arc<Mutex<Page>>,
    /// How often the document was asked for.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Site {
    async fn new() -> Self {
        let page = Page { status: StatusCode::OK, headers: Vec::new(), body: String::new() };
        let page = Arc::new(Mutex::new(page));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let (shown, noted) = (page.clone(), asked.clone());
        let answer = async move |request: axum::extract::Request| {
            noted.lock().unwrap().push(request.uri().to_string());
            let Page { status, headers, body } = shown.lock().unwrap().clone();
            let mut response = Response::builder().status(status);
            for (name, value) in headers {
                response = response.header(name, value);
            }
            response.body(Body::from(body)).unwrap()
        };
        let server = TlsServer::start(Router::new().fallback(answer)).await;
        let mut setup = Setup::new().await;
        let outbound = Outbound::new(Reach::Loopback).trusting([server.root()]);
        setup.app = Setup::app_with(setup.test.store.clone(), ISSUER, Documents::new(outbound, 40));
        let site = Self { setup, server, page, asked };
        site.shows(&site.document());
        site
    }

    fn id(&self) -> AppId {
        AppId::parse(&self.server.url("/client.json")).unwrap()
    }

    /// A document as MCP clients have it.
    fn document(&self) -> Value {
        json!({
            "client_id": self.id().as_str(),
            "client_name": "Document's assistant",
            "client_uri": "https://app.example",
            "logo_uri": "https://app.example/logo.png",
            "redirect_uris": [CALLBACK, "http://127.0.0.1/callback", "assistant:/callback"],
            "grant_types": ["authorization_code", "refresh_token", "urn:ietf:params:oauth:grant-type:device_code"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        })
    }

    fn shows(&self, document: &Value) {
        self.shows_text("application/json", &document.to_string());
    }

    fn shows_text(&self, media_type: &str, body: &str) {
        let headers = vec![("content-type", media_type.to_owned())];
        *self.page.lock().unwrap() = Page { status: StatusCode::OK, headers, body: body.to_owned() };
    }

    fn asks(&self, scope: &str) -> Vec<(String, String)> {
        let app = domain::App { id: self.id(), ..Setup::new_app(None, None) };
        asks(&app, scope)
    }

    /// The answer to whoever asks from `address` in a new browser.
    async fn get_from(&self, address: &str, asked: &[(String, String)]) -> Answer {
        let mut browser = Browser::new(&self.setup);
        address.clone_into(&mut browser.address);
        browser.get(asked).await
    }

    fn times_asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

#[tokio::test]
async fn an_app_is_known_by_the_document_at_its_id_and_gets_a_code() {
    let site = Site::new().await;
    let mut browser = Browser::new(&site.setup);
    let page = browser.sign_in(&site.asks("read admin"), site.setup.account.owner.email.as_str()).await;
    for shown in ["Document&#39;s assistant", "Unverified app", "describes itself at <strong>localhost</strong>"] {
        assert!(page.body.contains(shown), "{shown} in {}", page.body);
    }
    for absent in ["logo.png", "registered itself", "<code>admin</code>"] {
        assert!(!page.body.contains(absent), "{absent} in {}", page.body);
    }
    let answer = browser.decide(&page, "allow").await;
    let sent = answer.sent_to(CALLBACK);
    let code = site.setup.test.store.code_find(&HashedKey::of_text(&sent[0].1)).await.unwrap();
    let AuthorizationCode { app_id, scopes, .. } = code.unwrap();
    assert_eq!((app_id, scopes.to_string().as_str()), (site.id(), "read"));
    assert_eq!(site.times_asked(), 1, "it is kept from page to page");
    assert_eq!(*site.asked.lock().unwrap(), ["/client.json"]);
}

#[tokio::test]
async fn only_its_own_redirect_uris_are_answered() {
    let site = Site::new().await;
    let asked = site.asks("read");
    let mut browser = Browser::new(&site.setup);
    browser.get(&with(&asked, "redirect_uri", Some("http://127.0.0.1:33418/callback"))).await.assert_page(200);
    for foreign in ["https://evil.example/callback", "assistant:/callback", "https://app.example/callback/", ""] {
        browser.get(&with(&asked, "redirect_uri", Some(foreign))).await.assert_page(400);
    }
}

#[tokio::test]
async fn a_document_that_is_none_describes_no_app() {
    let site = Site::new().await;
    let asked = site.asks("read");
    let refused = async |what: &str| {
        let answer = Browser::new(&site.setup).get(&asked).await;
        answer.assert_page(400);
        assert!(answer.body.contains("No such app is known here."), "{what}: {}", answer.body);
    };
    let changed = |name: &str, value: Value| {
        let mut document = site.document();
        document[name] = value;
        document
    };
    let other = site.server.url("/other.json");
    for (name, value) in [
        ("client_id", json!(other)),
        ("client_id", json!(site.id().as_str().to_uppercase())),
        ("client_id", json!(format!("{}/", site.id()))),
        ("client_id", Value::Null),
        ("client_id", json!([site.id().as_str()])),
        ("client_secret", json!("s")),
        ("client_secret_expires_at", json!(0)),
        ("token_endpoint_auth_method", json!("client_secret_basic")),
        ("token_endpoint_auth_method", json!("client_secret_post")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("redirect_uris", json!([])),
        ("redirect_uris", json!("https://app.example/callback")),
        ("redirect_uris", json!(["http://app.example/callback", "javascript:alert(1)"])),
        ("redirect_uris", Value::Null),
        ("grant_types", json!(["client_credentials"])),
        ("response_types", json!(["token"])),
        ("client_name", json!("a\u{202e}b")),
        ("client_name", json!("n".repeat(101))),
        ("client_name", json!({"en": "App"})),
    ] {
        let document = changed(name, value);
        site.shows(&document);
        refused(&document.to_string()).await;
    }
    let good = site.document().to_string();
    let doubled = good.replacen('{', r#"{"client_name":"Other","#, 1);
    for (media_type, body) in [
        ("text/html", good.as_str()),
        ("text/plain", &good),
        ("application/javascript", &good),
        ("", &good),
        ("application/json", ""),
        ("application/json", "[]"),
        ("application/json", &good[1..]),
        ("application/json", &doubled),
        ("application/json", &format!("{good}{}", " ".repeat(6000))),
    ] {
        site.shows_text(media_type, body);
        refused(body).await;
    }
    for status in [StatusCode::NOT_FOUND, StatusCode::CREATED, StatusCode::INTERNAL_SERVER_ERROR] {
        site.shows(&site.document());
        site.page.lock().unwrap().status = status;
        refused(status.as_str()).await;
    }
    let moved = vec![("location", "/other.json".to_owned())];
    *site.page.lock().unwrap() = Page { status: StatusCode::FOUND, headers: moved, body: String::new() };
    refused("a redirect").await;
    assert!(!site.asked.lock().unwrap().contains(&"/other.json".to_owned()), "it was not followed");
    site.shows_text("application/oauth-client+json; charset=utf-8", &site.document().to_string());
    site.get_from("198.51.100.1", &asked).await.assert_page(200);
}

#[tokio::test]
async fn a_document_is_kept_for_as_long_as_it_says_within_bounds_and_an_error_never() {
    let site = Site::new().await;
    let asked = site.asks("read");
    let mut browser = Browser::new(&site.setup);
    let mut start = 0.0;
    for (cache_control, kept) in [
        (None, 300.0),
        (Some("max-age=600"), 600.0),
        (Some("no-store, max-age=0"), 60.0),
        (Some("max-age=86400"), 3600.0),
    ] {
        let said = cache_control.map(|value| ("cache-control", value.to_owned()));
        site.shows(&site.document());
        site.page.lock().unwrap().headers.extend(said);
        let before = site.times_asked();
        for (seconds, times) in [(0.0, 1), (kept - 1.0, 1), (kept, 2)] {
            browser.seconds = start + seconds;
            browser.get(&asked).await.assert_page(200);
            assert_eq!(site.times_asked() - before, times, "{cache_control:?} after {seconds} s");
        }
        start += kept + 3600.0;
    }
    // Gone is gone, once what was kept is too old; and back is back.
    browser.seconds = start;
    site.page.lock().unwrap().status = StatusCode::NOT_FOUND;
    browser.get(&asked).await.assert_page(400);
    site.shows(&site.document());
    browser.get(&asked).await.assert_page(200);
}

#[tokio::test]
async fn an_address_has_so_many_documents_read_in_an_hour() {
    let site = Site::new().await;
    let ask = async |number: usize, address: &str| {
        let url = site.server.url(&format!("/client-{number}.json"));
        site.get_from(address, &with(&site.asks("read"), "client_id", Some(&url))).await
    };
    for number in 0..40 {
        ask(number, "192.0.2.1").await.assert_page(400);
    }
    let answer = ask(40, "192.0.2.1").await;
    answer.assert_page(429);
    assert!(answer.header("retry-after").is_some());
    assert_eq!(site.times_asked(), 40, "nobody was asked for it");
    ask(41, "192.0.2.2").await.assert_page(400);
    assert_eq!(site.times_asked(), 41);
}

#[tokio::test]
async fn what_can_not_be_counted_is_not_read() {
    let site = Site::new().await;
    site.setup.test.faults.always("UpdateItem", Fault::InternalError);
    Browser::new(&site.setup).get(&site.asks("read")).await.assert_page(503);
    assert_eq!(site.times_asked(), 0);
}

#[tokio::test]
async fn where_no_documents_are_read_such_an_app_is_unknown() {
    let mut site = Site::new().await;
    let outbound = Outbound::new(Reach::Loopback).trusting([site.server.root()]);
    site.setup.app = Setup::app_with(site.setup.test.store.clone(), ISSUER, Documents::new(outbound, 0));
    Browser::new(&site.setup).get(&site.asks("read")).await.assert_page(400);
    assert_eq!(site.times_asked(), 0);
}

#[tokio::test]
async fn no_document_on_this_machine_or_its_network_is_read_by_a_public_service() {
    let mut site = Site::new().await;
    let outbound = Outbound::new(Reach::Public).trusting([site.server.root()]);
    site.setup.app = Setup::app_with(site.setup.test.store.clone(), ISSUER, Documents::new(outbound, 40));
    let port = site.server.port;
    for host in ["localhost", "127.0.0.1", "[::1]", "[::ffff:7f00:1]"] {
        let url = format!("https://{host}:{port}/client.json");
        assert!(AppId::parse(&url).is_some(), "{url}");
        Browser::new(&site.setup).get(&with(&site.asks("read"), "client_id", Some(&url))).await.assert_page(400);
    }
    assert_eq!(site.times_asked(), 0);
}
