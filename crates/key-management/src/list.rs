//! `GET …/api_keys`.

use domain::{Environment, KeyId, Moment, Timestamp, WorkspaceId};
use edge::{ApiError, Query, Reply, Request};
use serde::Serialize;
use store::key_list::{KeyFilter, KeyPosition};

use crate::App;
use crate::caller::Caller;
use crate::record::{RecordView, Shown};

const PARAMETERS: [&str; 6] = ["type", "workspace_id", "environment", "revoked", "limit", "cursor"];

#[derive(Serialize)]
struct ListAnswer<'a> {
    data: Vec<RecordView<'a>>,
    next_cursor: Option<String>,
}

/// Lists the client's keys, oldest first; a test key sees test keys alone, and who manages without `keys:manage` their own.
pub(crate) async fn list(app: &App, caller: &Caller, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    let query = Query::read(request, &PARAMETERS)?;
    let limit = query.limit()?;
    let mut filter = KeyFilter {
        kind: query.parsed("type", "`workspace` or `personal`", |text| match text {
            "workspace" => Some("workspace"),
            "personal" => Some("personal"),
            _ => None,
        })?,
        owner_user_id: None,
        workspace_id: query.parsed("workspace_id", "a workspace's id", WorkspaceId::parse)?,
        environment: query.parsed("environment", "`live` or `test`", Environment::parse)?,
        revoked: query.parsed("revoked", "`true` or `false`", |text| text.parse().ok())?,
        managed_by: caller.manages_only(),
    };
    if let Some(environment) = filter.environment {
        caller.may_manage(environment)?;
    }
    filter.environment = filter.environment.or(caller.held_to());
    let list = format!("keys {} {filter:?}", caller.client_id());
    let after = query.parsed("cursor", "one that this list has given", |text| Some(text.to_owned()))?;
    let after = after.map(|cursor| read_position(&edge::decode_cursor(&list, &cursor)?)).transpose()?;

    let page = app.store.key_list(caller.client_id(), &filter, limit, after.as_ref()).await?;
    let shown = Shown::page(app, caller.client_id(), &page.keys, now).await?;
    Ok(edge::ok(&ListAnswer {
        data: page.keys.iter().zip(&shown).map(|(key, shown)| RecordView::of(key, shown)).collect(),
        next_cursor: page.next.map(|next| edge::encode_cursor(&list, &format!("{} {}", next.created_at, next.id))),
    }))
}

fn read_position(place: &str) -> Result<KeyPosition, ApiError> {
    place
        .split_once(' ')
        .and_then(|(at, id)| Some(KeyPosition { created_at: Timestamp::parse(at)?, id: KeyId::parse(id)? }))
        .ok_or_else(|| ApiError::BadRequest("The cursor is not of this list".to_owned()))
}
