//! `POST …/apps/{app_id}/rotate_secret`.

use domain::{Action, App as OauthApp, AppId, Deed, HashedKey};
use edge::{ApiError, Repeatable, Reply, Request, StatusCode};
use serde::Deserialize;
use store::apps::AppChanged;

use super::{AppView, NewSecretView, read};
use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;

/// Nothing can be said.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct RotateForm {}

/// Gives an app a new secret, which is answered once. The one before ends at once: it is replaced where somebody else may have
/// it. What the app has been given with it lives on.
pub(crate) async fn rotate(app: &App, caller: &Caller, request: &Request, id: &AppId) -> Result<Reply, ApiError> {
    // What belongs to somebody else is not there, whatever is asked of it.
    read(app, caller, id).await?;
    let RotateForm {} = edge::json_or_nothing(request)?;
    let repeatable = Repeatable::read(request)?;
    let (client, at) = (caller.client_id(), caller.act.at);
    if let Some(reply) = repeatable.answered(&app.store, client, at).await? {
        return Ok(reply);
    }
    let secret = OauthApp::new_secret();
    let hash = HashedKey::of_text(&secret);
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let seen = read(app, caller, id).await?;
        if !seen.is_confidential() {
            return Err(ApiError::Conflict("The app is public: it has no secret".to_owned()));
        }
        let view = |client_secret| NewSecretView { app: AppView::of(client, &seen), client_secret };
        let done = || Ok(edge::with_status(StatusCode::CREATED, &view(Some(&secret))));
        // It is there since an answer of the store was lost.
        if seen.secret.as_ref() == Some(&hash) {
            return done();
        }
        let kept = repeatable.keep(StatusCode::CREATED, &view(None));
        let deed = Deed::new(Action::AppSecretRotated, id).with("fingerprint", hash.fingerprint());
        match app.store.app_rotate(client, &seen, hash.clone(), deed, &caller.act, kept.as_ref()).await? {
            AppChanged::Done => return done(),
            AppChanged::AnsweredBefore => return repeatable.answered_beside(&app.store, client, at).await,
            AppChanged::Outdated => {}
        }
    }
}
