//! A key's record as callers see it.

use std::collections::BTreeMap;

use domain::{ClientId, Environment, KeyId, KeyRecord, PlainKey, ScopeSet, Timestamp, UserId, WorkspaceId};
use edge::{Reply, StatusCode};
use serde::Serialize;

/// The record: never the string, never its hash.
#[derive(Serialize)]
pub(crate) struct RecordView<'a> {
    id: &'a KeyId,
    client_id: &'a ClientId,
    name: &'a str,
    fingerprint: String,
    revoked: bool,
    created_at: Timestamp,
    #[serde(rename = "type")]
    kind: &'static str,
    environment: Environment,
    prefix: &'a str,
    scopes: &'a ScopeSet,
    owner_user_id: Option<&'a UserId>,
    workspace_id: Option<&'a WorkspaceId>,
    billed_to: &'a UserId,
    expires_at: Option<Timestamp>,
    rotation_due_at: Timestamp,
    previous_secret_expires_at: Option<Timestamp>,
    created_by: &'a str,
    revoked_at: Option<Timestamp>,
    #[serde(flatten)]
    not_kept_yet: NotKeptYet,
}

/// Members of every record that nothing can set yet, and when the key was last used, which is not known: clients find
/// them in their places, empty.
#[derive(Default, Serialize)]
struct NotKeptYet {
    last_used_at: Option<Timestamp>,
    allowed_ips: [&'static str; 0],
    rate_limit: Option<()>,
    quota: Option<()>,
    metadata: BTreeMap<&'static str, &'static str>,
}

/// A key's string with its record: the one answer that holds it.
#[derive(Serialize)]
pub(crate) struct NewKeyView<'a> {
    raw_key: &'a str,
    record: RecordView<'a>,
}

impl<'a> NewKeyView<'a> {
    /// 201 with both.
    pub(crate) fn reply(plain: &'a PlainKey, record: &'a KeyRecord) -> Reply {
        let view = Self { raw_key: plain.expose(), record: RecordView::of(record) };
        edge::with_status(StatusCode::CREATED, &view)
    }
}

impl<'a> RecordView<'a> {
    pub(crate) fn of(record: &'a KeyRecord) -> Self {
        Self {
            id: &record.id,
            client_id: &record.client_id,
            name: &record.name,
            fingerprint: record.hash.fingerprint(),
            revoked: record.revoked_at.is_some(),
            created_at: record.created_at,
            kind: record.kind.name(),
            environment: record.environment,
            prefix: record.prefix.as_str(),
            scopes: &record.scopes,
            owner_user_id: record.owner_user_id(),
            workspace_id: record.workspace_id(),
            billed_to: &record.billed_to,
            expires_at: record.expires_at,
            rotation_due_at: record.rotation_due_at(),
            previous_secret_expires_at: record.previous_secret.as_ref().map(|secret| secret.expires_at),
            created_by: &record.created_by,
            revoked_at: record.revoked_at,
            not_kept_yet: NotKeptYet::default(),
        }
    }
}
