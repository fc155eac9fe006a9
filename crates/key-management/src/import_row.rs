//! One row of an import.

use std::collections::HashMap;
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use domain::address_range::AddressRange;
use domain::{
    AllowedAddresses, Client, Environment, HashedKey, KeyKind, KeyPattern, KeyRecord, Metadata, Moment, NewKey, Scope,
    ScopeSet, Timestamp, Workspace, WorkspaceId,
};
use edge::ApiError;
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::App;
use crate::caller::Caller;
use crate::import::NO_HASH;

/// A row as it is sent. Its members have their right types, or the whole call is malformed; what stands in them is judged row
/// by row.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RowForm {
    name: String,
    hash: String,
    encoding: String,
    scopes: Option<Vec<String>>,
    expires_at: Option<String>,
    workspace_id: Option<String>,
    environment: Option<String>,
    metadata: Option<Map<String, Value>>,
    allowed_ips: Option<Vec<String>>,
}

/// Reads the rows of one call, one after the other.
pub(crate) struct RowReader<'a> {
    app: &'a App,
    caller: &'a Caller,
    client: &'a Client,
    pattern: &'a KeyPattern,
    now: Moment,
    /// The rows that were good, by their hashes.
    places: HashMap<HashedKey, usize>,
    /// The workspaces of these ids, where there are such.
    workspaces: HashMap<WorkspaceId, Option<Arc<Workspace>>>,
}

impl<'a> RowReader<'a> {
    pub(crate) fn new(
        app: &'a App,
        caller: &'a Caller,
        client: &'a Client,
        pattern: &'a KeyPattern,
        now: Moment,
    ) -> Self {
        Self { app, caller, client, pattern, now, places: HashMap::new(), workspaces: HashMap::new() }
    }

    /// The record that a row becomes: what the caller could have made as a workspace's key.
    ///
    /// # Errors
    /// What is wrong with it; 403 where the caller may not make it.
    pub(crate) async fn read(&mut self, place: usize, row: &RowForm) -> Result<KeyRecord, ApiError> {
        let hash = read_hash(&row.hash, &row.encoding)?;
        let name = edge::checked_name(&row.name)?;
        if self.pattern.is_in(&name) {
            return Err(bad("`name` holds a key, and names are shown"));
        }
        let environment = match row.environment.as_deref() {
            None => Environment::Live,
            Some(name) => Environment::parse(name).ok_or_else(|| bad("`environment` must be `live` or `test`"))?,
        };
        let expires_at = row.expires_at.as_deref().map(|text| self.read_end(text)).transpose()?;
        let allowed_ips = row.allowed_ips.as_deref().map_or_else(|| Ok(AllowedAddresses::default()), read_addresses)?;
        let metadata = self.read_metadata(row.metadata.as_ref())?;
        let scopes = match row.scopes.as_deref() {
            None => self.client.settings.default_scopes.clone(),
            Some(names) => read_scopes(names)?,
        };
        self.caller.may_manage(environment)?;
        self.caller.may_grant_until(expires_at)?;
        self.caller.may_grant_from(&allowed_ips)?;
        self.caller.may_give(&scopes, &self.app.access)?;
        let workspace = self.workspace(row.workspace_id.as_deref()).await?;
        // Last, so that a row which is no good for another reason stands in nobody's way.
        if let Some(first) = self.places.get(&hash) {
            return Err(bad(&format!("`hash` is that of row {first}")));
        }
        self.places.insert(hash.clone(), place);
        let new = NewKey {
            client_id: self.client.id.clone(),
            name,
            kind: KeyKind::Workspace(workspace),
            environment,
            scopes,
            created_at: self.now.timestamp(),
            created_by: self.caller.actor(),
            expires_at,
            allowed_ips,
            metadata,
        };
        Ok(new.imported(hash, self.pattern))
    }

    fn read_end(&self, text: &str) -> Result<Timestamp, ApiError> {
        let end = Timestamp::parse(text).filter(|end| *end > self.now.timestamp());
        end.ok_or_else(|| bad("`expires_at` must be a time in the future, in UTC as RFC 3339 writes it"))
    }

    fn read_metadata(&self, members: Option<&Map<String, Value>>) -> Result<Metadata, ApiError> {
        let Some(members) = members else { return Ok(Metadata::default()) };
        let metadata = Metadata::new(members.clone()).map_err(|expected| bad(&format!("expected {expected}")))?;
        if self.pattern.is_in(&metadata.to_json()) {
            return Err(bad("`metadata` holds a key, and metadata is shown"));
        }
        Ok(metadata)
    }

    /// The workspace that the key is to belong to, where the caller may make keys for it.
    async fn workspace(&mut self, text: Option<&str>) -> Result<WorkspaceId, ApiError> {
        let unknown = || bad("`workspace_id` names no workspace of this client");
        let id = match text {
            None => self.client.default_workspace_id.clone(),
            Some(text) => WorkspaceId::parse(text).ok_or_else(unknown)?,
        };
        self.caller.may_make_for(&id)?;
        let workspace = match self.workspaces.get(&id) {
            Some(workspace) => workspace.clone(),
            None => self.app.identity.workspace(&self.client.id, &id, self.now).await?,
        };
        self.workspaces.insert(id.clone(), workspace.clone());
        self.caller.may_work_in(workspace.ok_or_else(unknown)?.as_ref())?;
        Ok(id)
    }
}

fn bad(reason: &str) -> ApiError {
    ApiError::BadRequest(reason.to_owned())
}

fn read_hash(text: &str, encoding: &str) -> Result<HashedKey, ApiError> {
    let hash = match encoding {
        "hex" => HashedKey::parse_hex(text),
        "base64" => STANDARD.decode(text).ok().and_then(|bytes| HashedKey::from_bytes(&bytes)),
        _ => return Err(bad("`encoding` must be `hex` or `base64`")),
    };
    hash.ok_or_else(|| bad(NO_HASH))
}

fn read_scopes(names: &[String]) -> Result<ScopeSet, ApiError> {
    let scopes = names.iter().map(|name| Scope::parse(name)).collect::<Option<Vec<_>>>();
    scopes.and_then(ScopeSet::new).ok_or_else(|| bad("`scopes` must be 1 to 50 scopes"))
}

fn read_addresses(ranges: &[String]) -> Result<AllowedAddresses, ApiError> {
    let ranges = ranges.iter().map(|range| AddressRange::parse(range)).collect::<Option<Vec<_>>>();
    ranges.and_then(AllowedAddresses::new).ok_or_else(|| {
        bad("`allowed_ips` must be 50 addresses or ranges at most, such as 192.0.2.0/24, no bits behind the prefix")
    })
}
