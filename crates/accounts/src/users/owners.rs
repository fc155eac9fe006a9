//! The client's owners: never none, and always one whom the word `owner` means.

use domain::{Client, Role, User, UserStatus};
use edge::ApiError;
use store::account_change::Edit;

use crate::App;
use crate::caller::Caller;
use crate::client;

/// How many users are read at a time to find an owner.
const PAGE: usize = 100;

/// What becomes of the client where its owners change.
pub(crate) struct OwnersChange {
    /// The client, where anything does.
    pub(crate) client: Option<Edit<Client>>,
    /// The owner whom the word `owner` means from now on, where that changes: must stay one.
    pub(crate) successor: Option<Edit<User>>,
}

/// An owner who has come: whoever is invited may never.
fn counts(user: &User) -> bool {
    user.role == Role::Owner && user.status == UserStatus::Active
}

/// What it means for the client that the user `before` becomes `after`, or leaves; `None` where that is to be decided
/// anew.
///
/// # Errors
/// 409 for the last owner.
pub(crate) async fn change(
    app: &App,
    caller: &Caller,
    before: &User,
    after: Option<&User>,
) -> Result<Option<OwnersChange>, ApiError> {
    let (counted, will_count) = (counts(before), after.is_some_and(counts));
    if counted == will_count {
        return Ok(Some(OwnersChange { client: None, successor: None }));
    }
    let client = client::read(app, caller).await?;
    let changed = |after| Some(Edit::Changed { before: client.clone(), after });
    if will_count {
        let after = Client { owners: client.owners + 1, ..client.clone() };
        return Ok(Some(OwnersChange { client: changed(after), successor: None }));
    }
    if client.owners <= 1 {
        return Err(ApiError::Conflict("The last owner stays: make another user an owner first".to_owned()));
    }
    let mut after = Client { owners: client.owners - 1, ..client.clone() };
    if client.owner_user_id != before.id {
        return Ok(Some(OwnersChange { client: changed(after), successor: None }));
    }
    let Some(successor) = another_owner(app, before).await? else { return Ok(None) };
    after.owner_user_id = successor.id.clone();
    Ok(Some(OwnersChange { client: changed(after), successor: Some(Edit::Kept(successor)) }))
}

/// The first owner who has come and is not `user`; `None` where all others have just gone.
async fn another_owner(app: &App, user: &User) -> Result<Option<User>, ApiError> {
    let mut after = None;
    loop {
        let page = app.store.user_list(&user.client_id, PAGE, after.as_deref()).await?;
        let found = page.items.into_iter().find(|other| counts(other) && other.id != user.id);
        if found.is_some() || page.next.is_none() {
            return Ok(found);
        }
        after = page.next;
    }
}
