//! What a grant still gives.

use domain::{AppGrant, Moment, ScopeSet};
use edge::OauthError;
use store::StoreError;

use super::error::invalid_grant;
use crate::App;

/// What is left of a grant: what its user still holds, and its app may still have. `None` where nothing is, or one of them
/// is gone.
pub(super) async fn scopes(app: &App, grant: &AppGrant, now: Moment) -> Result<Option<ScopeSet>, StoreError> {
    app.identity.left_of(grant, now).await
}

/// The same for a new token, in the workspace that it is bound to: something must be left, and the workspace be open.
///
/// # Errors
/// `invalid_grant` otherwise: the user has to consent anew, or to ask those who have closed it.
pub(super) async fn of_grant(app: &App, grant: &AppGrant, now: Moment) -> Result<ScopeSet, OauthError> {
    let left = scopes(app, grant, now).await?;
    let workspace = app.identity.workspace(&grant.client_id, &grant.workspace_id, now).await?;
    let is_open = workspace.is_some_and(|workspace| workspace.open_to_app(&grant.client_id).is_ok());
    left.filter(|_| is_open).ok_or_else(invalid_grant)
}
