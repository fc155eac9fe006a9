//! Client authentication (RFC 6749, section 2.3).
//!
//! 1. One way: `Authorization: Basic`, both halves of which are form-decoded, or `client_id` and `client_secret` in the body.
//!    Two at once are no request. An app without a secret names itself by `client_id` alone.
//! 2. The app is read strongly, so that one that is gone, or has another secret, is so at once; the secret's hash is compared
//!    in constant time, and with a dummy where there is no such app: unknown and wrong are one answer after as much work.
//!
//! Guesses are not slowed down: a secret has 256 random bits, a key's has 190, and nobody comes anywhere near one.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::app::App as OauthApp;
use domain::{AppId, ClientId, GrantType, HashedKey, KeyId, KeyRecord, Moment, PresentedKey, Timestamp};
use edge::{OauthError, Request, form_decoded};
use identity::{Call, Credential, Named, Principal};

use super::error::{invalid_client, refused, unauthorized_client};
use super::form::Form;
use crate::App;

/// What a client says of itself, not yet proved.
pub(super) struct Presented {
    pub(super) id: String,
    pub(super) secret: Option<String>,
}

/// Who a client has proved to be.
pub(super) enum Caller {
    App(Box<OauthApp>),
    /// The holder of a key.
    Key(Box<Principal>),
}

impl Caller {
    /// The app's id, where it is one.
    pub(super) fn app_id(&self) -> Option<&AppId> {
        match self {
            Self::App(app) => Some(&app.id),
            Self::Key(_) => None,
        }
    }
}

/// How a client may prove itself in a request's headers.
enum Header<'a> {
    None,
    Basic(&'a str),
    /// Another scheme, or a value that can't be read.
    Other,
}

impl Presented {
    /// Reads what a client says of itself; `None` where it says nothing.
    pub(super) fn read(request: &Request, form: &Form) -> Result<Option<Self>, OauthError> {
        let in_body = (form.get("client_id"), form.get("client_secret"));
        let header = header(request)?;
        let ways = [!matches!(header, Header::None), in_body.1.is_some(), form.get("client_assertion").is_some()];
        if ways.into_iter().filter(|used| *used).count() > 1 {
            return Err(OauthError::invalid_request("The client authenticates in two ways at once"));
        }
        match (header, in_body) {
            (Header::Basic(encoded), (named, _)) => {
                let presented = Self::from_basic(encoded).ok_or_else(invalid_client)?;
                if named.is_some_and(|named| named != presented.id) {
                    return Err(OauthError::invalid_request(
                        "`client_id` is another than the client that authenticates",
                    ));
                }
                Ok(Some(presented))
            }
            (Header::Other, _) => Err(invalid_client()),
            // A way that is not offered: the client has not proved anything (RFC 6749, section 5.2).
            (Header::None, _) if ways[2] => Err(invalid_client()),
            (Header::None, (Some(id), secret)) => {
                Ok(Some(Self { id: id.to_owned(), secret: secret.map(str::to_owned) }))
            }
            (Header::None, (None, Some(_))) => Err(OauthError::invalid_request("`client_id` is missing")),
            (Header::None, (None, None)) => Ok(None),
        }
    }

    fn from_basic(encoded: &str) -> Option<Self> {
        let decoded = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
        let (id, secret) = decoded.split_once(':')?;
        let (id, secret) = (form_decoded(id)?, form_decoded(secret)?);
        // An app without a secret may say so by an empty one (RFC 6749, section 2.3.1).
        Some(Self { id, secret: (!secret.is_empty()).then_some(secret) })
    }

    /// Whether it names a key, or the client of one, whose string is the secret then.
    pub(super) fn names_key(&self) -> bool {
        ClientId::parse(&self.id).is_some() || KeyId::parse(&self.id).is_some()
    }

    /// Whether it has named a key rightly that it has proved to hold.
    pub(super) fn has_named(&self, key: &KeyRecord) -> bool {
        self.id == key.client_id.as_str() || self.id == key.id.as_str()
    }

    /// Who the client has proved to be: an app, or the holder of a key.
    pub(super) async fn prove(&self, app: &App, request: &Request, now: Moment) -> Result<Caller, OauthError> {
        if !self.names_key() {
            return Ok(Caller::App(Box::new(self.app(app).await?)));
        }
        let key = self.secret.as_deref().and_then(|secret| PresentedKey::parse(secret).ok());
        let credential = Credential::Key(key.ok_or_else(invalid_client)?);
        let call = Call { credential, address: request.source_address(), workspace: Named::None };
        let principal = app.identity.principal(&call, now).await.map_err(|refusal| refused(refusal, invalid_client))?;
        if principal.key().is_some_and(|key| self.has_named(key)) {
            return Ok(Caller::Key(Box::new(principal)));
        }
        Err(invalid_client())
    }

    /// The app that the client has proved to be.
    pub(super) async fn app(&self, app: &App) -> Result<OauthApp, OauthError> {
        let id = AppId::parse(&self.id).ok_or_else(invalid_client)?;
        let found = match id.document() {
            Some(_) => Some(described_elsewhere(id)),
            None => app.store.app_by_id(&id).await?,
        };
        let proved = match (&found, &self.secret) {
            (Some(found), Some(secret)) => found.is_proved_by(secret),
            (Some(found), None) => !found.is_confidential(),
            (None, Some(secret)) => HashedKey::DUMMY.matches(&HashedKey::of_text(secret)),
            (None, None) => false,
        };
        found.filter(|_| proved).ok_or_else(invalid_client)
    }
}

/// The app whose id is the address of the document that describes it: whoever gave it a code has read that, and what it is
/// given hangs on the code and the verifier alone. It can keep no secret, so nothing is its own.
pub(super) fn described_elsewhere(id: AppId) -> OauthApp {
    OauthApp {
        id,
        client_id: None,
        name: String::new(),
        redirect_uris: Vec::new(),
        grant_types: vec![GrantType::AuthorizationCode, GrantType::RefreshToken],
        scopes: None,
        secret: None,
        created_at: Timestamp::from_unix(0),
        created_by: String::new(),
        revision: 0,
    }
}

/// The app that a request's client has proved to be, which it must.
pub(super) async fn app_of(app: &App, request: &Request, form: &Form) -> Result<OauthApp, OauthError> {
    Presented::read(request, form)?.ok_or_else(invalid_client)?.app(app).await
}

/// Refuses an app that is not registered for a way to tokens.
pub(super) fn must_be_registered(caller: &OauthApp, grant_type: GrantType) -> Result<(), OauthError> {
    if caller.may(grant_type) {
        return Ok(());
    }
    Err(unauthorized_client("The client is not registered for this grant type"))
}

fn header(request: &Request) -> Result<Header<'_>, OauthError> {
    let mut values = request.headers().get_all("authorization").iter();
    let Some(value) = values.next() else { return Ok(Header::None) };
    if values.next().is_some() {
        return Err(OauthError::invalid_request("`Authorization` stands there twice"));
    }
    let parts = value.to_str().ok().and_then(|text| text.split_once(' '));
    Ok(match parts {
        Some((scheme, encoded)) if scheme.eq_ignore_ascii_case("basic") => Header::Basic(encoded),
        _ => Header::Other,
    })
}
