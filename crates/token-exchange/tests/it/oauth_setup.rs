//! What the tests of OAuth's endpoints share.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use domain::{Action, App, AuthorizationCode, Deed, Resource, User};
use edge::{Body, Reply, Request};
use serde_json::{Value, json};
use testkit::{REDIRECT_URI, VERIFIER, act, authorization_code, moment, request_of};
use token_exchange::handle;
use url::form_urlencoded;

use crate::setup::Setup;

/// The secret of every app of these tests that has one; it needs its form-decoding.
pub(crate) const SECRET: &str = "app secret+/%:é";

/// Parameters of a form.
pub(crate) type Fields<'a> = &'a [(&'a str, &'a str)];

/// An answer, in all that matters.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: Value,
    pub(crate) headers: Vec<(String, String)>,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let mut values = self.headers.iter().filter(|(given, _)| given == name).map(|(_, value)| value.as_str());
        let value = values.next();
        assert_eq!(values.next(), None, "{name} stands there twice");
        value
    }

    /// The name of the error, which must have the shape that OAuth gives errors, and the right status.
    pub(crate) fn error(&self) -> &str {
        let members = self.body.as_object().unwrap_or_else(|| panic!("{self:?}"));
        assert_eq!(members.keys().collect::<Vec<_>>(), ["error", "error_description"], "{self:?}");
        let name = self.body["error"].as_str().unwrap();
        assert_eq!(self.header("cache-control"), Some("no-store"));
        let challenged = self.header("www-authenticate").is_some();
        assert_eq!((self.status == 401, challenged), (name == "invalid_client", name == "invalid_client"), "{self:?}");
        name
    }

    /// A member of a 200's body.
    pub(crate) fn text(&self, name: &str) -> String {
        assert_eq!(self.status, 200, "{self:?}");
        self.body[name].as_str().unwrap_or_else(|| panic!("no {name}: {self:?}")).to_owned()
    }

    /// The claims of the access token, which other tests verify.
    pub(crate) fn claims(&self) -> Value {
        claims_of(&self.text("access_token"))
    }
}

pub(crate) fn claims_of(token: &str) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap()).unwrap()
}

/// Basic credentials, as RFC 6749, section 2.3.1 writes them.
pub(crate) fn basic(id: &str, secret: &str) -> String {
    let encoded = |text: &str| form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    format!("Basic {}", STANDARD.encode(format!("{}:{}", encoded(id), encoded(secret))))
}

pub(crate) fn form(fields: Fields<'_>) -> String {
    form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()
}

/// A form as a function URL hands it on, from an address.
pub(crate) fn form_from(address: &str, path: &str, headers: Fields<'_>, body: &str) -> Request {
    let mut all = json!({"content-type": "application/x-www-form-urlencoded"});
    for (name, value) in headers {
        all[*name] = json!(value);
    }
    let event = json!({
        "version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": all,
        "requestContext": {"http": {"method": "POST", "path": path, "sourceIp": address}, "stage": "$default"},
        "body": body, "isBase64Encoded": false,
    });
    request_of(&event.to_string())
}

fn read(reply: Reply) -> Answer {
    let status = reply.status().as_u16();
    let headers = reply.headers().iter();
    let headers = headers.map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned())).collect();
    let body = match reply.into_body() {
        Body::Text(text) => serde_json::from_str(&text).unwrap(),
        _ => Value::Null,
    };
    Answer { status, body, headers }
}

impl Setup {
    /// The answer to a request, `seconds` after tests begin.
    pub(crate) async fn oauth(&self, request: Request, seconds: f64) -> Answer {
        match handle(self.app.clone(), request, moment(seconds)).await {
            Ok(reply) => read(reply),
            Err(error) => panic!("not in OAuth's shape: {error:?}"),
        }
    }

