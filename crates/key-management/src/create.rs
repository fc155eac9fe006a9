//! `POST …/api_keys`.

use domain::{Client, Environment, KeyKind, NewKey, PlainKey, ScopeSet, Timestamp, UserId, WorkspaceId};
use edge::{ApiError, Reply, Request};
use serde::Deserialize;

use crate::App;
use crate::caller::Caller;
use crate::record::NewKeyView;

/// The longest name of a key, in characters.
const MAX_NAME: usize = 100;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CreateForm {
    name: String,
    #[serde(rename = "type", default)]
    kind: Kind,
    workspace_id: Option<WorkspaceId>,
    #[serde(default = "live")]
    environment: Environment,
    scopes: Option<ScopeSet>,
    expires_at: Option<Timestamp>,
}

#[derive(Clone, Copy, Default, Deserialize)]
#[serde(try_from = "String")]
enum Kind {
    #[default]
    Workspace,
    Personal,
}

impl TryFrom<String> for Kind {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        match name.as_str() {
            "workspace" => Ok(Self::Workspace),
            "personal" => Ok(Self::Personal),
            _ => Err("expected `workspace` or `personal`"),
        }
    }
}

fn live() -> Environment {
    Environment::Live
}

/// Makes a key; the answer is the only one that holds its string.
pub(crate) async fn create(app: &App, caller: &Caller, request: &Request, now: Timestamp) -> Result<Reply, ApiError> {
    let form: CreateForm = edge::json(request)?;
    let name = checked_name(&form.name)?;
    if form.expires_at.is_some_and(|end| end <= now) {
        return Err(ApiError::BadRequest("`expires_at` must be in the future".to_owned()));
    }
    caller.may_manage(form.environment)?;
    caller.may_grant_until(form.expires_at)?;
    let client = app.store.client_by_id(caller.client_id()).await?.ok_or(ApiError::NotFound)?;
    let scopes = form.scopes.clone().unwrap_or_else(|| client.settings.default_scopes.clone());
    caller.may_give(&scopes, &app.access)?;
    let (kind, billed_to) = owner(app, caller, &client, &form).await?;
    let prefix = client.settings.key_prefix.unwrap_or_else(|| form.environment.default_prefix());
    let plain = PlainKey::random(&prefix);
    let record = NewKey {
        client_id: client.id,
        name,
        kind,
        environment: form.environment,
        scopes,
        billed_to,
        created_at: now,
        created_by: caller.actor(),
        expires_at: form.expires_at,
    }
    .record(&plain);
    app.store.key_create(&record).await?;
    Ok(NewKeyView::reply(&plain, &record))
}

pub(crate) fn checked_name(name: &str) -> Result<String, ApiError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > MAX_NAME || name.chars().any(char::is_control) {
        return Err(ApiError::BadRequest(format!("`name` must have 1 to {MAX_NAME} printable characters")));
    }
    if PlainKey::is_in(name) {
        return Err(ApiError::BadRequest("`name` holds an API key, and names are shown".to_owned()));
    }
    Ok(name.to_owned())
}

/// Whose key it becomes, and who pays for it.
async fn owner(app: &App, caller: &Caller, client: &Client, form: &CreateForm) -> Result<(KeyKind, UserId), ApiError> {
    let bad = |message: &str| Err(ApiError::BadRequest(message.to_owned()));
    match (form.kind, caller.user_id()) {
        (Kind::Personal, _) if form.workspace_id.is_some() => {
            bad("A personal key belongs to no workspace: leave `workspace_id` out")
        }
        (Kind::Personal, None) => bad("A personal key belongs to the calling user, and this credential has none"),
        // It would open nothing yet: which workspaces a user reaches is not kept.
        (Kind::Personal, Some(_)) => bad("Personal keys can't be made yet"),
        (Kind::Workspace, _) => {
            let id = form.workspace_id.as_ref().unwrap_or(&client.default_workspace_id);
            match app.store.workspace_by_id(&client.id, id).await? {
                Some(workspace) => Ok((KeyKind::Workspace(workspace.id), workspace.owner_user_id)),
                None => bad("`workspace_id` names no workspace of this client"),
            }
        }
    }
}
