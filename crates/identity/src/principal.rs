//! Who stands behind a credential.

use std::sync::Arc;

use domain::{Claims, ClientId, Environment, KeyRecord, Party, Scope, ScopeSet, Unreachable, User, UserId, Workspace};

use crate::footing::Footing;

/// Who calls, and the token that was used, where one was.
#[derive(Clone, Debug)]
pub struct Principal {
    /// What everything hangs on.
    pub standing: Standing,
    token: Option<Claims>,
}

/// What a credential hangs on, as it is now.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A key.
    Key(Arc<KeyRecord>, Footing),
    /// A user who has logged in; only ever by a token.
    User {
        /// The user.
        user: Arc<User>,
        /// What the user holds.
        scopes: ScopeSet,
        /// The workspace of the login, or why nothing can be done there.
        reach: Result<Arc<Workspace>, Unreachable>,
    },
}

impl Principal {
    pub(crate) fn new(standing: Standing, token: Option<Claims>) -> Self {
        Self { standing, token }
    }

    /// The key, where the credential hangs on one.
    #[must_use]
    pub fn key(&self) -> Option<&KeyRecord> {
        match &self.standing {
            Standing::Key(key, _) => Some(key),
            Standing::User { .. } => None,
        }
    }

    /// The user who has logged in; not the one behind a personal key.
    #[must_use]
    pub fn logged_in(&self) -> Option<&User> {
        match &self.standing {
            Standing::Key(..) => None,
            Standing::User { user, .. } => Some(user),
        }
    }

    /// The user behind the credential, where one is.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match &self.standing {
            Standing::Key(_, footing) => footing.owner.as_deref(),
            Standing::User { user, .. } => Some(user),
        }
    }

    /// That user's id.
    #[must_use]
    pub fn user_id(&self) -> Option<&UserId> {
        self.user().map(|user| &user.id)
    }

    /// The client that the principal belongs to.
    #[must_use]
    pub fn client_id(&self) -> &ClientId {
        match &self.standing {
            Standing::Key(key, _) => &key.client_id,
            Standing::User { user, .. } => &user.client_id,
        }
    }

    /// The id of the user behind it, or of the key: whose doing it is.
    #[must_use]
    pub fn actor(&self) -> &str {
        match &self.standing {
            Standing::Key(key, _) => key.owner_user_id().map_or(key.id.as_str(), UserId::as_str),
            Standing::User { user, .. } => user.id.as_str(),
        }
    }

    /// What acts, for the audit log: the key itself, or the user who has logged in.
    #[must_use]
    pub fn party(&self) -> Party {
        match &self.standing {
            Standing::Key(key, _) => (&key.id).into(),
            Standing::User { user, .. } => (&user.id).into(),
        }
    }

    /// What the principal may do: what its token says and its key, or its user, still gives.
    #[must_use]
    pub fn scopes(&self) -> Vec<Scope> {
        self.held().cloned().collect()
    }

    /// Whether the principal may do what `needed` asks.
    #[must_use]
    pub fn covers(&self, needed: &Scope) -> bool {
        self.held().any(|held| held.covers(needed))
    }

    fn held(&self) -> impl Iterator<Item = &Scope> {
        let standing = match &self.standing {
            Standing::Key(key, footing) => footing.scopes(key),
            Standing::User { scopes, .. } => Some(scopes),
        };
        let of_token = self.token.as_ref().map(|claims| &claims.scope);
        let held =
            standing.map(|standing| of_token.unwrap_or(standing).iter().filter(move |scope| standing.covers(scope)));
        held.into_iter().flatten()
    }

    /// The workspace that the call is made in, or why it can't be made there.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub fn workspace(&self) -> Result<&Workspace, Unreachable> {
        let (Standing::Key(_, Footing { reach, .. }) | Standing::User { reach, .. }) = &self.standing;
        reach.as_deref().map_err(|error| *error)
    }

    /// What it is for: a login is for production.
    #[must_use]
    pub fn environment(&self) -> Environment {
        self.key().map_or(Environment::Live, |key| key.environment)
    }

    /// Who pays for what the principal uses in `workspace`.
    #[must_use]
    pub fn payer<'a>(&'a self, workspace: &'a Workspace) -> &'a UserId {
        match &self.standing {
            Standing::Key(key, _) => key.payer(workspace),
            Standing::User { user, .. } => &user.id,
        }
    }

    /// The token's id, where a token was used.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        self.token.as_ref().map(|claims| claims.jti.as_str())
    }

    /// What kind of credential was used: `jwt` or `api_key`.
    #[must_use]
    pub fn credential_kind(&self) -> &'static str {
        if self.token.is_some() { "jwt" } else { "api_key" }
    }
}
