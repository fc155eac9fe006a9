//! Members of forms that several calls take.

use domain::{Scope, ScopeSet};
use edge::{ApiError, Given};

pub(crate) fn bad(message: &str) -> ApiError {
    ApiError::BadRequest(message.to_owned())
}

/// Scopes of which there may be none.
///
/// # Errors
/// 400 for too many.
pub(crate) fn scopes_or_none(scopes: Given<Vec<Scope>>) -> Result<Given<ScopeSet>, ApiError> {
    match scopes {
        Given::Value(scopes) if scopes.is_empty() => Ok(Given::Null),
        scopes => scopes.read(|scopes| {
            ScopeSet::new(scopes).ok_or_else(|| ApiError::BadRequest(format!("{} scopes at most", ScopeSet::MAX)))
        }),
    }
}
