//! On what the tokens of apps stand: the app, and what a user has granted to it, as both are now.

use std::sync::Arc;

use domain::{App, AppGrant, AppId, Claims, GrantId, ScopeSet, Timestamp, User, UserId, UserStatus};
use store::StoreError;

use crate::call::Named;
use crate::footing::Directory;
use crate::principal::Standing;
use crate::refusal::{Refusal, RefusalReason};

/// What a token names that was granted.
pub(crate) struct Granted<'a> {
    pub(crate) grant: &'a GrantId,
    pub(crate) app: &'a AppId,
    pub(crate) user: &'a UserId,
}

impl Directory<'_> {
    /// What a token of an app's stands on that a user has granted. The grant must be the one that the token says in all
    /// else that it says, too.
    pub(crate) async fn standing_of_grant(
        &self,
        claims: &Claims,
        named: &Granted<'_>,
        workspace: &Named,
        now: Timestamp,
    ) -> Result<Standing, Refusal> {
        let grant = self.caches.grant(self.store, named.grant).await?;
        let grant = grant.filter(|grant| {
            grant.counts(now)
                && grant.client_id == claims.client_id
                && grant.user_id == *named.user
                && grant.app_id == *named.app
        });
        let grant = grant.ok_or(RefusalReason::GrantEnded)?;
        let user = self.user_of(&grant).await?.ok_or(RefusalReason::UnknownUser)?;
        let app = self.app_of(&grant).await?.ok_or(RefusalReason::GrantEnded)?;
        let scopes = self.left_of(&grant, &user, app.as_deref()).await?;
        let reach = self.reach_of_user(&user, &claims.workspace_id, workspace).await?;
        Ok(Standing::Grant { grant, user, scopes, reach })
    }

    /// What a token of an app's stands on that it has by itself.
    pub(crate) async fn standing_of_app(
        &self,
        claims: &Claims,
        app: &AppId,
        workspace: &Named,
    ) -> Result<Standing, Refusal> {
        let app = self.caches.app(self.store, app).await?;
        let app = app.filter(|app| app.client_id.as_ref() == Some(&claims.client_id) && app.is_confidential());
        let app = app.ok_or(RefusalReason::GrantEnded)?;
        let reach = self.reach_of_app(&claims.client_id, &claims.workspace_id, workspace).await?;
        Ok(Standing::App { app, client_id: claims.client_id.clone(), reach })
    }

    /// What is left of a grant that was given to `app`, a record that was read elsewhere; `None` where nothing is, or the user is
    /// gone.
    pub(crate) async fn left_to(&self, grant: &AppGrant, app: &App) -> Result<Option<ScopeSet>, StoreError> {
        if app.id != grant.app_id || !is_open_to(app, grant) {
            return Ok(None);
        }
        let Some(user) = self.user_of(grant).await? else { return Ok(None) };
        self.left_of(grant, &user, Some(app)).await
    }

    /// What is left of a grant: what the user still holds, and the app may still have, of which there may be no record here.
    async fn left_of(&self, grant: &AppGrant, user: &User, app: Option<&App>) -> Result<Option<ScopeSet>, StoreError> {
        let held = self.scopes_of(user).await?.intersection(&grant.scopes);
        Ok(match app.and_then(|app| app.scopes.as_ref()) {
            Some(scopes) => held.and_then(|held| held.intersection(scopes)),
            None => held,
        })
    }

    async fn user_of(&self, grant: &AppGrant) -> Result<Option<Arc<User>>, StoreError> {
        let user = self.caches.user(self.store, &grant.client_id, &grant.user_id).await?;
        Ok(user.filter(|user| user.status == UserStatus::Active))
    }

    /// The app of a grant, of which there is no record here where a document elsewhere describes it; `None` where it is
    /// gone, or another client's.
    async fn app_of(&self, grant: &AppGrant) -> Result<Option<Option<Arc<App>>>, StoreError> {
        if grant.app_id.document().is_some() {
            return Ok(Some(None));
        }
        let app = self.caches.app(self.store, &grant.app_id).await?;
        Ok(app.filter(|app| is_open_to(app, grant)).map(Some))
    }
}

/// Whether the users of the grant's client can grant anything to an app: it is the client's own, or no client's.
fn is_open_to(app: &App, grant: &AppGrant) -> bool {
    app.client_id.as_ref().is_none_or(|client| *client == grant.client_id)
}
