//! `POST …/api_keys`.

use domain::{
    AllowedAddresses, Client, Environment, KeyKind, Metadata, Moment, NewKey, PlainKey, ScopeSet, Timestamp, UserId,
    WorkspaceId,
};
use edge::{ApiError, Body, Repeatable, Reply, Request, StatusCode};
use serde::Deserialize;
use store::keys::KeyCreated;

use crate::App;
use crate::caller::Caller;
use crate::record::{NewKeyView, Shown};

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
    allowed_ips: Option<AllowedAddresses>,
    metadata: Option<Metadata>,
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
pub(crate) async fn create(app: &App, caller: &Caller, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    let form: CreateForm = edge::json(request)?;
    let name = edge::checked_name(&form.name)?;
    let repeatable = Repeatable::read(request)?;
    let at = now.timestamp();
    let allowed_ips = form.allowed_ips.clone().unwrap_or_default();
    caller.may_manage(form.environment)?;
    caller.may_grant_until(form.expires_at)?;
    caller.may_grant_from(&allowed_ips)?;
    let client = app.store.client_by_id(caller.client_id()).await?.ok_or(ApiError::NotFound)?;
    let scopes = form.scopes.clone().unwrap_or_else(|| client.settings.default_scopes.clone());
    caller.may_give(&scopes, &app.access)?;
    let (kind, payer) = owner(app, caller, &client, &form).await?;
    if let Some(reply) = repeatable.answered(&app.store, caller.client_id(), at).await? {
        return of_owner(reply, &kind);
    }
    // A repeated call is answered after that time, too.
    if form.expires_at.is_some_and(|end| end <= at) {
        return Err(ApiError::BadRequest("`expires_at` must be in the future".to_owned()));
    }
    let prefix = client.settings.key_prefix.clone().unwrap_or_else(|| form.environment.default_prefix());
    let plain = PlainKey::random(&prefix);
    let record = NewKey {
        client_id: client.id,
        name,
        kind,
        environment: form.environment,
        scopes,
        created_at: at,
        created_by: caller.actor(),
        expires_at: form.expires_at,
        allowed_ips,
        metadata: form.metadata.unwrap_or_default(),
    }
    .record(&plain);
    let shown = Shown::new_key(payer);
    let kept = repeatable.keep(StatusCode::CREATED, &NewKeyView::of(None, &record, &shown));
    // Boxed: the future of a transaction is large, and is part of everything that waits for it.
    match Box::pin(app.store.key_create(&record, &caller.act, kept.as_ref())).await? {
        KeyCreated::Done => Ok(edge::with_status(StatusCode::CREATED, &NewKeyView::of(Some(&plain), &record, &shown))),
        KeyCreated::AnsweredBefore => {
            let reply = repeatable.answered_beside(&app.store, caller.client_id(), at).await?;
            of_owner(reply, &record.kind)
        }
    }
}

/// A kept answer, for whom it was given. All users of a client share their names of calls, and the bodies by which two of
/// them make their personal keys are alike.
fn of_owner(reply: Reply, kind: &KeyKind) -> Result<Reply, ApiError> {
    #[derive(Deserialize)]
    struct Kept {
        record: KeptRecord,
    }
    #[derive(Deserialize)]
    struct KeptRecord {
        owner_user_id: Option<UserId>,
    }
    let KeyKind::Personal(owner) = kind else { return Ok(reply) };
    let kept = match reply.body() {
        Body::Text(text) => serde_json::from_str::<Kept>(text).ok(),
        _ => None,
    };
    match kept {
        Some(kept) if kept.record.owner_user_id.as_ref() == Some(owner) => Ok(reply),
        _ => Err(ApiError::Conflict("This `Idempotency-Key` was used for another request".to_owned())),
    }
}

/// Whose key it becomes, and who pays for it.
async fn owner(app: &App, caller: &Caller, client: &Client, form: &CreateForm) -> Result<(KeyKind, UserId), ApiError> {
    let bad = |message: &str| Err(ApiError::BadRequest(message.to_owned()));
    match (form.kind, caller.user_id()) {
        (Kind::Personal, _) if form.workspace_id.is_some() => {
            bad("A personal key belongs to no workspace: leave `workspace_id` out")
        }
        (Kind::Personal, None) => bad("A personal key belongs to the calling user, and this credential has none"),
        (Kind::Personal, Some(user)) => Ok((KeyKind::Personal(user.clone()), user.clone())),
        (Kind::Workspace, _) => {
            let id = form.workspace_id.as_ref().unwrap_or(&client.default_workspace_id);
            caller.may_make_for(id)?;
            let Some(workspace) = app.store.workspace_by_id(&client.id, id).await? else {
                return bad("`workspace_id` names no workspace of this client");
            };
            caller.may_work_in(&workspace)?;
            Ok((KeyKind::Workspace(workspace.id), workspace.owner_user_id))
        }
    }
}
