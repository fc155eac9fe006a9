use std::sync::Arc;

use authorize::{App, Cookies, Documents, handle};
use domain::{Access, AppId, ClientId, GrantType, RedirectUri, Role, ScopeSet, User};
use edge::{Body, Reply};
use identity::Identity;
use outbound::{Outbound, Reach};
use serde_json::{Value, json};
use testkit::{ISSUER, TestAccount, TestStore, audience, moment, now, request_of};

/// Where the apps of these tests are answered.
pub(crate) const CALLBACK: &str = "https://app.example/callback";
/// RFC 7636, appendix B.
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

pub(crate) struct Setup {
    pub(crate) test: TestStore,
    pub(crate) account: TestAccount,
    pub(crate) app: Arc<App>,
}

/// What a caller is answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    reply: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Answer {
    fn of(reply: Reply) -> Self {
        let headers = reply.headers().iter();
        let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
        let status = reply.status().as_u16();
        let body = match reply.into_body() {
            Body::Text(text) => text,
            Body::Empty => String::new(),
            Body::Binary(_) => panic!("no page is binary"),
        };
        Self { status, reply: headers, body }
    }

    /// A header that stands there once.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let values = self.all(name);
        assert!(values.len() < 2, "{name}: {values:?}");
        values.first().copied()
    }

    pub(crate) fn all(&self, name: &str) -> Vec<&str> {
        self.reply.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    pub(crate) fn json(&self) -> Value {
        assert_eq!(self.header("content-type"), Some("application/json"), "{self:?}");
        serde_json::from_str(&self.body).unwrap()
    }

    /// The parameters that the app is sent at `uri`.
    pub(crate) fn sent_to(&self, uri: &str) -> Vec<(String, String)> {
        assert_eq!(self.status, 303, "{self:?}");
        let location = self.header("location").unwrap();
        let query = location.strip_prefix(uri).and_then(|rest| rest.strip_prefix(['?', '&']));
        let query = query.unwrap_or_else(|| panic!("{location} is not {uri}"));
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }

    /// The error that the app is sent, whose state must be `state`.
    pub(crate) fn error(&self, state: Option<&str>) -> String {
        let sent = self.sent_to(CALLBACK);
        let value = |name: &str| {
            let mut values = sent.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str());
            let value = values.next();
            assert_eq!(values.next(), None, "{sent:?}");
            value
        };
        assert_eq!((value("state"), value("iss"), value("code")), (state, Some(ISSUER), None), "{sent:?}");
        assert!(value("error_description").is_some_and(|text| !text.is_empty()), "{sent:?}");
        value("error").unwrap().to_owned()
    }

    /// Nobody is sent anywhere: it is a page.
    pub(crate) fn assert_page(&self, status: u16) {
        assert_eq!(self.status, status, "{self:?}");
        assert_eq!(self.header("location"), None, "{self:?}");
        assert_eq!(self.header("content-type"), Some("text/html; charset=utf-8"));
    }
}

impl Setup {
    pub(crate) async fn new() -> Self {
        let test = TestStore::start().await;
        let account = test.account().await;
        let app = Self::app(test.store.clone(), ISSUER);
        Self { test, account, app }
    }

    pub(crate) fn app(store: store::Store, issuer: &str) -> Arc<App> {
        Self::app_with(store, issuer, Documents::new(Outbound::new(Reach::Public), 3))
    }

    pub(crate) fn app_with(store: store::Store, issuer: &str, documents: Documents) -> Arc<App> {
        Arc::new(App {
            identity: Identity::new(store.clone(), audience()),
            store,
            access: Access::built_in().unwrap(),
            cookies: Cookies::new(issuer),
            issuer: issuer.to_owned(),
            registrations_per_hour: 3,
            documents,
        })
    }

    /// An app of the account's client, with scopes of its own, or one that has registered itself: change it as the test needs.
    pub(crate) fn new_app(client: Option<&ClientId>, scopes: Option<&str>) -> domain::App {
        domain::App {
            id: AppId::random(),
            client_id: client.cloned(),
            name: "My assistant".to_owned(),
            redirect_uris: vec![RedirectUri::parse(CALLBACK).unwrap()],
            grant_types: vec![GrantType::AuthorizationCode],
            scopes: scopes.map(|scopes| ScopeSet::parse(scopes).unwrap()),
            secret: None,
            created_at: now(),
            created_by: String::new(),
            revision: 0,
        }
    }

    pub(crate) async fn stored(&self, app: domain::App) -> domain::App {
        self.test.store.app_register(&app).await.unwrap();
        app
    }

    /// A stored app that has registered itself, for `read`.
    pub(crate) async fn unverified(&self) -> domain::App {
        self.stored(Self::new_app(None, None)).await
    }

    /// A stored app of the account's client.
    pub(crate) async fn own_app(&self, scopes: &str) -> domain::App {
        self.stored(Self::new_app(Some(&self.account.client.id), Some(scopes))).await
    }

    pub(crate) async fn user(&self, role: Role) -> User {
        self.account.user(&self.test.store, role).await
    }

    pub(crate) async fn handle(&self, event: &str, seconds: f64) -> Answer {
        Answer::of(handle(self.app.clone(), request_of(event), moment(seconds)).await.unwrap())
    }

    /// The answer to a JSON body.
    pub(crate) async fn register(&self, body: &Value) -> Answer {
        self.post_raw("/oauth/register", "application/json", &body.to_string()).await
    }

    pub(crate) async fn post_raw(&self, path: &str, content_type: &str, body: &str) -> Answer {
        let headers = json!({"content-type": content_type});
        self.handle(&event("POST", path, "", &headers, &[], body, "192.0.2.1"), 0.0).await
    }
}

/// The event that a function URL makes of a request.
pub(crate) fn event(
    method: &str,
    path: &str,
    query: &str,
    headers: &Value,
    cookies: &[String],
    body: &str,
    address: &str,
) -> String {
    let mut event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": query, "headers": headers,
        "requestContext": {"http": {"method": method, "path": path, "sourceIp": address}, "stage": "$default"},
        "body": body, "isBase64Encoded": false,
    });
    if !cookies.is_empty() {
        event["cookies"] = json!(cookies);
    }
    event.to_string()
}

/// What a well-behaved app asks.
pub(crate) fn asks(app: &domain::App, scope: &str) -> Vec<(String, String)> {
    let pairs = [
        ("response_type", "code"),
        ("client_id", app.id.as_str()),
        ("redirect_uri", CALLBACK),
        ("scope", scope),
        ("state", "af0ifjsldkj"),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ];
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

/// The same with one parameter changed, added, or left out.
pub(crate) fn with(asked: &[(String, String)], name: &str, value: Option<&str>) -> Vec<(String, String)> {
    let mut changed: Vec<_> = asked.iter().filter(|(known, _)| known != name).cloned().collect();
    changed.extend(value.map(|value| (name.to_owned(), value.to_owned())));
    changed
}

pub(crate) fn encoded(parameters: &[(String, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}
