//! `POST /oauth/revoke` (RFC 7009).
//!
//! 1. A refresh token ends its grant, when the app that it was given to shows it.
//! 2. An access token ends itself and all that was exchanged from it. One of an app's is the app's to end; one of a key or a
//!    login is ended by whoever has it, since nobody else could prove anything more.
//! 3. What is unknown, over or none, and another app's, changes nothing; the answer is 200 all the same (section 2.2). A hint
//!    is none that is needed.
//! 4. A key is no token, and must not seem to be ended: `unsupported_token_type`, by its form alone.

use domain::app_grant::Presented as Shown;
use domain::{Moment, Party, PlainKey, RefreshToken, Subject};
use edge::{Body, HeaderValue, OauthError, Reply, Request};

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
    if PlainKey::parse(text).is_ok() {
        return Err(OauthError::new("unsupported_token_type", "A key is revoked where keys are managed, not here"));
    }
    match RefreshToken::parse(text) {
        Some(token) => end_grant(app, request, caller.as_ref(), &token, now).await?,
        None => end_token(app, request, caller.as_ref(), text, now).await?,
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
    let actor: Party = match claims.subject() {
        Some(Subject::Key(id, _)) => (&id).into(),
        Some(Subject::User(id)) => (&id).into(),
        Some(Subject::Grant { app: owner, .. } | Subject::App(owner)) => {
            let shown_by = caller.and_then(Caller::app_id).ok_or_else(invalid_client)?;
            if *shown_by != owner {
                return Ok(());
            }
            (&owner).into()
        }
        // No claims that were verified contradict each other.
        None => return Ok(()),
    };
    app.store.revoked_add(&claims, &act(actor, request, now)).await?;
    Ok(())
}
