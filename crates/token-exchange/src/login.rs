//! Logging in with a password: whoever proves to be a user is given a token.

use std::net::IpAddr;

use domain::Moment;
use edge::{ApiError, Reply};
use identity::RefusalReason;
use login::Account;

use crate::{App, session};

/// Logs in.
pub(crate) async fn log_in(
    app: &App,
    account: &Account<'_>,
    password: &str,
    source: Option<IpAddr>,
    now: Moment,
) -> Result<Reply, ApiError> {
    let user = login::prove(&app.store, account, password, source, now.timestamp()).await?;
    let client =
        app.store.client_by_id(&user.client_id).await?.ok_or(ApiError::Unauthorized(RefusalReason::UnknownUser))?;
    session::begin(app, &user, &client, now).await
}
