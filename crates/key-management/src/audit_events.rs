//! `GET …/audit_events`.

use domain::{Action, AuditEvent, Environment, Moment, Scope, Timestamp};
use edge::{ApiError, Query, Reply, Request};
use identity::Principal;
use serde::Serialize;
use store::audit::{AuditFilter, AuditPosition};

use crate::App;

/// The scope that this takes: events tell of everybody in the client.
const ADMIN: &str = "admin";
const PARAMETERS: [&str; 7] = ["actor", "action", "object", "from", "to", "limit", "cursor"];
/// The longest id to look for.
const MAX_ID: usize = 128;

#[derive(Serialize)]
struct ListAnswer {
    data: Vec<AuditEvent>,
    next_cursor: Option<String>,
}

/// Lists the client's events, oldest first.
pub(crate) async fn list(app: &App, request: &Request, client: &str, now: Moment) -> Result<Reply, ApiError> {
    let caller = edge::caller(&app.identity, request, client, now).await?;
    may_read(&caller)?;
    let query = Query::read(request, &PARAMETERS)?;
    let limit = query.limit()?;
    let filter = filter(&query)?;
    let list = format!("audit_events {} {filter:?}", caller.client_id());
    let after = query.parsed("cursor", "one that this list has given", |text| Some(text.to_owned()))?;
    let after = after.map(|cursor| {
        let place = edge::decode_cursor(&list, &cursor)?;
        AuditPosition::parse(&place, caller.client_id(), &filter)
            .ok_or_else(|| ApiError::BadRequest("The cursor is not of this list".to_owned()))
    });

    let page = app.store.audit_list(caller.client_id(), &filter, limit, after.transpose()?.as_ref()).await?;
    Ok(edge::ok(&ListAnswer {
        next_cursor: page.next.map(|next| edge::encode_cursor(&list, &next.to_string())),
        data: page.events,
    }))
}

/// # Errors
/// 403 without the scope, and for a test key: what it would see is of live ones, too.
fn may_read(caller: &Principal) -> Result<(), ApiError> {
    if let Some(scope) = Scope::parse(ADMIN).filter(|scope| !caller.covers(scope)) {
        return Err(ApiError::lacks(&scope));
    }
    if caller.environment() == Environment::Test {
        return Err(ApiError::Forbidden("A test key reads no audit log".to_owned()));
    }
    Ok(())
}

fn filter(query: &Query) -> Result<AuditFilter, ApiError> {
    let id = |name| query.parsed(name, "an id of 1 to 128 printable characters", read_id);
    let time = |name| query.parsed(name, "an RFC 3339 time such as 2026-04-11T12:00:00Z", Timestamp::parse);
    let action = query.parsed("action", "an action such as `key.created`", |text| {
        Action::ALL.iter().map(|action| action.as_str()).find(|name| *name == text).map(str::to_owned)
    })?;
    let filter =
        AuditFilter { actor: id("actor")?, action, object: id("object")?, from: time("from")?, to: time("to")? };
    match (filter.from, filter.to) {
        (Some(from), Some(to)) if from > to => {
            Err(ApiError::BadRequest("`from` must not be later than `to`".to_owned()))
        }
        _ => Ok(filter),
    }
}

fn read_id(text: &str) -> Option<String> {
    let fits = (1..=MAX_ID).contains(&text.len()) && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
    fits.then(|| text.to_owned())
}
