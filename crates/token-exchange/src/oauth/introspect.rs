//! `POST /oauth/introspect` (RFC 7662).
//!
//! 1. The caller is a client's app with a secret, or a credential of ours with the scope `admin`: a key as the client's
//!    secret, or a bearer's. Nobody else: a token's content is its client's own affair (section 4).
//! 2. An access token is judged as the authorizer judges it, by all that it hangs on, but for two things: whom it is for,
//!    since the asking resource is seldom this one, and where from, since its bearer is not the one that asks here.
//! 3. So is an agent's token, in the same way; a refresh token as at a refresh.
//! 4. Whatever does not count, is none, or is another client's, is `{"active":false}` and nothing more (section 2.2).

use std::sync::Arc;

use domain::app::App as OauthApp;
use domain::app_grant::Presented as Shown;
use domain::{AgentToken, AppGrant, ClientId, Environment, GrantType, Moment, RefreshToken, Scope, ScopeSet};
use edge::{ApiError, OauthError, Reply, Request};
use identity::{Call, CredentialError, Principal, Refusal, Sender};

use super::client::{Caller, Presented, described_elsewhere};
use super::description::{Description, INACTIVE};
use super::error::{Judged, invalid_client, refused};
use super::form::Form;
use super::held;
use crate::App;

/// Who may ask: for which client's tokens, and of which environment alone.
struct Asker {
    client: ClientId,
    test_only: bool,
}

/// Says what a token is.
pub(super) async fn introspect(app: &App, request: &Request, now: Moment) -> Result<Reply, OauthError> {
    let form = Form::read(request)?;
    // Whoever asks wants to know of this moment, and not of a few seconds ago, and must be one that may ask at this moment.
    app.identity.catch_up(now).await?;
    let asker = asker(app, request, &form, now).await?;
    let text = form.required("token")?;
    let known = if let Some(token) = RefreshToken::parse(text) {
        of_refresh_token(app, &asker, &token, now).await?
    } else if let Ok(token) = AgentToken::parse(text) {
        of_agents_token(app, &asker, &token, now).await?
    } else {
        of_access_token(app, &asker, text, now).await?
    };
    Ok(known.unwrap_or_else(|| edge::ok(&INACTIVE)))
}

async fn asker(app: &App, request: &Request, form: &Form, now: Moment) -> Result<Asker, OauthError> {
    if is_bearer(request) {
        return by_bearer(app, request, form, now).await;
    }
    let presented = Presented::read(request, form)?.ok_or_else(invalid_client)?;
    match presented.prove(app, request, now).await? {
        Caller::Key(principal) => by_principal(&principal).ok_or_else(invalid_client),
        Caller::App(caller) => {
            let client = caller.client_id.clone().filter(|_| caller.is_confidential());
            Ok(Asker { client: client.ok_or_else(invalid_client)?, test_only: false })
        }
    }
}

async fn by_bearer(app: &App, request: &Request, form: &Form, now: Moment) -> Result<Asker, OauthError> {
    if form.get("client_secret").is_some() || form.get("client_assertion").is_some() {
        return Err(OauthError::invalid_request("The client authenticates in two ways at once"));
    }
    // The challenge is of the scheme that was tried (RFC 6749, section 5.2).
    let refusal = || invalid_client().challenged(r#"Bearer realm="keygate", error="invalid_token""#);
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("")));
    let call = match Call::from_headers(headers, request.source_address()) {
        Ok(call) => call,
        Err(CredentialError::Several) => {
            return Err(OauthError::invalid_request("The client authenticates in two ways at once"));
        }
        Err(error) => return Err(refused(ApiError::Unauthorized(error.into()), refusal)),
    };
    let principal = app.identity.principal(&call, now).await.map_err(|error| refused(error, refusal))?;
    // Too little is a 401 here, too (section 2.3).
    by_principal(&principal).ok_or_else(refusal)
}

