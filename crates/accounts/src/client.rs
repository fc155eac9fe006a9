//! `GET` and `PATCH` of the client itself.

use domain::{Action, Client, ClientId, Deed, KeyPrefix, ScopeSet, Timestamp, UserId, WorkspaceId};
use edge::{ApiError, Given, Reply, Request, checked_name};
use serde::{Deserialize, Serialize};
use store::account_change::{AccountChange, AccountChanged, Edit};

use crate::App;
use crate::again::Attempts;
use crate::caller::Caller;
use crate::form::bad;

/// The client as callers see it.
#[derive(Serialize)]
struct ClientView<'a> {
    id: &'a ClientId,
    name: &'a str,
    slug: &'a str,
    status: &'static str,
    tier: &'static str,
    owner_user_id: &'a UserId,
    default_workspace_id: &'a WorkspaceId,
    key_prefix: Option<&'a str>,
    token_lifetime: Option<i64>,
    default_scopes: &'a ScopeSet,
    created_at: Timestamp,
}

impl<'a> ClientView<'a> {
    fn of(client: &'a Client) -> Self {
        Self {
            id: &client.id,
            name: &client.name,
            slug: &client.slug,
            // Every client is, so far.
            status: "active",
            tier: "standard",
            owner_user_id: &client.owner_user_id,
            default_workspace_id: &client.default_workspace_id,
            key_prefix: client.settings.key_prefix.as_ref().map(KeyPrefix::as_str),
            token_lifetime: client.settings.token_lifetime,
            default_scopes: &client.settings.default_scopes,
            created_at: client.created_at,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct UpdateForm {
    name: Option<String>,
    #[serde(default)]
    key_prefix: Given<String>,
    #[serde(default)]
    token_lifetime: Given<i64>,
    default_scopes: Option<ScopeSet>,
}

/// The client, to every caller of it.
pub(crate) async fn get(app: &App, caller: &Caller) -> Result<Reply, ApiError> {
    Ok(edge::ok(&ClientView::of(&read(app, caller).await?)))
}

/// The caller's client, as it is now.
pub(crate) async fn read(app: &App, caller: &Caller) -> Result<Client, ApiError> {
    app.store.client_by_id(caller.client_id()).await?.ok_or(ApiError::NotFound)
}

/// Changes what is given. The slug stays what it was at sign-up: others know the client by it.
pub(crate) async fn update(app: &App, caller: &Caller, request: &Request) -> Result<Reply, ApiError> {
    caller.admin()?;
    let form: UpdateForm = edge::json(request)?;
    let name = form.name.as_deref().map(checked_name).transpose()?;
    let key_prefix = form.key_prefix.read(|text| {
        KeyPrefix::parse(&text).ok_or_else(|| bad("`key_prefix` must be 2 to 20 characters of A-Z, a-z, 0-9, _ and -"))
    })?;
    let token_lifetime = form.token_lifetime.read(|seconds| {
        let known = Client::TOKEN_LIFETIMES.contains(&seconds);
        if known { Ok(seconds) } else { Err(bad("`token_lifetime` must be 60 to 3600 seconds")) }
    })?;
    if let Some(scopes) = &form.default_scopes {
        caller.gives("default_scopes", scopes, &app.access)?;
    }
    let mut attempts = Attempts::default();
    loop {
        attempts.next().await?;
        let before = read(app, caller).await?;
        let mut after = before.clone();
        if let Some(name) = &name {
            after.name.clone_from(name);
        }
        key_prefix.clone().put(&mut after.settings.key_prefix);
        token_lifetime.put(&mut after.settings.token_lifetime);
        if let Some(scopes) = &form.default_scopes {
            after.settings.default_scopes = scopes.clone();
        }
        if after == before {
            return Ok(edge::ok(&ClientView::of(&after)));
        }
        let deed = deed(&before, &after);
        let client = Some(Edit::Changed { before, after: after.clone() });
        let change = AccountChange { client, ..AccountChange::default() };
        let made = caller.make(app, &change, deed, None).await?;
        if made == AccountChanged::Done {
            return Ok(edge::ok(&ClientView::of(&after)));
        }
    }
}

/// What the audit log says: what has changed, as it is from now on.
fn deed(before: &Client, after: &Client) -> Deed {
    let (old, new) = (ClientView::of(before), ClientView::of(after));
    let mut deed = Deed::new(Action::ClientUpdated, &after.id);
    if old.name != new.name {
        deed = deed.with("name", new.name);
    }
    if old.key_prefix != new.key_prefix {
        deed = deed.with("key_prefix", new.key_prefix);
    }
    if old.token_lifetime != new.token_lifetime {
        deed = deed.with("token_lifetime", new.token_lifetime);
    }
    if old.default_scopes != new.default_scopes {
        deed = deed.with("default_scopes", new.default_scopes);
    }
    deed
}
