//! `POST /auth/accept-invite`: whoever was invited chooses a password, and is there.
//!
//! An invitation is used once: what it makes and that it is used up are one transaction. One that is unknown, used or past
//! its time is a credential that does not count.

use domain::{Act, Action, Client, Deed, HashedKey, Moment, Password, Role, User, UserStatus};
use edge::{ApiError, Reply, Request};
use identity::RefusalReason;
use login::attempts::{self, PER_ADDRESS};
use serde::Deserialize;
use store::StoreError;
use store::account_change::{AccountChange, AccountChanged, Edit, InviteEdit};

use crate::{App, session};

/// How often it is tried anew where others change the same user or client.
const ATTEMPTS: usize = 5;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AcceptForm {
    invite_token: String,
    password: String,
}

/// Accepts an invitation; the answer is a login's.
pub(crate) async fn accept_invite(app: &App, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    let form: AcceptForm = edge::json(request)?;
    let password =
        Password::new(&form.password).map_err(|problem| ApiError::BadRequest(format!("`password`: {problem}")))?;
    let (at, source) = (now.timestamp(), request.source_address());
    let address = source.map(attempts::throttled_address);
    if let Some(address) = &address {
        attempts::attempt(&app.store, &attempts::throttled(address), PER_ADDRESS, at).await?;
    }
    let hash = HashedKey::of_text(&form.invite_token);
    // Looked up before the hashing, which costs more; the transaction below decides.
    invited(app, &hash, now).await?;
    let password = login::hash(password).await?;
    // Whoever can't be given a token keeps the invitation.
    app.signing_key.ready(&app.identity, now).await?;
    for _ in 0..ATTEMPTS {
        let before = invited(app, &hash, now).await?;
        let client = app.store.client_by_id(&before.client_id).await?.ok_or_else(unknown)?;
        let after = User { status: UserStatus::Active, ..before.clone() };
        let one_more = Client { owners: client.owners + 1, ..client.clone() };
        let act = Act { actor: (&after.id).into(), address: source.map(|address| address.to_string()), at };
        let deed = Deed::new(Action::UserJoined, &after.id).with("role", after.role);
        let is_owner = after.role == Role::Owner;
        let change = AccountChange {
            client: is_owner.then(|| Edit::Changed { before: client.clone(), after: one_more }),
            users: vec![Edit::Changed { before, after: after.clone() }],
            invite: Some(InviteEdit::Used(hash.clone())),
            password: Some((after.id.clone(), password.clone())),
            ..AccountChange::default()
        };
        if app.store.account_change(&client.id, &change, vec![deed], &act, None).await? == AccountChanged::Done {
            if let Some(address) = &address
                && let Err(error) = attempts::welcome(&app.store, &after, address, at).await
            {
                tracing::warn!(%error, "the address of a new user could not be noted");
            }
            return session::begin(app, &after, &client, now).await;
        }
    }
    Err(StoreError::Contended.into())
}

/// Whoever the invitation is for, not come yet.
async fn invited(app: &App, hash: &HashedKey, now: Moment) -> Result<User, ApiError> {
    let invite = app.store.invite_find(hash, now.timestamp()).await?.ok_or_else(unknown)?;
    let user = app.store.user_by_id(&invite.client_id, &invite.user_id).await?;
    user.filter(|user| user.status == UserStatus::Invited).ok_or_else(unknown)
}

fn unknown() -> ApiError {
    ApiError::Unauthorized(RefusalReason::UnknownInvite)
}
