//! `POST /oauth/register`: an app registers itself (RFC 7591).
//!
//! 1. Registration is open, and counted for the address that it comes from.
//! 2. Metadata that are not known here are ignored, and those that can't be so are replaced: the answer says what is
//!    registered (RFC 7591, section 3.2.1).
//! 3. The app is public, belongs to no client, and has no privileged scope, whatever it asked for.

use domain::{Access, AppId, GrantType, Moment, PlainKey, RedirectUri, ScopeSet, Timestamp};
use edge::{ApiError, OauthError, Reply, Request, StatusCode};
use login::attempts;
use serde::{Deserialize, Serialize};

use crate::App;

/// What an app that gives no name is shown as.
const UNNAMED: &str = "An app without a name";
/// Ways of a client to prove itself by a secret. To whoever asks for one, as many MCP clients do without being asked, none is
/// given: a secret that anybody gets proves nothing.
const BY_SECRET: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

/// The metadata that are known here (RFC 7591, section 2).
#[derive(Deserialize)]
struct Metadata {
    redirect_uris: Option<Vec<String>>,
    token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    scope: Option<String>,
}

#[derive(Serialize)]
struct Registered<'a> {
    client_id: &'a AppId,
    client_id_issued_at: i64,
    client_name: &'a str,
    redirect_uris: &'a [RedirectUri],
    token_endpoint_auth_method: &'static str,
    grant_types: &'a [GrantType],
    response_types: [&'static str; 1],
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

/// Registers an app.
pub(crate) async fn register(app: &App, request: &Request, now: Moment) -> Result<Reply, OauthError> {
    if app.registrations_per_hour == 0 {
        return Err(ApiError::Forbidden("Registration is closed".to_owned()).into());
    }
    let metadata: Metadata = edge::json(request).map_err(|error| match error {
        ApiError::BadRequest(message) => OauthError::new("invalid_client_metadata", message),
        error => error.into(),
    })?;
    let new = metadata.app(&app.access, now.timestamp())?;
    let source = edge::source_address(request);
    attempts::hourly(&app.store, "registrations", app.registrations_per_hour, source, now.timestamp()).await?;
    app.store.app_register(&new).await.map_err(ApiError::from)?;
    let answer = Registered {
        client_id: &new.id,
        client_id_issued_at: new.created_at.unix(),
        client_name: &new.name,
        redirect_uris: &new.redirect_uris,
        token_endpoint_auth_method: "none",
        grant_types: &new.grant_types,
        response_types: ["code"],
        scope: new.scopes.as_ref().map(ToString::to_string),
    };
    Ok(edge::with_status(StatusCode::CREATED, &answer))
}

impl Metadata {
    /// The app that these make.
    fn app(self, access: &Access, at: Timestamp) -> Result<domain::App, OauthError> {
        let wrong = |description: &str| OauthError::new("invalid_client_metadata", description);
        let method = self.token_endpoint_auth_method.as_deref().unwrap_or("none");
        if !BY_SECRET.contains(&method) {
            return Err(wrong("token_endpoint_auth_method: only public clients register here"));
        }
        if self.response_types.is_some_and(|types| !types.iter().any(|it| it == "code")) {
            return Err(wrong("response_types must hold code"));
        }
        Ok(domain::App {
            id: AppId::random(),
            client_id: None,
            name: name(self.client_name)?,
            redirect_uris: redirect_uris(&self.redirect_uris.unwrap_or_default())?,
            grant_types: grant_types(self.grant_types)?,
            scopes: scopes(access, self.scope.as_deref())?,
            secret: None,
            created_at: at,
            created_by: String::new(),
            revision: 0,
        })
    }
}

/// A name is shown to the people who are asked to trust it: it can't turn the words around it.
pub(crate) fn name(given: Option<String>) -> Result<String, OauthError> {
    let wrong = |description: &str| OauthError::new("invalid_client_metadata", description);
    let name = given.unwrap_or_default();
    let name = name.trim();
    if name.chars().count() > domain::App::MAX_NAME || name.chars().any(edge::is_unseen) {
        return Err(wrong("client_name may have 100 printable characters at most"));
    }
    if PlainKey::is_in(name) {
        return Err(wrong("client_name holds an API key, and names are shown"));
    }
    Ok(if name.is_empty() { UNNAMED } else { name }.to_owned())
}

fn redirect_uris(given: &[String]) -> Result<Vec<RedirectUri>, OauthError> {
    let wrong = |description: &str| OauthError::new("invalid_redirect_uri", description);
    if given.is_empty() || given.len() > domain::App::MAX_REDIRECT_URIS {
        return Err(wrong("redirect_uris must hold 1 to 20 URIs"));
    }
    let uris: Option<Vec<_>> = given.iter().map(|uri| RedirectUri::parse(uri)).collect();
    let expected =
        "A redirect URI must be https, http to a loopback address, or of a scheme with a dot; without a fragment";
    uris.ok_or_else(|| wrong(expected))
}

/// Others than these two are left out, since clients name all that they know.
fn grant_types(given: Option<Vec<String>>) -> Result<Vec<GrantType>, OauthError> {
    let Some(given) = given else { return Ok(vec![GrantType::AuthorizationCode]) };
    let ours = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let kept: Vec<_> = ours.into_iter().filter(|ours| given.iter().any(|name| name == ours.as_str())).collect();
    if kept.first() != Some(&GrantType::AuthorizationCode) {
        return Err(OauthError::new("invalid_client_metadata", "grant_types must hold authorization_code"));
    }
    Ok(kept)
}

/// What is left of the scopes without the privileged and the unknown ones.
fn scopes(access: &Access, given: Option<&str>) -> Result<Option<ScopeSet>, OauthError> {
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
    let asked = ScopeSet::parse(given);
    let asked = asked.ok_or_else(|| OauthError::new("invalid_client_metadata", "scope is no list of scopes"))?;
    let known = ScopeSet::new(asked.iter().filter(|scope| access.knows(scope)).cloned());
    Ok(known.and_then(|known| access.unprivileged(&known)))
}
