//! `POST …/users`.

use std::collections::BTreeMap;

use domain::{Action, Deed, Email, HashedKey, User, UserId, UserStatus, WorkspaceRole, random};
use edge::{ApiError, Repeatable, Reply, Request, StatusCode};
use serde::{Deserialize, Serialize};
use store::StoreError;
use store::account_change::{AccountChange, AccountChanged, Edit, InviteEdit};
use store::invites::Invite;

use super::{UserView, checked_role};
use crate::App;
use crate::caller::Caller;
use crate::client;
use crate::form::bad;

/// How long an invitation leads anywhere, in seconds: 7 days.
const LIFE: i64 = 7 * 24 * 3600;
/// The random part of an invitation's secret, in base62: 256 bits.
const SECRET: usize = 43;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct InviteForm {
    email: String,
    role: String,
}

#[derive(Serialize)]
struct InviteAnswer<'a> {
    user: UserView<'a>,
    invite_token: Option<&'a str>,
}

/// Invites somebody, into the default workspace; the answer is the only one that holds the invitation's secret.
pub(crate) async fn invite(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    caller.admin()?;
    let form: InviteForm = edge::json(request)?;
    let email = Email::parse(&form.email).ok_or_else(|| bad("`email` must be an e-mail address"))?;
    let role = checked_role(&form.role)?;
    let repeatable = Repeatable::read(request)?;
    let (client_id, at) = (caller.client_id(), caller.act.at);
    if let Some(reply) = repeatable.answered(&app.store, client_id, at).await? {
        return Ok(reply);
    }
    let client = client::read(app, caller).await?;
    let user = User {
        id: UserId::random(),
        client_id: client_id.clone(),
        email,
        role,
        status: UserStatus::Invited,
        workspaces: BTreeMap::from([(client.default_workspace_id.clone(), WorkspaceRole::Member)]),
        created_at: at,
        revision: 0,
    };
    let token = format!("invite_{}", random::base62(SECRET));
    let invite = Invite {
        hash: HashedKey::of_text(&token),
        client_id: client_id.clone(),
        user_id: user.id.clone(),
        expires_at: at.plus(LIFE),
    };
    let answer = |invite_token| InviteAnswer { user: UserView::of(&user), invite_token };
    let kept = repeatable.keep(StatusCode::CREATED, &answer(None));
    let deed = Deed::new(Action::UserInvited, &user.id).with("email", &user.email).with("role", role);
    let change = AccountChange {
        users: vec![Edit::New(user.clone())],
        invite: Some(InviteEdit::New(invite)),
        ..AccountChange::default()
    };
    match caller.make(app, &change, deed, kept.as_ref()).await? {
        AccountChanged::Done => Ok(edge::with_status(StatusCode::CREATED, &answer(Some(&token)))),
        AccountChanged::AnsweredBefore => repeatable.answered_beside(&app.store, client_id, at).await,
        AccountChanged::EmailTaken => Err(ApiError::Conflict("This e-mail address has an account already".to_owned())),
        // New ids are nobody's.
        AccountChanged::Outdated | AccountChanged::SlugTaken => Err(StoreError::Contended.into()),
    }
}
