//! `POST /oauth/register`: an app registers itself (RFC 7591). Registration is open, and counted for the address that it comes
//! from. The answer says what is registered, which need not be what was asked for.

use domain::{AppId, GrantType, Moment, RedirectUri};
use edge::{ApiError, OauthError, Reply, Request, StatusCode};
use login::attempts;
use serde::Serialize;

use crate::App;
use crate::metadata::Metadata;

/// Ways of a client to prove itself by a secret. To whoever asks for one, as many MCP clients do without being asked, none is
/// given: a secret that anybody gets proves nothing.
const BY_SECRET: [&str; 3] = ["none", "client_secret_basic", "client_secret_post"];

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
        ApiError::BadRequest(message) => wrong(message),
        error => error.into(),
    })?;
    let method = metadata.token_endpoint_auth_method.as_deref().unwrap_or("none");
    if !BY_SECRET.contains(&method) {
        return Err(wrong("token_endpoint_auth_method: only public clients register here"));
    }
    let redirect_uris = redirect_uris(metadata.redirect_uris.as_deref().unwrap_or_default())?;
    let new = metadata.app(AppId::random(), redirect_uris, &app.access, now.timestamp()).map_err(wrong)?;
    let source = request.source_address();
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

/// Metadata that no app can have (RFC 7591, section 3.2.2).
fn wrong(description: impl Into<String>) -> OauthError {
    OauthError::new("invalid_client_metadata", description)
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
