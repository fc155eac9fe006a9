//! Who is at the pages.

use std::sync::Arc;

use domain::{Client, HashedKey, Moment, User, UserStatus};
use edge::Request;
use store::sessions::Session;

use crate::stop::Stop;
use crate::{App, csrf};

/// Somebody who has logged in, as they are now.
pub(crate) struct Visitor {
    /// What the cookie holds.
    secret: String,
    pub(crate) user: User,
    pub(crate) client: Arc<Client>,
}

/// Whoever the request's session is of; `None` where it has none that counts. The user is read anew each time: one who is gone
/// is nobody's session.
pub(crate) async fn of(app: &App, request: &Request, now: Moment) -> Result<Option<Visitor>, Stop> {
    let Some(secret) = app.cookies.session(request) else { return Ok(None) };
    let session = app.store.session_find(&HashedKey::of_text(&secret), now.timestamp()).await?;
    let Some(Session { client_id, user_id, .. }) = session else { return Ok(None) };
    let user = app.store.user_by_id(&client_id, &user_id).await?;
    let Some(user) = user.filter(|user| user.status == UserStatus::Active) else { return Ok(None) };
    let client = app.identity.client(&client_id, now).await?;
    Ok(client.map(|client| Visitor { secret, user, client }))
}

impl Visitor {
    /// The token of the form in which this person says yes or no to what is `shown`.
    pub(crate) fn decision_token(&self, shown: &str) -> String {
        csrf::token(&self.secret, "decision", shown)
    }

    /// Whether a form has that token.
    pub(crate) fn is_decision_token(&self, sent: Option<&str>, shown: &str) -> bool {
        csrf::is_token(sent, &self.secret, "decision", shown)
    }

    /// The token of the form that signs out.
    pub(crate) fn sign_out_token(&self) -> String {
        sign_out_token(&self.secret)
    }

    /// The visitor whom a login has just made.
    pub(crate) fn new(secret: String, user: User, client: Arc<Client>) -> Self {
        Self { secret, user, client }
    }
}

fn sign_out_token(secret: &str) -> String {
    csrf::token(secret, "sign out", "")
}

/// Whether a form may sign out whoever has this session.
pub(crate) fn is_sign_out_token(sent: Option<&str>, secret: &str) -> bool {
    csrf::is_token(sent, secret, "sign out", "")
}
