//! `POST …/apps`.

use domain::{Action, App as OauthApp, AppId, Deed, GrantType, HashedKey, Scope};
use edge::{ApiError, Repeatable, Reply, Request, StatusCode, checked_name};
use serde::Deserialize;
use store::StoreError;
use store::apps::AppChanged;

use super::{AppView, NewSecretView, form};
use crate::App;
use crate::caller::Caller;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateForm {
    name: String,
    #[serde(default)]
    redirect_uris: Vec<String>,
    grant_types: Vec<GrantType>,
    scopes: Vec<Scope>,
    confidential: bool,
}

/// Makes an app; a confidential one's secret is answered once.
pub(crate) async fn create(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    caller.admin()?;
    let asked: CreateForm = edge::json(request)?;
    let secret = asked.confidential.then(OauthApp::new_secret);
    let new = OauthApp {
        id: AppId::random(),
        client_id: Some(caller.client_id().clone()),
        name: checked_name(&asked.name)?,
        redirect_uris: form::redirect_uris(&asked.redirect_uris)?,
        grant_types: form::grant_types(&asked.grant_types)?,
        scopes: Some(form::scopes(asked.scopes)?),
        secret: secret.as_deref().map(HashedKey::of_text),
        created_at: caller.act.at,
        created_by: caller.act.actor.id.clone(),
        revision: 0,
    };
    form::check(app, caller, &new)?;
    let repeatable = Repeatable::read(request)?;
    let (client, at) = (caller.client_id(), caller.act.at);
    if let Some(reply) = repeatable.answered(&app.store, client, at).await? {
        return Ok(reply);
    }
    let answer = |client_secret| NewSecretView { app: AppView::of(client, &new), client_secret };
    let kept = repeatable.keep(StatusCode::CREATED, &answer(None));
    let deed = Deed::new(Action::AppCreated, &new.id)
        .with("name", &new.name)
        .with("grant_types", &new.grant_types)
        .with("scopes", &new.scopes)
        .with("redirect_uris", &new.redirect_uris)
        .with("confidential", new.is_confidential());
    match app.store.app_create(client, &new, deed, &caller.act, kept.as_ref()).await? {
        AppChanged::Done => Ok(edge::with_status(StatusCode::CREATED, &answer(secret.as_deref()))),
        AppChanged::AnsweredBefore => repeatable.answered_beside(&app.store, client, at).await,
        // Its id is random: it is there since an answer of the store was lost, and nobody has the secret.
        AppChanged::Outdated => Err(StoreError::Contended.into()),
    }
}
