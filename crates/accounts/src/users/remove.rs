//! `DELETE …/users/{id}`.

use std::time::Duration;

use domain::{Action, Deed, UserId, WorkspaceRole};
use edge::{ApiError, Reply};
use store::StoreError;
use store::account_change::{AccountChange, AccountChanged, Edit};
use store::key_list::KeyFilter;

use super::owners::{self, OwnersChange};
use super::read;
use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;

/// How many keys are read at a time.
const PAGE: usize = 100;
/// How long the keys may take: the caller waits, and the user is gone already.
const PATIENCE: Duration = Duration::from_secs(3);

/// Removes a user: tokens and personal keys end with it within five seconds, workspaces' keys live on.
pub(crate) async fn remove(app: &App, caller: &Caller, id: &UserId) -> Result<Reply, ApiError> {
    caller.admin()?;
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let user = read(app, caller, id).await?;
        let owned = user.workspaces.iter().filter(|(_, role)| **role == WorkspaceRole::Owner);
        let owned: Vec<_> = owned.map(|(workspace, _)| workspace.as_str()).collect();
        if !owned.is_empty() {
            let owned = owned.join(", ");
            return Err(ApiError::Conflict(format!("The user owns workspaces, to be handed on first: {owned}")));
        }
        let Some(OwnersChange { client, successor }) = owners::change(app, caller, &user, None).await? else {
            continue;
        };
        let deed = Deed::new(Action::UserRemoved, id).with("email", &user.email).with("role", user.role);
        let users = [Edit::Removed(user)].into_iter().chain(successor).collect();
        let change = AccountChange { client, users, ..AccountChange::default() };
        let made = caller.make(app, &change, deed, None).await?;
        if made == AccountChanged::Done {
            break;
        }
    }
    // They are dead since the user is gone: this is so that their records say it.
    match tokio::time::timeout(PATIENCE, Box::pin(revoke_keys(app, caller, id))).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!(%error, "not all keys of a removed user could be revoked"),
        Err(_) => tracing::warn!("not all keys of a removed user could be revoked in time"),
    }
    Ok(edge::no_content())
}

/// Revokes a user's personal keys, each in a transaction of its own.
async fn revoke_keys(app: &App, caller: &Caller, owner: &UserId) -> Result<(), StoreError> {
    let client = caller.client_id();
    let filter = KeyFilter { owner_user_id: Some(owner.clone()), revoked: Some(false), ..KeyFilter::default() };
    let mut after = None;
    loop {
        let page = app.store.key_list(client, &filter, PAGE, after.as_ref()).await?;
        for key in &page.keys {
            app.store.key_revoke(client, &key.id, &caller.act).await?;
        }
        match page.next {
            Some(next) => after = Some(next),
            None => return Ok(()),
        }
    }
}
