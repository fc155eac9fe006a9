//! What a request says of itself.

use std::net::IpAddr;

use domain::WorkspaceId;

use crate::credential::{Credential, CredentialError};

/// A credential, and the circumstances that it is judged in.
#[derive(Debug)]
pub struct Call<'a> {
    /// The credential.
    pub credential: Credential<'a>,
    /// The address that the gateway has seen.
    pub address: Option<IpAddr>,
    /// The workspace that the caller names.
    pub workspace: Named,
}

/// The workspace that a caller names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Named {
    /// None: the one that the credential is bound to, or the client's default one.
    #[default]
    None,
    /// This one.
    One(WorkspaceId),
    /// Something that is no workspace's id, or two at once.
    Nothing,
}

impl Named {
    /// Reads what a caller has given; an id that is none names nothing.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        WorkspaceId::parse(text).map_or(Self::Nothing, Self::One)
    }
}

/// The headers that a call is read from.
const HEADERS: [&str; 4] = ["authorization", "x-api-key", "x-agent-id", "x-workspace-id"];

/// Whether a header is one that [`Call::from_headers`] looks at; all others may be left out.
#[must_use]
pub fn is_header_of_a_call(name: &str) -> bool {
    HEADERS.iter().any(|header| name.eq_ignore_ascii_case(header))
}

impl<'a> Call<'a> {
    /// Reads a call from its headers: the credential as [`Credential::from_headers`] does, and `X-Workspace-ID`.
    ///
    /// # Errors
    /// [`CredentialError`].
    pub fn from_headers(
        headers: impl IntoIterator<Item = (&'a str, &'a str)>,
        address: Option<IpAddr>,
    ) -> Result<Self, CredentialError> {
        let mut workspace = Named::None;
        let headers = headers.into_iter().inspect(|(name, value)| {
            if name.eq_ignore_ascii_case("x-workspace-id") {
                workspace = if workspace == Named::None { Named::parse(value) } else { Named::Nothing };
            }
        });
        let credential = Credential::from_headers(headers)?;
        Ok(Self { credential, address, workspace })
    }
}

#[cfg(test)]
mod tests {
    use domain::{Environment, PlainKey};

    use super::*;

    #[test]
    fn a_workspace_is_named_once_or_not_at_all() {
        let key = PlainKey::random(&Environment::Live.default_prefix());
        let id = WorkspaceId::random();
        let named = |values: &[&str]| {
            let headers = values.iter().map(|value| ("X-Workspace-Id", *value)).chain([("x-api-key", key.expose())]);
            Call::from_headers(headers.collect::<Vec<_>>(), None).unwrap().workspace
        };
        assert_eq!(named(&[]), Named::None);
        assert_eq!(named(&[id.as_str()]), Named::One(id.clone()));
        for bad in [&["default"][..], &[""], &[id.as_str(), id.as_str()], &["x", id.as_str()], &[id.as_str(), ""]] {
            assert_eq!(named(bad), Named::Nothing, "{bad:?}");
        }
    }
}