    /// The answer to a form.
    pub(crate) async fn form(&self, path: &str, fields: Fields<'_>, seconds: f64) -> Answer {
        self.oauth(form_from("192.0.2.7", path, &[], &form(fields)), seconds).await
    }

    /// The answer to a form that comes with Basic credentials.
    pub(crate) async fn form_by(&self, app: &App, path: &str, fields: Fields<'_>, seconds: f64) -> Answer {
        let credentials = basic(app.id.as_str(), SECRET);
        self.oauth(form_from("192.0.2.7", path, &[("authorization", &credentials)], &form(fields)), seconds).await
    }

    /// An app of the client's, stored, with [`SECRET`] or without a secret.
    pub(crate) async fn oauth_app(&self, scopes: &str, is_confidential: bool) -> App {
        self.stored(testkit::app(Some(&self.client), Some(scopes), is_confidential.then_some(SECRET))).await
    }

    pub(crate) async fn stored(&self, app: App) -> App {
        match &app.client_id {
            Some(client) => {
                let deed = Deed::new(Action::ClientUpdated, &app.id);
                self.test.store.app_create(client, &app, deed, &act(), None).await.unwrap();
            }
            None => self.test.store.app_register(&app).await.unwrap(),
        }
        app
    }

    /// A code that a user has given to an app, changed as the test needs it, and stored.
    pub(crate) async fn code(
        &self,
        app: &App,
        user: &User,
        scopes: &str,
        change: impl FnOnce(&mut AuthorizationCode),
    ) -> String {
        let text = AuthorizationCode::random();
        let mut code = authorization_code(&text, app, user, &self.client, scopes);
        change(&mut code);
        self.test.store.code_create(&code).await.unwrap();
        text
    }

    /// The answer to a code's redemption by a public app.
    pub(crate) async fn redeem(&self, app: &App, code: &str, seconds: f64) -> Answer {
        self.form("/oauth/token", &redemption(app, code), seconds).await
    }

    /// The answer to a redemption of a new code of the owner's: tokens of a public app.
    pub(crate) async fn tokens(&self, app: &App, scopes: &str) -> Answer {
        let code = self.code(app, &self.account.owner, scopes, |_| ()).await;
        self.redeem(app, &code, 0.0).await
    }

    /// The same, bound to a resource.
    pub(crate) async fn tokens_for(&self, app: &App, scopes: &str, resource: &str) -> Answer {
        let resource = Resource::parse(resource);
        let code = self.code(app, &self.account.owner, scopes, |code| code.resource = resource).await;
        self.redeem(app, &code, 0.0).await
    }

    /// The answer to a refresh by a public app.
    pub(crate) async fn refresh(&self, app: &App, token: &str, more: Fields<'_>, seconds: f64) -> Answer {
        let mut fields =
            vec![("grant_type", "refresh_token"), ("refresh_token", token), ("client_id", app.id.as_str())];
        fields.extend(more);
        self.form("/oauth/token", &fields, seconds).await
    }

    /// What introspection says of a token to the client's own admin key.
    pub(crate) async fn introspected(&self, token: &str, seconds: f64) -> Value {
        let admin = self.key("admin").await;
        let fields =
            [("token", token), ("client_id", self.client.id.as_str()), ("client_secret", admin.plain.expose())];
        let answer = self.form("/oauth/introspect", &fields, seconds).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body
    }
}

/// What a public app sends to redeem a code.
pub(crate) fn redemption<'a>(app: &'a App, code: &'a str) -> [(&'a str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT_URI),
        ("code_verifier", VERIFIER),
        ("client_id", app.id.as_str()),
    ]
}

/// Another text that differs from this one at its end.
pub(crate) fn changed(text: &str) -> String {
    let mut changed = text.to_owned();
    let end = changed.pop();
    changed.push(if end == Some('0') { '1' } else { '0' });
    changed
}

/// That a body says nothing but that a token does not count.
pub(crate) fn is_inactive(body: &Value) -> bool {
    *body == json!({"active": false})
}
