//! `grant_type=urn:ietf:params:oauth:grant-type:token-exchange` (RFC 8693): fewer rights, for no longer.
//!
//! 1. A client that proves itself must be the one that it says; none has to, since nothing is given that the subject's
//!    bearer does not have.
//! 2. The subject is an API key, or a token of ours; it is judged as it is in any call, from the address of this one.
//! 3. The scopes are what the subject holds now, or fewer. What a token is bound to stays: its workspace, and its resource,
//!    if it has one (RFC 8707).
//! 4. An actor, where one is named, proves itself in the same way and is of the same client. `act` names it, with those who
//!    acted before inside (section 4.1).
//! 5. A token's child ends no later than the token, and with it and all that it was exchanged from.

use domain::{Actor, Claims, ClientId, Issue, Moment, PresentedKey, ScopeSet};
use edge::{OauthError, Reply, Request};
use identity::{Call, Credential, Named, Principal, Sender};

use super::client::Presented;
use super::client_credentials::workspace;
use super::error::{invalid_scope, invalid_target, refused, ungranted};
use super::form::Form;
use super::token::{self, Issued};
use crate::{App, exchange};

/// The grant type.
pub(super) const GRANT_TYPE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The type of our tokens (section 3).
pub(super) const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// The type of our keys.
const API_KEY: &str = "urn:keygate:params:oauth:token-type:api_key";

/// Gives a token for another one.
pub(super) async fn exchange(app: &App, request: &Request, form: &Form, now: Moment) -> Result<Reply, OauthError> {
    if let Some(presented) = Presented::read(request, form)?.filter(|presented| presented.secret.is_some()) {
        presented.prove(app, request, now).await?;
    }
    if form.get("requested_token_type").is_some_and(|asked| asked != ACCESS_TOKEN) {
        return Err(OauthError::invalid_request("`requested_token_type` can only be an access token's"));
    }
    let subject = form.required("subject_token")?;
    if form.get("subject_token_type") == Some(ACCESS_TOKEN) || form.get("actor_token").is_some() {
        // Of a key, the record is read at once; all else is judged by what is cached. A child may be for whoever has never taken
        // its parent, and verifies by the published keys alone.
        app.identity.catch_up(now).await?;
    }
    let issued = match form.required("subject_token_type")? {
        API_KEY => of_key(app, request, form, subject, now).await?,
        ACCESS_TOKEN => of_token(app, request, form, subject, now).await?,
        _ => return Err(OauthError::invalid_request("`subject_token_type` must be an API key's or an access token's")),
    };
    Ok(issued.into_exchanged())
}

async fn of_key(app: &App, request: &Request, form: &Form, key: &str, now: Moment) -> Result<Issued, OauthError> {
    let address = request.source_address();
    let holder = exchange::prove(app, key, workspace(form)?, address, now).await;
    let holder = holder.map_err(|error| refused(error, unaccepted))?;
    let act = actor(app, request, form, &holder.key.client_id, now).await?;
    let asked = form.scopes(app)?;
    let grant = holder.grant(asked.as_ref(), token::LIFETIME, &app.access, now);
    let grant = grant.map_err(|error| ungranted(&error, |_| closed()))?;
    let claims = grant.claims(&app.issuer);
    let aud = target(form, &claims)?;
    let act = act.map(|sub| Actor { sub, act: None });
    let issued = token::sign(app, &Claims { aud, act, ..claims }, now).await?;
    exchange::count(app, &grant, now).await;
    Ok(issued)
}

