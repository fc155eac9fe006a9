//! The two seeds' own forms of the exchange: one decision, two shapes.

use domain::{KeyRefusal, Moment, PlainKey, ScopeSet};
use edge::{ApiError, Reply, Request};
use serde::{Deserialize, Serialize};

use crate::App;

/// How long a token lives that SIMCEL's form gives, in seconds.
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
pub(crate) async fn simcel(
    app: &App,
    api_key: &str,
    scopes: Option<&ScopeSet>,
    now: Moment,
) -> Result<Reply, ApiError> {
    let done = exchange(app, api_key, scopes, SIMCEL_LIFETIME, now).await?;
    Ok(edge::ok(&SimcelAnswer { access_token: done.token, expires_in: done.expires_in, token_type: "Bearer" }))
}

/// `POST /auth/exchange` with `{"api_key"}`.
pub(crate) async fn simbee(app: &App, request: &Request, now: Moment) -> Result<Reply, ApiError> {
    let form: SimbeeForm = edge::json(request)?;
    let done = exchange(app, &form.api_key, form.scopes.as_ref(), SIMBEE_LIFETIME, now).await?;
    let Exchanged { token, expires_in, scopes } = done;
    Ok(edge::ok(&SimbeeAnswer { data: SimbeeToken { token, expires_in, scopes } }))
}

async fn exchange(
    app: &App,
    api_key: &str,
    asked: Option<&ScopeSet>,
    lifetime: i64,
    now: Moment,
) -> Result<Exchanged, ApiError> {
    let presented = PlainKey::parse(api_key).map_err(|_| ApiError::Unauthorized(KeyRefusal::Unknown.into()))?;
    let record = app.store.key_by_string(&presented).await?;
    let grant = domain::grant(record.as_ref(), &presented, asked, lifetime, &app.access, now.timestamp())?;
    let token = app.signing_key.sign(&grant.claims(&app.issuer), now).await?;
    app.usage.exchanged(grant.key, now);
    app.usage.flush_if_due(now).await;
    Ok(Exchanged { token, expires_in: grant.expires_in(), scopes: grant.scopes })
}
