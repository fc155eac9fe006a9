//! `grant_type=refresh_token` (RFC 6749, section 6; RFC 9700, section 4.14.2).
//!
//! 1. The app proves itself, and is registered for refresh tokens.
//! 2. The token names its grant, which is read strongly; it must be this app's and still count. Its end never moves.
//! 3. A token of the grant that was used before is held by two: the grant ends, and the audit log says so.
//! 4. What user and app hold at this very moment is what the access token holds at most; `scope` narrows it alone; `resource`
//!    can only be the granted one.
//! 5. The token that counts gets its successor by one conditional write, with the successor sealed under a key that only the
//!    token itself gives. Whoever shows the same token again within 10 s, as after a lost answer, gets that very successor.
//! 6. Whoever loses the write to another reads again: then it is the one of step 5 that shows the same token again.

use domain::app::App as OauthApp;
use domain::app_grant::Presented;
use domain::{Action, AppGrant, GrantType, Moment, Refresh, RefreshToken};
use edge::{ApiError, OauthError, Reply, Request};
use signing::sealed;
use store::StoreError;
use store::grants::Redeemed;

use super::client::{app_of, must_be_registered};
use super::error::{invalid_grant, invalid_scope, invalid_target};
use super::form::Form;
use super::misuse::end_misused;
use super::{held, token};
use crate::App;

/// How often a refresh is decided on anew that met another.
const ATTEMPTS: usize = 5;
/// What successors are sealed for.
const PURPOSE: &str = "refresh token successor";

/// Gives the next access and refresh token.
pub(super) async fn refresh(app: &App, request: &Request, form: &Form, now: Moment) -> Result<Reply, OauthError> {
    let caller = app_of(app, request, form).await?;
    must_be_registered(&caller, GrantType::RefreshToken)?;
    let presented = RefreshToken::parse(form.required("refresh_token")?).ok_or_else(invalid_grant)?;
    for _ in 0..ATTEMPTS {
        let found = app.store.grant_by_id(&presented.grant()).await?;
        let counts = |grant: &AppGrant| grant.app_id == caller.id && grant.counts(now.timestamp());
        let grant = found.filter(counts).ok_or_else(invalid_grant)?;
        let kept = grant.refresh.as_ref().ok_or_else(invalid_grant)?;
        let lost = match kept.judge(&presented, now.timestamp()) {
            Presented::Current => None,
            Presented::Lost(before) => Some(before),
            Presented::Foreign => return Err(invalid_grant()),
            Presented::Reused => {
                end_misused(app, &caller, &grant, Action::AppReuseDetected, request, now).await?;
                return Err(invalid_grant());
            }
        };
        // Whoever verifies tokens by the published keys alone believes this one until its end: what it says must be so now.
        app.identity.catch_up(now).await?;
        let lifetime = token::lifetime(app, &grant.client_id, now).await?.ok_or_else(invalid_grant)?;
        let scopes = asked(app, form, &grant, &caller, now).await?;
        let issued = token::of_grant(app, &grant, scopes, lifetime, now).await?;
        let successor = match lost {
            Some(before) => opened(&presented, &before.successor)?,
            None => match follow(app, &grant, kept, &presented, now).await? {
                Some(next) => next,
                None => continue,
            },
        };
        return Ok(issued.into_reply(Some(successor.expose())));
    }
    Err(StoreError::Contended.into())
}

/// Writes the successor; `None` where another was faster.
async fn follow(
    app: &App,
    grant: &AppGrant,
    kept: &Refresh,
    presented: &RefreshToken,
    now: Moment,
) -> Result<Option<RefreshToken>, OauthError> {
    let next = presented.next();
    let sealed = sealed::seal(presented.expose(), PURPOSE, next.expose().as_bytes());
    let sealed = sealed.ok_or_else(|| ApiError::Unavailable("a successor can't be sealed".into()))?;
    let followed = kept.followed(presented, &next, sealed, now.timestamp());
    let written = app.store.grant_refresh(grant, followed).await?;
    Ok((written == Redeemed::Done).then_some(next))
}

/// The successor that was sealed with the token shown again.
fn opened(presented: &RefreshToken, sealed: &[u8]) -> Result<RefreshToken, OauthError> {
    let text = sealed::open(presented.expose(), PURPOSE, sealed).and_then(|plain| String::from_utf8(plain).ok());
    let successor = text.as_deref().and_then(RefreshToken::parse);
    // Its hash was right: what can't be opened is not what this version has written.
    successor.ok_or_else(|| StoreError::Corrupt("refresh_successor").into())
}

/// What the access token is to hold: what the grant still gives, or less.
async fn asked(
    app: &App,
    form: &Form,
    grant: &AppGrant,
    caller: &OauthApp,
    now: Moment,
) -> Result<domain::ScopeSet, OauthError> {
    if form.resource()?.is_some_and(|asked| Some(asked) != grant.resource) {
        return Err(invalid_target("`resource` is another than the one that was granted"));
    }
    let held = held::of_grant(app, grant, caller, now).await?;
    let Some(asked) = form.scopes(app)? else { return Ok(held) };
    match held.first_uncovered(&asked) {
        Some(_) => Err(invalid_scope("`scope` is more than what the grant gives")),
        None => Ok(asked),
    }
}
