//! `POST /oauth/token` (RFC 6749, section 3.2): which grant, and the answer that all share.

use domain::{AppGrant, Claims, ClientId, Issue, Moment, ScopeSet};
use edge::{OauthError, Reply, Request};
use serde::Serialize;

use super::form::Form;
use super::{authorization_code, client_credentials, refresh_token, token_exchange};
use crate::App;

/// How long an access token lives where its client has set nothing else, in seconds.
pub(super) const LIFETIME: i64 = 900;

#[derive(Serialize)]
struct Answer<'a> {
    access_token: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    token_type: &'static str,
    expires_in: i64,
    scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<&'a str>,
}

/// An access token that was decided on and signed, and answered to nobody yet.
pub(super) struct Issued {
    token: String,
    expires_in: i64,
    scope: ScopeSet,
}

/// Answers with a token.
pub(super) async fn token(app: &App, request: &Request, now: Moment) -> Result<Reply, OauthError> {
    let form = Form::read(request)?;
    match form.required("grant_type")? {
        "authorization_code" => authorization_code::redeem(app, request, &form, now).await,
        "refresh_token" => refresh_token::refresh(app, request, &form, now).await,
        "client_credentials" => client_credentials::issue(app, request, &form, now).await,
        token_exchange::GRANT_TYPE => token_exchange::exchange(app, request, &form, now).await,
        _ => Err(OauthError::new("unsupported_grant_type", "No tokens are given for this `grant_type`")),
    }
}

/// Signs claims.
pub(super) async fn sign(app: &App, claims: &Claims, now: Moment) -> Result<Issued, OauthError> {
    let token = app.signing_key.sign(claims, &app.identity, now).await?;
    Ok(Issued { token, expires_in: claims.exp - claims.iat, scope: claims.scope.clone() })
}

/// A token of what a user has granted to an app, which does not outlive the grant.
pub(super) async fn of_grant(
    app: &App,
    grant: &AppGrant,
    scopes: ScopeSet,
    lifetime: i64,
    now: Moment,
) -> Result<Issued, OauthError> {
    let at = now.timestamp();
    let issue = Issue {
        issuer: &app.issuer,
        client_id: &grant.client_id,
        workspace_id: &grant.workspace_id,
        at,
        ends: at.plus(lifetime).min(grant.expires_at),
    };
    sign(app, &Claims::of_grant(issue, grant, scopes), now).await
}

/// How long a client's access tokens live, in seconds.
pub(super) async fn lifetime(app: &App, client: &ClientId, now: Moment) -> Result<Option<i64>, OauthError> {
    let client = app.identity.client(client, now).await?;
    Ok(client.map(|client| client.settings.token_lifetime.unwrap_or(LIFETIME)))
}

impl Issued {
    /// 200 (RFC 6749, section 5.1).
    pub(super) fn into_reply(self, refresh_token: Option<&str>) -> Reply {
        self.reply(None, refresh_token)
    }

    /// 200 for a token exchange (RFC 8693, section 2.2.1).
    pub(super) fn into_exchanged(self) -> Reply {
        self.reply(Some(token_exchange::ACCESS_TOKEN), None)
    }

    fn reply(self, issued_token_type: Option<&'static str>, refresh_token: Option<&str>) -> Reply {
        edge::ok(&Answer {
            access_token: self.token,
            issued_token_type,
            token_type: "Bearer",
            expires_in: self.expires_in,
            scope: self.scope.to_string(),
            refresh_token,
        })
    }
}
