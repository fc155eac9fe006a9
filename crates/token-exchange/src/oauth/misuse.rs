//! What two have shown of which one alone can have it: the grant behind it ends for both, and the audit log says so.

use domain::app::App as OauthApp;
use domain::{Action, AppGrant, Deed, Moment, Outcome};
use edge::{OauthError, Request};

use super::act;
use crate::App;

/// Ends a grant, and notes what `action` says of it.
pub(super) async fn end_misused(
    app: &App,
    caller: &OauthApp,
    grant: &AppGrant,
    action: Action,
    request: &Request,
    now: Moment,
) -> Result<(), OauthError> {
    let act = act(&caller.id, request, now);
    app.store.grant_end(&grant.id, &act).await?;
    let deed = Deed::new(action, &caller.id).with("grant_id", grant.id.as_str()).with("user_id", &grant.user_id);
    // The grant has ended, which is what counts: a note that can't be written must not turn the refusal into a fault.
    if let Err(error) = app.store.audit_note(&grant.client_id, &act, deed, Outcome::Refused).await {
        tracing::warn!(%error, action = action.as_str(), "could not be noted");
    }
    Ok(())
}
