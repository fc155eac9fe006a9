//! The two seeds' own forms of the exchange: one decision, two shapes.

use std::net::IpAddr;
use std::sync::Arc;

use domain::{KeyRecord, KeyRefusal, Moment, PresentedKey, ScopeSet, WorkspaceId};
use edge::{ApiError, Reply, Request};
use identity::Named;
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
    let asked =
        Asked { scopes: form.scopes.as_ref(), workspace: form.workspace_id, address: edge::source_address(request) };
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
    let refused = |reason: KeyRefusal| ApiError::Unauthorized(reason.into());
    let presented = PresentedKey::parse(api_key).map_err(|_| refused(KeyRefusal::Unknown))?;
    let record = match app.identity.key_id(&presented, now).await? {
        Some(id) => app.store.key_by_id(&id).await?.map(Arc::new),
        None => None,
    };
    let proved = KeyRecord::check(record.as_deref(), &presented, now.timestamp()).map_err(refused)?;
    proved.record.check_address(asked.address).map_err(refused)?;
    let key = record.as_ref().ok_or_else(|| refused(KeyRefusal::Unknown))?;
    let footing = app.identity.footing(key, &asked.workspace.map_or(Named::None, Named::One), now).await?;
    let client = app.identity.client(&key.client_id, now).await?.ok_or_else(|| refused(KeyRefusal::Unknown))?;
    let lifetime = client.settings.token_lifetime.unwrap_or(lifetime);
    let workspace = footing.reach.as_deref().map_err(|unreachable| *unreachable);
    let held = footing.scopes(key);
    let grant = domain::grant(proved, held, workspace, asked.scopes, lifetime, &app.access, now.timestamp())?;
    let token = app.signing_key.sign(&grant.claims(&app.issuer), &app.identity, now).await?;
    app.usage.exchanged(grant.key, grant.key.payer(grant.workspace), now);
    app.usage.flush_if_due(now).await;
    Ok(Exchanged { token, expires_in: grant.expires_in(), scopes: grant.scopes })
}
