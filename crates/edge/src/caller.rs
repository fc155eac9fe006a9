//! Who calls a function that authenticates itself.

use domain::{Act, Timestamp};
use identity::{Call, Identity, Principal};

use crate::error::ApiError;
use crate::request::Request;

/// Who stands behind the credential of a request.
///
/// # Errors
/// 401, 503.
pub async fn principal(identity: &Identity, request: &Request, now: domain::Moment) -> Result<Principal, ApiError> {
    // A value that is no visible ASCII is no credential, but it is there: it must not hide a second one.
    let headers = request.headers().iter().map(|(name, value)| (name.as_str(), value.to_str().unwrap_or("")));
    let call =
        Call::from_headers(headers, request.source_address()).map_err(|error| ApiError::Unauthorized(error.into()))?;
    Ok(identity.principal(&call, now).await?)
}

/// The caller of a request on what belongs to `client`, the id in its path. A change is judged by what counts at this very
/// moment, for one read of the feed; what only reads, as everywhere.
///
/// # Errors
/// 401 before anything else; 404 for another client, as for one that does not exist; 403 for a key that can't be used in
/// its workspace, and for an agent. Whoever has logged in is held to no workspace: a suspended one must be there to be opened
/// again.
pub async fn caller(
    identity: &Identity,
    request: &Request,
    client: &str,
    now: domain::Moment,
) -> Result<Principal, ApiError> {
    if request.method() != "GET" {
        // Whoever was revoked a second ago must make nothing that outlives it.
        identity.catch_up(now).await?;
    }
    let principal = principal(identity, request, now).await?;
    if principal.client_id().as_str() != client {
        return Err(ApiError::NotFound);
    }
    if principal.agent().is_some() {
        return Err(ApiError::Forbidden("An agent manages nothing: what it made would outlive it".to_owned()));
    }
    if principal.logged_in().is_none() {
        principal.workspace()?;
    }
    Ok(principal)
}

/// What the audit log says of whoever does something now.
#[must_use]
pub fn act(principal: &Principal, request: &Request, at: Timestamp) -> Act {
    Act { actor: principal.party(), address: request.source_address().map(|address| address.to_string()), at }
}
