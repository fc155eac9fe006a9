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

/// The same, where something must be left.
///
/// # Errors
/// `invalid_grant` where nothing is.
pub(super) async fn of_grant(app: &App, grant: &AppGrant, now: Moment) -> Result<ScopeSet, OauthError> {
    scopes(app, grant, now).await?.ok_or_else(invalid_grant)
}