fn is_bearer(request: &Request) -> bool {
    let mut values = request.headers().get_all("authorization").iter();
    let is_bearer = |text: &str| text.split_once(' ').is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"));
    values.any(|value| value.to_str().is_ok_and(is_bearer)) || request.headers().contains_key("x-api-key")
}

/// A credential that may ask.
fn by_principal(principal: &Principal) -> Option<Asker> {
    let admin = Scope::parse(Scope::ADMIN)?;
    // Whoever has logged in is held to no workspace, as where keys are managed.
    let reaches = principal.logged_in().is_some() || principal.workspace().is_ok();
    (principal.covers(&admin) && reaches).then(|| Asker {
        client: principal.client_id().clone(),
        test_only: principal.environment() == Environment::Test,
    })
}

async fn of_access_token(app: &App, asker: &Asker, text: &str, now: Moment) -> Result<Option<Reply>, OauthError> {
    let Some(principal) = counting(app.identity.bearer(text, Sender::Other, now).await)? else { return Ok(None) };
    let (Some(claims), Some(scope)) = (principal.claims(), asker.scopes(&principal)) else { return Ok(None) };
    Ok(Some(edge::ok(&Description::of_token(claims, &scope))))
}

/// An agent's token. Whoever takes it has to compare the agent's name with the one in `X-Agent-ID`.
async fn of_agents_token(
    app: &App,
    asker: &Asker,
    token: &AgentToken,
    now: Moment,
) -> Result<Option<Reply>, OauthError> {
    let Some(principal) = counting(app.identity.agent(token, now).await)? else { return Ok(None) };
    let (Some(record), Some(scope)) = (principal.agent(), asker.scopes(&principal)) else { return Ok(None) };
    Ok(Some(edge::ok(&Description::of_agent(record, &principal, &scope))))
}

/// Who stands behind a token that counts.
fn counting(judged: Result<Principal, Refusal>) -> Result<Option<Principal>, OauthError> {
    match judged.map_err(Judged::from) {
        Ok(principal) => Ok(Some(principal)),
        Err(Judged::Refused(_)) => Ok(None),
        Err(Judged::Failed(error)) => Err(error.into()),
    }
}

async fn of_refresh_token(
    app: &App,
    asker: &Asker,
    token: &RefreshToken,
    now: Moment,
) -> Result<Option<Reply>, OauthError> {
    let Some(grant) = app.store.grant_by_id(&token.grant()).await? else { return Ok(None) };
    let at = now.timestamp();
    let is_current = grant.refresh.as_ref().is_some_and(|kept| kept.judge(token, at) == Shown::Current);
    if !is_current || !grant.counts(at) || !asker.may_know(&grant.client_id, Environment::Live) {
        return Ok(None);
    }
    let Some(record) = record(app, &grant, now).await?.filter(|app| app.may(GrantType::RefreshToken)) else {
        return Ok(None);
    };
    let Some(scopes) = held::scopes(app, &grant, &record, now).await? else { return Ok(None) };
    Ok(Some(edge::ok(&Description::of_grant(&grant, &scopes))))
}

/// The app of a grant.
async fn record(app: &App, grant: &AppGrant, now: Moment) -> Result<Option<OauthApp>, OauthError> {
    if grant.app_id.document().is_some() {
        return Ok(Some(described_elsewhere(grant.app_id.clone())));
    }
    Ok(app.identity.app(&grant.app_id, now).await?.map(Arc::unwrap_or_clone))
}

impl Asker {
    /// What a token gives, where it is one that the asker may know of. One that is good for nothing, or not where it is bound to,
    /// must not be taken for one that counts.
    fn scopes(&self, of: &Principal) -> Option<ScopeSet> {
        let may_know = self.may_know(of.client_id(), of.environment());
        ScopeSet::new(of.scopes()).filter(|_| may_know && of.workspace().is_ok())
    }

    fn may_know(&self, client: &ClientId, environment: Environment) -> bool {
        self.client == *client && (!self.test_only || environment == Environment::Test)
    }
}
