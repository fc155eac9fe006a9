//! `PATCH …/users/{id}`.

use domain::{Action, Deed, User, UserId};
use edge::{ApiError, Reply, Request};
use serde::Deserialize;
use store::account_change::{AccountChange, AccountChanged, Edit};

use super::owners::{self, OwnersChange};
use super::{UserRecord, checked_role, read};
use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RoleForm {
    role: String,
}

/// Gives a user another role. What the old one gave ends within five seconds, in tokens and personal keys too.
pub(crate) async fn change(app: &App, caller: &Caller, request: &Request, id: &UserId) -> Result<Reply, ApiError> {
    caller.admin()?;
    let form: RoleForm = edge::json(request)?;
    let role = checked_role(&form.role)?;
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let before = read(app, caller, id).await?;
        let after = User { role, ..before.clone() };
        if after == before {
            return Ok(edge::ok(&UserRecord::of(&after)));
        }
        let Some(OwnersChange { client, successor }) = owners::change(app, caller, &before, Some(&after)).await? else {
            continue;
        };
        let deed = Deed::new(Action::UserRoleChanged, id).with("from", before.role).with("to", role);
        let changed = Edit::Changed { before, after: after.clone() };
        let users = [changed].into_iter().chain(successor).collect();
        let change = AccountChange { client, users, ..AccountChange::default() };
        let made = caller.make(app, &change, deed, None).await?;
        if made == AccountChanged::Done {
            return Ok(edge::ok(&UserRecord::of(&after)));
        }
    }
}
