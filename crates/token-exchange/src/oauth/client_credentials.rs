//! `grant_type=client_credentials` (RFC 6749, section 4.4).
//!
//! 1. The client proves itself: an app by its secret; or a key by its string as the secret, with the id of its client
//!    (`cl_…`) or its own (`ak_…`) as `client_id`.
//! 2. An app gets what it is registered for, or less, in its client's default workspace. A key is exchanged as at
//!    `/auth/token`: the same decision, and it is counted.
//! 3. No refresh token: whoever has the secret asks again (section 4.4.3).

use domain::app::App as OauthApp;
use domain::{Claims, GrantType, Issue, Moment, Resource, WorkspaceId};
use edge::{OauthError, Reply, Request};

use super::client::{Presented, must_be_registered};
use super::error::{invalid_client, invalid_scope, refused, unauthorized_client, ungranted};
use super::form::Form;
use super::token;
use crate::{App, exchange};

const CLOSED: &str = "The workspace is not open to the client";

/// Gives a client a token of its own.
pub(super) async fn issue(app: &App, request: &Request, form: &Form, now: Moment) -> Result<Reply, OauthError> {
    let presented = Presented::read(request, form)?.ok_or_else(invalid_client)?;
    if presented.names_key() {
        return by_key(app, request, form, &presented, now).await;
    }
    let caller = presented.app(app).await?;
    must_be_registered(&caller, GrantType::ClientCredentials)?;
    by_app(app, form, &caller, now).await
}

async fn by_app(app: &App, form: &Form, caller: &OauthApp, now: Moment) -> Result<Reply, OauthError> {
    // One that nobody vouches for has nothing of its own, and one without a secret can't prove to be itself.
    let owner = caller.client_id.as_ref().filter(|_| caller.is_confidential());
    let (Some(owner), Some(own)) = (owner, &caller.scopes) else {
        return Err(unauthorized_client("Only a client's own app with a secret has tokens of its own"));
    };
    let (asked, resource) = (form.scopes(app)?, form.resource()?);
    if asked.as_ref().is_some_and(|asked| own.first_uncovered(asked).is_some()) {
        return Err(invalid_scope("`scope` is more than what the client is registered for"));
    }
    let client = app.identity.client(owner, now).await?.ok_or_else(invalid_client)?;
    let workspace = app.identity.workspace(owner, &client.default_workspace_id, now).await?;
    let open = workspace.filter(|workspace| workspace.open_to_app(owner).is_ok());
    let workspace = open.ok_or_else(|| unauthorized_client(CLOSED))?;
    let at = now.timestamp();
    let issue = Issue {
        issuer: &app.issuer,
        client_id: owner,
        workspace_id: &workspace.id,
        at,
        ends: at.plus(client.settings.token_lifetime.unwrap_or(token::LIFETIME)),
    };
    let claims = Claims::of_app(issue, caller, asked.unwrap_or_else(|| own.clone()), &workspace);
    let claims = bound(claims, resource);
    Ok(token::sign(app, &claims, now).await?.into_reply(None))
}

async fn by_key(
    app: &App,
    request: &Request,
    form: &Form,
    presented: &Presented,
    now: Moment,
) -> Result<Reply, OauthError> {
    let secret = presented.secret.as_deref().ok_or_else(invalid_client)?;
    let address = request.source_address();
    let holder = exchange::prove(app, secret, workspace(form)?, address, now).await;
    let holder = holder.map_err(|error| refused(error, invalid_client))?;
    if !presented.has_named(&holder.key) {
        return Err(invalid_client());
    }
    let (asked, resource) = (form.scopes(app)?, form.resource()?);
    let grant = holder.grant(asked.as_ref(), token::LIFETIME, &app.access, now);
    let grant = grant.map_err(|error| ungranted(&error, |_| unauthorized_client(CLOSED)))?;
    let issued = token::sign(app, &bound(grant.claims(&app.issuer), resource), now).await?;
    exchange::count(app, &grant, now).await;
    Ok(issued.into_reply(None))
}

/// The workspace that a key's token is for: a parameter of our own, as at `/auth/token`.
pub(super) fn workspace(form: &Form) -> Result<Option<WorkspaceId>, OauthError> {
    let Some(text) = form.get("workspace_id") else { return Ok(None) };
    let malformed = || OauthError::invalid_request("`workspace_id` is no workspace's id");
    WorkspaceId::parse(text).map(Some).ok_or_else(malformed)
}

/// The same for a resource, where one is asked for.
pub(super) fn bound(claims: Claims, resource: Option<Resource>) -> Claims {
    match resource {
        Some(resource) => Claims { aud: resource.to_string(), ..claims },
        None => claims,
    }
}
