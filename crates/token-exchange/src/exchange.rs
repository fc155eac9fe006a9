//! A key exchanged for a token: one decision, in the two seeds' own forms here, and in OAuth's in [`crate::oauth`].

use std::net::IpAddr;
use std::sync::Arc;

use domain::{
    Access, Client, Grant, GrantError, KeyRecord, KeyRefusal, Moment, PresentedKey, Proved, ScopeSet, SecretVersion,
    WorkspaceId, grant,
};
use edge::{ApiError, Reply, Request};
use identity::{Footing, Named};
use serde::{Deserialize, Serialize};

use crate::App;

/// How long a token lives that SIMCEL's form gives, in seconds, where the client has set nothing else.
const SIMCEL_LIFETIME: i64 = 3600;
/// How long one lives that Simbee's form gives.
const SIMBEE_LIFETIME: i64 = 900;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SimcelAnswer {
    access_token: String,
    expires_in: i64,
    token_type: &'static str,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SimbeeForm {
    api_key: String,
    scopes: Option<ScopeSet>,
    workspace_id: Option<WorkspaceId>,
}

#[derive(Serialize)]
struct SimbeeAnswer {
    data: SimbeeToken,
}

#[derive(Serialize)]
struct SimbeeToken {
    token: String,
    expires_in: i64,
    scopes: ScopeSet,
}

/// A signed token and what it says.
struct Exchanged {
    token: String,
    expires_in: i64,
    scopes: ScopeSet,
}

/// `POST /auth/token` with `{"apiKey"}`.
pub(crate) async fn simcel(app: &App, api_key: &str, asked: Asked<'_>, now: Moment) -> Result<Reply, ApiError> {
    let done = exchange(app, api_key, asked, SIMCEL_LIFETIME, now).await?;
    Ok(edge::ok(&SimcelAnswer { access_token: done.token, expires_in: done.expires_in, token_type: "Bearer" }))
}

/// `POST /auth/exchange` with `{"api_key"}`.
pub(crate) async fn simbee(app: &App, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    let form: SimbeeForm = edge::json(request)?;
    let asked = Asked { scopes: form.scopes.as_ref(), workspace: form.workspace_id, address: request.source_address() };
    let done = exchange(app, &form.api_key, asked, SIMBEE_LIFETIME, now).await?;
    let Exchanged { token, expires_in, scopes } = done;
    Ok(edge::ok(&SimbeeAnswer { data: SimbeeToken { token, expires_in, scopes } }))
}

/// What is asked for beside the key itself.
pub(crate) struct Asked<'a> {
    /// Fewer scopes than the key's.
    pub(crate) scopes: Option<&'a ScopeSet>,
    /// The workspace that the token is for.
    pub(crate) workspace: Option<WorkspaceId>,
    /// Where from.
    pub(crate) address: Option<IpAddr>,
}

/// `lifetime` holds where the client has set none.
async fn exchange(
    app: &App,
    api_key: &str,
    asked: Asked<'_>,
    lifetime: i64,
    now: Moment,
) -> Result<Exchanged, ApiError> {
    let holder = prove(app, api_key, asked.workspace, asked.address, now).await?;
    let grant = holder.grant(asked.scopes, lifetime, &app.access, now)?;
    let token = app.signing_key.sign(&grant.claims(&app.issuer), &app.identity, now).await?;
    let (expires_in, scopes) = (grant.expires_in(), grant.scopes.clone());
    count(app, &grant, now).await;
    Ok(Exchanged { token, expires_in, scopes })
}

/// Whoever has proved to hold a key, and what the key stands on.
pub(crate) struct Holder {
    pub(crate) key: Arc<KeyRecord>,
    version: SecretVersion,
    footing: Footing,
    client: Arc<Client>,
}

/// Judges a key string by a strong read of its record, from an address and for a workspace.
///
/// # Errors
/// [`ApiError::Unauthorized`] for whatever does not count, [`ApiError::Unavailable`].
pub(crate) async fn prove(
    app: &App,
    api_key: &str,
    workspace: Option<WorkspaceId>,
    address: Option<IpAddr>,
    now: Moment,
) -> Result<Holder, ApiError> {
    let refused = |reason: KeyRefusal| ApiError::Unauthorized(reason.into());
    let presented = PresentedKey::parse(api_key).map_err(|_| refused(KeyRefusal::Unknown))?;
    let record = match app.identity.key_id(&presented, now).await? {
        Some(id) => app.store.key_by_id(&id).await?.map(Arc::new),
        None => None,
    };
    let proved = KeyRecord::check(record.as_deref(), &presented, now.timestamp()).map_err(refused)?;
    proved.record.check_address(address).map_err(refused)?;
    let version = proved.version;
    let key = record.ok_or_else(|| refused(KeyRefusal::Unknown))?;
    let footing = app.identity.footing(&key, &workspace.map_or(Named::None, Named::One), now).await?;
    let client = app.identity.client(&key.client_id, now).await?.ok_or_else(|| refused(KeyRefusal::Unknown))?;
    Ok(Holder { key, version, footing, client })
}

impl Holder {
    /// What the key is exchanged for. `lifetime` holds where the client has set none, in seconds.
    ///
    /// # Errors
    /// [`GrantError`].
    pub(crate) fn grant(
        &self,
        asked: Option<&ScopeSet>,
        lifetime: i64,
        access: &Access,
        now: Moment,
    ) -> Result<Grant<'_>, GrantError> {
        let proved = Proved { record: &self.key, version: self.version };
        let lifetime = self.client.settings.token_lifetime.unwrap_or(lifetime);
        let workspace = self.footing.reach.as_deref().map_err(|unreachable| *unreachable);
        grant(proved, self.footing.scopes(&self.key), workspace, asked, lifetime, access, now.timestamp())
    }
}

/// Counts an exchange.
pub(crate) async fn count(app: &App, grant: &Grant<'_>, now: Moment) {
    app.usage.exchanged(grant.key, grant.key.payer(grant.workspace), now);
    app.usage.flush_if_due(now).await;
}
