//! `…/users/{id}/grants`: what a user has allowed to apps, and taking it back.

use domain::{Action, AppId, Deed, GrantId, Resource, ScopeSet, Timestamp, UserId};
use edge::{ApiError, Reply, Request};
use serde::Serialize;
use store::grant_list::ListedGrant;

use super::read;
use crate::App;
use crate::caller::Caller;
use crate::page::Asked;

/// A grant as callers see it.
#[derive(Serialize)]
struct GrantView<'a> {
    id: &'a GrantId,
    app_id: &'a AppId,
    app_name: &'a str,
    scopes: &'a ScopeSet,
    resource: Option<&'a Resource>,
    created_at: Timestamp,
    last_refreshed_at: Option<Timestamp>,
    expires_at: Timestamp,
}

impl<'a> GrantView<'a> {
    fn of(ListedGrant { grant, app_name }: &'a ListedGrant) -> Self {
        Self {
            id: &grant.id,
            app_id: &grant.app_id,
            app_name,
            scopes: &grant.scopes,
            resource: grant.resource.as_ref(),
            created_at: grant.created_at,
            last_refreshed_at: grant.last_refreshed_at(),
            expires_at: grant.expires_at,
        }
    }
}

/// A page of a user's grants that count, by id.
pub(crate) async fn list(app: &App, caller: &Caller, request: &Request, user: &UserId) -> Result<Reply, ApiError> {
    caller.answers_for(user)?;
    read(app, caller, user).await?;
    let list = format!("grants {} {user}", caller.client_id());
    let asked = Asked::read(request, list, |place| GrantId::parse(place).is_some())?;
    let page = app.store.grant_list(user, asked.limit, asked.after.as_deref(), caller.act.at).await?;
    let data = page.items.iter().map(GrantView::of).collect();
    Ok(edge::ok(&asked.answer(data, page.next.as_deref())))
}

/// Takes a grant back: all tokens that hang on it end within five seconds. One that has ended stays so.
pub(crate) async fn end(app: &App, caller: &Caller, user: &UserId, id: &GrantId) -> Result<Reply, ApiError> {
    caller.answers_for(user)?;
    let grant = app.store.grant_by_id(id).await?;
    let grant = grant.filter(|grant| grant.client_id == *caller.client_id() && grant.user_id == *user);
    let grant = grant.ok_or(ApiError::NotFound)?;
    if grant.counts(caller.act.at) {
        let deed = Deed::new(Action::AppGrantEnded, &grant.app_id)
            .with("grant_id", id.as_str())
            .with("user_id", user)
            .with("scopes", &grant.scopes);
        app.store.grant_take_back(id, deed, &caller.act).await?;
    }
    Ok(edge::no_content())
}