async fn of_token(app: &App, request: &Request, form: &Form, text: &str, now: Moment) -> Result<Issued, OauthError> {
    let address = request.source_address();
    let subject = app.identity.bearer(text, Sender::At(address), now).await;
    let subject = subject.map_err(|refusal| refused(refusal, unaccepted))?;
    let parent = subject.claims().ok_or_else(unaccepted)?;
    if workspace(form)?.is_some_and(|asked| asked != parent.workspace_id) {
        return Err(OauthError::invalid_request("`workspace_id` is another than the one that the token is bound to"));
    }
    let act = actor(app, request, form, &parent.client_id, now).await?;
    let open = subject.workspace().map_err(|_| closed())?;
    let scopes = narrowed(&subject, form.scopes(app)?)?;
    let aud = target(form, parent)?;
    let lifetime = token::lifetime(app, &parent.client_id, now).await?.ok_or_else(unaccepted)?;
    let at = now.timestamp();
    let issue = Issue {
        issuer: &app.issuer,
        client_id: &parent.client_id,
        workspace_id: &parent.workspace_id,
        at,
        ends: at.plus(lifetime),
    };
    let child = parent.child(issue, scopes);
    let child = child.ok_or_else(|| OauthError::invalid_request("The token was exchanged too often already"))?;
    let act = match act {
        Some(sub) => Some(Actor { sub, act: parent.act.clone().map(Box::new) }),
        None => parent.act.clone(),
    };
    let issued = token::sign(app, &Claims { aud, act, ..child }, now).await?;
    if let Some(key) = subject.key() {
        app.usage.exchanged(key, key.payer(open), now);
        app.usage.flush_if_due(now).await;
    }
    Ok(issued)
}

/// What the subject holds now, or fewer.
fn narrowed(subject: &Principal, asked: Option<ScopeSet>) -> Result<ScopeSet, OauthError> {
    match asked {
        Some(asked) if asked.iter().all(|scope| subject.covers(scope)) => Ok(asked),
        Some(_) => Err(invalid_scope("`scope` is more than what the subject holds")),
        None => ScopeSet::new(subject.scopes()).ok_or_else(|| invalid_scope("The subject holds nothing any more")),
    }
}

/// For whom the new token is: what is asked for as `resource` or `audience`, which a token that is bound to one can't change.
fn target(form: &Form, parent: &Claims) -> Result<String, OauthError> {
    let resource = form.resource()?.map(|resource| resource.to_string());
    let audience = match form.get("audience") {
        Some(text) if text == parent.client_id.as_str() => Some(text.to_owned()),
        Some(text) => {
            let resource = domain::Resource::parse(text);
            let unknown = || invalid_target("`audience` must be the client's id, or a resource");
            Some(resource.ok_or_else(unknown)?.to_string())
        }
        None => None,
    };
    if resource.is_some() && audience.is_some() && resource != audience {
        return Err(invalid_target("`resource` and `audience` are not the same, and a token is for one"));
    }
    let Some(asked) = resource.or(audience) else { return Ok(parent.aud.clone()) };
    let is_bound = parent.aud != parent.client_id.as_str();
    if is_bound && asked != parent.aud {
        return Err(invalid_target("The token is bound to another resource"));
    }
    Ok(asked)
}

/// Who acts, where somebody is named: the `sub` of its tokens.
async fn actor(
    app: &App,
    request: &Request,
    form: &Form,
    client: &ClientId,
    now: Moment,
) -> Result<Option<String>, OauthError> {
    let unaccepted = || OauthError::invalid_request("The actor's token is not accepted");
    let (text, kind) = match (form.get("actor_token"), form.get("actor_token_type")) {
        (Some(text), Some(kind)) => (text, kind),
        (None, None) => return Ok(None),
        _ => return Err(OauthError::invalid_request("`actor_token` and `actor_token_type` belong together")),
    };
    let credential = match kind {
        API_KEY => PresentedKey::parse(text).ok().map(Credential::Key),
        // One that is bound to another resource is no proof here: whoever serves that resource has it too.
        ACCESS_TOKEN => signing::UnverifiedToken::parse(text).ok().map(Credential::Token),
        _ => return Err(OauthError::invalid_request("`actor_token_type` must be an API key's or an access token's")),
    };
    let credential = credential.ok_or_else(unaccepted)?;
    let call = Call { credential, address: request.source_address(), workspace: Named::None };
    let actor = app.identity.principal(&call, now).await.map_err(|refusal| refused(refusal, unaccepted))?;
    if actor.client_id() != client {
        return Err(unaccepted());
    }
    Ok(Some(actor.claims().map_or(actor.actor(), |claims| &claims.sub).to_owned()))
}

/// A subject that does not count is an invalid request, not an invalid grant (section 2.2.2).
fn unaccepted() -> OauthError {
    OauthError::invalid_request("The subject's token is not accepted")
}

fn closed() -> OauthError {
    OauthError::invalid_request("The workspace is not open to the subject")
}
