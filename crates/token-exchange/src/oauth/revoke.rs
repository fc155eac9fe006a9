//! `POST /oauth/revoke` (RFC 7009).
//!
//! 1. A refresh token ends its grant, when the app that it was given to shows it.
//! 2. An access token, or an agent's token, ends itself and all that was exchanged or made with it. One of an app's is the
//!    app's to end; one of a key, a login or an agent is ended by whoever has it, since nobody else could prove anything more.
//! 3. What is unknown, over or none, and another app's, changes nothing; the answer is 200 all the same (section 2.2). A hint
//!    is none that is needed.
//! 4. A key is no token, and must not seem to be ended: `unsupported_token_type`, by its form alone. So is what looks like
//!    another system's keys that were imported.

use domain::app_grant::Presented as Shown;
use domain::{Act, AgentToken, AgentTokenRecord, AppId, Moment, Party, RefreshToken, Subject, Timestamp};
use edge::{ApiError, Body, HeaderValue, Limited, OauthError, Reply, Request};
use store::revoked::{ENDS_PER_HOUR, Ending, TokenEnd};

use super::act;
use super::client::{Caller, Presented};
use super::error::{Judged, invalid_client};
use super::form::Form;
use crate::App;

/// Ends a token.
pub(super) async fn revoke(app: &App, request: &Request, now: Moment) -> Result<Reply, OauthError> {
    let form = Form::read(request)?;
    let caller = match Presented::read(request, &form)? {
        Some(presented) => Some(presented.prove(app, request, now).await?),
        None => None,
    };
    let text = form.required("token")?;
    if app.identity.is_key(text, now).await? {
        return Err(OauthError::new("unsupported_token_type", "A key is revoked where keys are managed, not here"));
    }
    if let Some(token) = RefreshToken::parse(text) {
        end_grant(app, request, caller.as_ref(), &token, now).await?;
    } else if let Ok(token) = AgentToken::parse(text) {
        end_agents(app, request, &token, now).await?;
    } else {
        end_token(app, request, caller.as_ref(), text, now).await?;
    }
    let mut reply = Reply::new(Body::Empty);
    reply.headers_mut().insert("cache-control", HeaderValue::from_static("no-store"));
    Ok(reply)
}

async fn end_grant(
    app: &App,
    request: &Request,
    caller: Option<&Caller>,
    token: &RefreshToken,
    now: Moment,
) -> Result<(), OauthError> {
    // Every refresh token is an app's, known or not.
    let id = caller.and_then(Caller::app_id).ok_or_else(invalid_client)?;
    let Some(grant) = app.store.grant_by_id(&token.grant()).await? else { return Ok(()) };
    let shown = grant.refresh.as_ref().map_or(Shown::Foreign, |kept| kept.judge(token, now.timestamp()));
    // One that was used already is the app's own word all the same: it wants no more of this grant.
    if grant.app_id == *id && shown != Shown::Foreign {
        app.store.grant_end(&grant.id, &act(id, request, now)).await?;
    }
    Ok(())
}

async fn end_token(
    app: &App,
    request: &Request,
    caller: Option<&Caller>,
    text: &str,
    now: Moment,
) -> Result<(), OauthError> {
    let claims = match app.identity.issued(text, now).await.map_err(Judged::from) {
        Ok(claims) => claims,
        Err(Judged::Refused(_)) => return Ok(()),
        Err(Judged::Failed(error)) => return Err(error.into()),
    };
    let (actor, holder): (Party, String) = match claims.subject() {
        Some(Subject::Key(id, _)) => ((&id).into(), id.to_string()),
        Some(Subject::User(id)) => ((&id).into(), id.to_string()),
        Some(Subject::Grant { app: owner, user, .. }) if is_shown_by(caller, &owner)? => {
            ((&owner).into(), user.to_string())
        }
        Some(Subject::App(owner)) if is_shown_by(caller, &owner)? => ((&owner).into(), owner.to_string()),
        // Another app's. No claims that were verified contradict each other.
        Some(Subject::Grant { .. } | Subject::App(_)) | None => return Ok(()),
    };
    let ends = Timestamp::from_unix(claims.exp);
    let ending = Ending { client: &claims.client_id, token: &claims.jti, ends, holder: &holder };
    end(app, ending, &act(actor, request, now)).await
}

/// Whether the client that has proved itself, as it must, is the app.
fn is_shown_by(caller: Option<&Caller>, owner: &AppId) -> Result<bool, OauthError> {
    Ok(caller.and_then(Caller::app_id).ok_or_else(invalid_client)? == owner)
}

/// Ends an agent's token, not the agent: whoever has made that one can give it another.
async fn end_agents(app: &App, request: &Request, token: &AgentToken, now: Moment) -> Result<(), OauthError> {
    let found = app.store.agent_token_by_id(&token.id()).await?;
    let Ok(record) = AgentTokenRecord::check(found.as_ref(), token, None, now.timestamp()) else { return Ok(()) };
    let ending = Ending {
        client: &record.grant.client_id,
        token: record.id.as_str(),
        ends: record.grant.expires_at,
        holder: record.grant.key_id.as_str(),
    };
    end(app, ending, &act(&record.grant.agent_id, request, now)).await
}

async fn end(app: &App, ending: Ending<'_>, act: &Act) -> Result<(), OauthError> {
    match app.store.revoked_add(ending, act).await? {
        TokenEnd::Ended => Ok(()),
        TokenEnd::TooMany(until) => {
            let limited = Limited { limit: ENDS_PER_HOUR, retry_after: until.unix() - act.at.unix() };
            Err(ApiError::TooManyRequests(limited).into())
        }
    }
}
