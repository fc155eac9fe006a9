//! What a grant still gives.

use domain::app::App as OauthApp;
use domain::{AppGrant, Moment, ScopeSet};
use edge::OauthError;
use store::StoreError;

use super::error::invalid_grant;
use crate::App;

/// What is left of a grant in the workspace that it is bound to: what its user still holds, and its app, of which `record` was
/// read, may still have. `None` where nothing is, the user is gone, or the workspace is closed.
pub(super) async fn scopes(
    app: &App,
    grant: &AppGrant,
    record: &OauthApp,
    now: Moment,
) -> Result<Option<ScopeSet>, StoreError> {
    let left = app.identity.left_of(grant, record, now).await?;
    let workspace = app.identity.workspace(&grant.client_id, &grant.workspace_id, now).await?;
    let is_open = workspace.is_some_and(|workspace| workspace.open_to_app(&grant.client_id).is_ok());
    Ok(left.filter(|_| is_open))
}

/// The same for a new token.
///
/// # Errors
/// `invalid_grant` where nothing is left: the user has to consent anew, or to ask those who have closed the workspace.
pub(super) async fn of_grant(
    app: &App,
    grant: &AppGrant,
    record: &OauthApp,
    now: Moment,
) -> Result<ScopeSet, OauthError> {
    scopes(app, grant, record, now).await?.ok_or_else(invalid_grant)
}
