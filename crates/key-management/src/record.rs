//! A key's record as callers see it.

use domain::{
    AllowedAddresses, ClientId, Environment, KeyId, KeyKind, KeyRecord, Metadata, Moment, PlainKey, ScopeSet,
    Timestamp, UserId, WorkspaceId,
};
use edge::ApiError;
use serde::Serialize;

use crate::App;

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
    billed_to: Option<&'a UserId>,
    expires_at: Option<Timestamp>,
    last_used_at: Option<Timestamp>,
    rotation_due_at: Timestamp,
    previous_secret_expires_at: Option<Timestamp>,
    allowed_ips: &'a AllowedAddresses,
    // Nothing can set these yet: clients find them in their places, empty.
    rate_limit: Option<()>,
    quota: Option<()>,
    metadata: &'a Metadata,
    created_by: &'a str,
    revoked_at: Option<Timestamp>,
}

/// What a view says beyond the record: who pays for the key, and when it was last used.
pub(crate) struct Shown {
    /// Unknown where the key's workspace is gone, which nothing does.
    billed_to: Option<UserId>,
    last_used_at: Option<Timestamp>,
}

/// A key's string with its record: the one answer that holds it, and its repetition, which does not.
#[derive(Serialize)]
pub(crate) struct NewKeyView<'a> {
    raw_key: Option<&'a str>,
    record: RecordView<'a>,
}

impl<'a> NewKeyView<'a> {
    pub(crate) fn of(plain: Option<&'a PlainKey>, record: &'a KeyRecord, shown: &'a Shown) -> Self {
        Self { raw_key: plain.map(PlainKey::expose), record: RecordView::of(record, shown) }
    }
}

impl Shown {
    /// Of a key that nobody has used.
    pub(crate) fn new_key(billed_to: UserId) -> Self {
        Self { billed_to: Some(billed_to), last_used_at: None }
    }

    /// Of one key: one read, while the workspace is known.
    pub(crate) async fn one(app: &App, record: &KeyRecord, now: Moment) -> Result<Self, ApiError> {
        let last_used_at = app.store.last_used_of(&record.client_id, &record.id).await?;
        Ok(Self { billed_to: payer(app, record, now).await?, last_used_at })
    }

    /// Of a page of a client's keys, in their order: one read, while the workspaces are known.
    pub(crate) async fn page(
        app: &App,
        client: &ClientId,
        records: &[KeyRecord],
        now: Moment,
    ) -> Result<Vec<Self>, ApiError> {
        let used = app.store.last_used(client, records.iter().map(|record| &record.id)).await?;
        let mut shown = Vec::with_capacity(records.len());
        for record in records {
            let last_used_at = used.get(&record.id).copied();
            shown.push(Self { billed_to: payer(app, record, now).await?, last_used_at });
        }
        Ok(shown)
    }
}

/// Who pays for a key now: its user, or its workspace's owner.
async fn payer(app: &App, record: &KeyRecord, now: Moment) -> Result<Option<UserId>, ApiError> {
    match &record.kind {
        KeyKind::Personal(user) => Ok(Some(user.clone())),
        KeyKind::Workspace(id) => {
            let workspace = app.identity.workspace(&record.client_id, id, now).await?;
            Ok(workspace.map(|workspace| record.payer(&workspace).clone()))
        }
    }
}

impl<'a> RecordView<'a> {
    pub(crate) fn of(record: &'a KeyRecord, shown: &'a Shown) -> Self {
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
            billed_to: shown.billed_to.as_ref(),
            expires_at: record.expires_at,
            last_used_at: shown.last_used_at,
            rotation_due_at: record.rotation_due_at(),
            previous_secret_expires_at: record.previous_secret.as_ref().map(|secret| secret.expires_at),
            allowed_ips: &record.allowed_ips,
            rate_limit: None,
            quota: None,
            metadata: &record.metadata,
            created_by: &record.created_by,
            revoked_at: record.revoked_at,
        }
    }
}
