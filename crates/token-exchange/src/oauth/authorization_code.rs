//! `grant_type=authorization_code` (RFC 6749, section 4.1.3; RFC 7636, section 4.6).
//!
//! 1. The app proves itself, and is registered for codes.
//! 2. The code is read strongly. It must be this app's, for this redirect URI, and the verifier must answer its challenge.
//!    Who has a code and not all of these learns nothing and changes nothing: not even that it was used.
//! 3. One that was redeemed already is shown by a second one who could have redeemed it: what was issued ends (RFC 6749,
//!    section 10.5), whichever of the two came first, and the audit log says so.
//! 4. What the user holds at this very moment of what was granted, and the token, are decided on before anything is written.
//! 5. One transaction marks the code and writes the grant. Whoever loses it to another is at step 3.

use domain::app::App as OauthApp;
use domain::app_grant::GRANT_LIFETIME;
use domain::{Action, AppGrant, AuthorizationCode, GrantId, GrantType, HashedKey, Moment, Refresh, RefreshToken};
use edge::{OauthError, Reply, Request};
use store::StoreError;
use store::grants::Redeemed;

use super::client::{app_of, must_be_registered};
use super::error::{invalid_grant, invalid_target};
use super::form::Form;
use super::misuse::end_misused;
use super::{held, token};
use crate::App;

/// How often a redemption is decided on anew that met another which came to nothing.
const ATTEMPTS: usize = 5;

/// Redeems a code.
pub(super) async fn redeem(app: &App, request: &Request, form: &Form, now: Moment) -> Result<Reply, OauthError> {
    let caller = app_of(app, request, form).await?;
    must_be_registered(&caller, GrantType::AuthorizationCode)?;
    let hash = HashedKey::of_text(form.required("code")?);
    let redirect_uri = form.required("redirect_uri")?;
    let verifier = form.required("code_verifier")?;
    let resource = form.resource()?;
    // One id for all attempts: a code that was redeemed for it was redeemed here, whatever became of the answer.
    let id = GrantId::random();
    for _ in 0..ATTEMPTS {
        let found = app.store.code_find(&hash).await?;
        let meant = |code: &AuthorizationCode| {
            code.app_id == caller.id && code.redirect_uri == redirect_uri && code.is_answered_by(verifier)
        };
        let code = found.filter(meant).ok_or_else(invalid_grant)?;
        if let Some(grant) = &code.redeemed_for {
            let ended = app.store.grant_by_id(grant).await?.filter(|grant| grant.ended_at.is_none());
            if let Some(ended) = ended {
                end_misused(app, &caller, &ended, Action::AppCodeReplayed, request, now).await?;
            }
            return Err(invalid_grant());
        }
        if code.is_over(now.timestamp()) {
            return Err(invalid_grant());
        }
        if resource.is_some() && resource != code.resource {
            return Err(invalid_target("`resource` is another than the one that was granted"));
        }
        // Whoever verifies tokens by the published keys alone believes this one until its end: what it says must be so now.
        app.identity.catch_up(now).await?;
        let lifetime = token::lifetime(app, &code.client_id, now).await?.ok_or_else(invalid_grant)?;
        let (grant, first) = granted(&code, &caller, id.clone(), lifetime, now);
        let scopes = held::of_grant(app, &grant, &caller, now).await?;
        let issued = token::of_grant(app, &grant, scopes, lifetime, now).await?;
        let redeemed = app.store.code_redeem(&code, &grant).await?;
        if redeemed == Redeemed::Done || is_ours(app, &hash, &id).await? {
            return Ok(issued.into_reply(first.as_ref().map(RefreshToken::expose)));
        }
    }
    Err(StoreError::Contended.into())
}

/// Whether a code was redeemed by this very call: where the store's answer was lost, the repetition may meet the first
/// attempt while that is under way, and be told of a conflict with it.
async fn is_ours(app: &App, hash: &HashedKey, id: &GrantId) -> Result<bool, OauthError> {
    let code = app.store.code_find(hash).await?;
    Ok(code.is_some_and(|code| code.redeemed_for.as_ref() == Some(id)))
}

/// What the code leads to, and its first refresh token where the app is registered for such.
fn granted(
    code: &AuthorizationCode,
    caller: &OauthApp,
    id: GrantId,
    lifetime: i64,
    now: Moment,
) -> (AppGrant, Option<RefreshToken>) {
    let first = caller.may(GrantType::RefreshToken).then(|| RefreshToken::first(&id));
    let at = now.timestamp();
    let grant = AppGrant {
        id,
        client_id: code.client_id.clone(),
        user_id: code.user_id.clone(),
        app_id: code.app_id.clone(),
        scopes: code.scopes.clone(),
        workspace_id: code.workspace_id.clone(),
        resource: code.resource.clone(),
        created_at: at,
        expires_at: at.plus(if first.is_some() { GRANT_LIFETIME } else { lifetime }),
        ended_at: None,
        refresh: first.as_ref().map(Refresh::begin),
        revision: 0,
    };
    (grant, first)
}
