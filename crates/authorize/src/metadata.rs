//! What an app says of itself (RFC 7591, section 2), at registration or in a document at the address that is its id.
//!
//! Metadata that are not known here are ignored, and those that can't be so are replaced (RFC 7591, section 3.2.1). Such an app
//! is public, belongs to no client, and has no privileged scope, whatever it asked for.

use domain::{Access, AppId, GrantType, PlainKey, RedirectUri, ScopeSet, Timestamp};
use serde::Deserialize;

use crate::scopes;

/// What an app that gives no name is shown as.
const UNNAMED: &str = "An app without a name";

/// The metadata that are known here.
#[derive(Deserialize)]
pub(crate) struct Metadata {
    pub(crate) redirect_uris: Option<Vec<String>>,
    pub(crate) token_endpoint_auth_method: Option<String>,
    grant_types: Option<Vec<String>>,
    response_types: Option<Vec<String>>,
    client_name: Option<String>,
    scope: Option<String>,
}

impl Metadata {
    /// The app that these make, answered to at `redirect_uris`.
    ///
    /// # Errors
    /// What no app can have.
    pub(crate) fn app(
        self,
        id: AppId,
        redirect_uris: Vec<RedirectUri>,
        access: &Access,
        at: Timestamp,
    ) -> Result<domain::App, &'static str> {
        if self.response_types.is_some_and(|types| !types.iter().any(|it| it == "code")) {
            return Err("response_types must hold code");
        }
        Ok(domain::App {
            id,
            client_id: None,
            name: name(self.client_name)?,
            redirect_uris,
            grant_types: grant_types(self.grant_types)?,
            scopes: registered(access, self.scope.as_deref())?,
            secret: None,
            created_at: at,
            created_by: String::new(),
            revision: 0,
        })
    }
}

/// A name is shown to the people who are asked to trust it: it can't turn the words around it.
fn name(given: Option<String>) -> Result<String, &'static str> {
    let name = given.unwrap_or_default();
    let name = name.trim();
    if name.chars().count() > domain::App::MAX_NAME || name.chars().any(edge::is_unseen) {
        return Err("client_name may have 100 printable characters at most");
    }
    if PlainKey::is_in(name) {
        return Err("client_name holds an API key, and names are shown");
    }
    Ok(if name.is_empty() { UNNAMED } else { name }.to_owned())
}

/// Others than these two are left out, since clients name all that they know.
fn grant_types(given: Option<Vec<String>>) -> Result<Vec<GrantType>, &'static str> {
    let Some(given) = given else { return Ok(vec![GrantType::AuthorizationCode]) };
    let ours = [GrantType::AuthorizationCode, GrantType::RefreshToken];
    let kept: Vec<_> = ours.into_iter().filter(|ours| given.iter().any(|name| name == ours.as_str())).collect();
    if kept.first() != Some(&GrantType::AuthorizationCode) {
        return Err("grant_types must hold authorization_code");
    }
    Ok(kept)
}

/// What is left of the scopes without the privileged and the unknown ones.
fn registered(access: &Access, given: Option<&str>) -> Result<Option<ScopeSet>, &'static str> {
    let Some(given) = given.filter(|given| !given.is_empty()) else { return Ok(None) };
    let asked = ScopeSet::parse(given).ok_or("scope is no list of scopes")?;
    let known = ScopeSet::new(asked.iter().filter(|scope| access.knows(scope)).cloned());
    let left = known.and_then(|known| access.unprivileged(&known));
    // Whoever asked for nothing that it can have shall not have all that there is.
    Ok(left.or_else(scopes::left_out))
}
