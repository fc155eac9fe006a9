//! A client's apps: its OAuth clients (RFC 6749, section 2).

pub(crate) mod create;
mod form;
pub(crate) mod rotate;
pub(crate) mod update;

use domain::{Action, App as OauthApp, AppId, ClientId, Deed, GrantType, RedirectUri, ScopeSet, Timestamp};
use edge::{ApiError, Reply, Request};
use serde::Serialize;
use store::apps::AppChanged;

use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;
use crate::page::Asked;

/// An app as callers see it.
#[derive(Serialize)]
struct AppView<'a> {
    id: &'a AppId,
    client_id: &'a ClientId,
    name: &'a str,
    redirect_uris: &'a [RedirectUri],
    grant_types: &'a [GrantType],
    scopes: Option<&'a ScopeSet>,
    confidential: bool,
    created_at: Timestamp,
    created_by: &'a str,
}

impl<'a> AppView<'a> {
    fn of(client_id: &'a ClientId, app: &'a OauthApp) -> Self {
        Self {
            id: &app.id,
            client_id,
            name: &app.name,
            redirect_uris: &app.redirect_uris,
            grant_types: &app.grant_types,
            scopes: app.scopes.as_ref(),
            confidential: app.is_confidential(),
            created_at: app.created_at,
            created_by: &app.created_by,
        }
    }
}

/// An app with its secret, for the one answer that holds it; `null` where it has none, or was answered before.
#[derive(Serialize)]
struct NewSecretView<'a> {
    #[serde(flatten)]
    app: AppView<'a>,
    client_secret: Option<&'a str>,
}

/// A page of the client's apps, by id.
pub(crate) async fn list(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    caller.admin()?;
    let client = caller.client_id();
    let asked = Asked::read(request, format!("apps of {client}"), |id| AppId::parse(id).is_some())?;
    let page = app.store.app_list(client, asked.limit, asked.after.as_deref()).await?;
    let data = page.items.iter().map(|item| AppView::of(client, item)).collect();
    Ok(edge::ok(&asked.answer(data, page.next.as_deref())))
}

/// One app.
pub(crate) async fn get(app: &App, caller: &Caller, id: &AppId) -> Result<Reply, ApiError> {
    Ok(edge::ok(&AppView::of(caller.client_id(), &read(app, caller, id).await?)))
}

/// One app, to those who manage the client.
async fn read(app: &App, caller: &Caller, id: &AppId) -> Result<OauthApp, ApiError> {
    caller.admin()?;
    app.store.app_of_client(caller.client_id(), id).await?.ok_or(ApiError::NotFound)
}

/// Takes an app away: its tokens, and what users have granted to it, end with it.
pub(crate) async fn remove(app: &App, caller: &Caller, id: &AppId) -> Result<Reply, ApiError> {
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let seen = read(app, caller, id).await?;
        let deed = Deed::new(Action::AppRemoved, id).with("name", &seen.name);
        if app.store.app_remove(caller.client_id(), &seen, deed, &caller.act).await? == AppChanged::Done {
            return Ok(edge::no_content());
        }
    }
}
