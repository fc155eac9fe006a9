//! A key's record as callers see it.

use domain::{ClientId, Environment, KeyId, KeyRecord, ScopeSet, Timestamp, UserId, WorkspaceId};
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
    created_by: &'a str,
    revoked_at: Option<Timestamp>,
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
            created_by: &record.created_by,
            revoked_at: record.revoked_at,
        }
    }
}
