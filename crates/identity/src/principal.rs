//! Who stands behind a credential.

use std::sync::Arc;

use domain::{
    AgentMaker, AgentTokenRecord, App, AppGrant, Claims, ClientId, Environment, KeyRecord, Party, Scope, ScopeSet,
    SecretVersion, Shown, Unreachable, User, UserId, Workspace,
};

use crate::footing::Footing;

/// Who calls, and what was shown to prove it.
#[derive(Clone, Debug)]
pub struct Principal {
    /// What everything hangs on.
    pub standing: Standing,
    proof: Proof,
}

/// What was shown.
#[derive(Clone, Debug)]
pub(crate) enum Proof {
    /// A key, with this one of its secrets.
    Key(SecretVersion),
    /// A token.
    Token(Arc<Claims>),
    /// An agent's token.
    Agent(Arc<AgentTokenRecord>),
}

/// What a credential hangs on, as it is now.
#[derive(Clone, Debug)]
pub enum Standing {
    /// A key.
    Key(Arc<KeyRecord>, Footing),
    /// What a user has granted to an app.
    Grant {
        /// The grant.
        grant: Arc<AppGrant>,
        /// The user.
        user: Arc<User>,
        /// What is left of what was granted, if anything.
        scopes: Option<ScopeSet>,
        /// The workspace that it is bound to, or why nothing can be done there.
        reach: Result<Arc<Workspace>, Unreachable>,
    },
    /// An app by itself.
    App {
        /// The app.
        app: Arc<App>,
        /// The client that has made it.
        client_id: ClientId,
        /// The workspace that it is bound to, or why nothing can be done there.
        reach: Result<Arc<Workspace>, Unreachable>,
    },
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
    pub(crate) fn new(standing: Standing, proof: Proof) -> Self {
        Self { standing, proof }
    }

    /// The token that was shown, where it was one of ours.
    #[must_use]
    pub fn claims(&self) -> Option<&Claims> {
        match &self.proof {
            Proof::Token(claims) => Some(claims),
            Proof::Key(_) | Proof::Agent(_) => None,
        }
    }

    /// The token of an agent, where it is one who calls.
    #[must_use]
    pub fn agent(&self) -> Option<&AgentTokenRecord> {
        match &self.proof {
            Proof::Agent(token) => Some(token),
            Proof::Key(_) | Proof::Token(_) => None,
        }
    }

    /// The same as who makes agents in `workspace`; `None` where no key stands behind it that they could be under.
    #[must_use]
    pub fn agent_maker<'a>(&'a self, workspace: &'a Workspace) -> Option<AgentMaker<'a>> {
        let key = self.key()?;
        let (secret_version, shown) = match &self.proof {
            Proof::Key(version) => (*version, Shown::Key),
            Proof::Token(claims) => (claims.secret_version?, Shown::Token(claims)),
            Proof::Agent(token) => (token.grant.secret_version, Shown::Agent(token)),
        };
        let held = ScopeSet::new(self.held().cloned());
        Some(AgentMaker { key, secret_version, held, workspace_id: &workspace.id, shown })
    }

    /// The key, where the credential hangs on one.
    #[must_use]
    pub fn key(&self) -> Option<&KeyRecord> {
        match &self.standing {
            Standing::Key(key, _) => Some(key),
            Standing::User { .. } | Standing::Grant { .. } | Standing::App { .. } => None,
        }
    }

    /// The user who has logged in: not the one behind a personal key or an app, nor where the token was exchanged from a
    /// login's. A role counts here alone.
    #[must_use]
    pub fn logged_in(&self) -> Option<&User> {
        match &self.standing {
            Standing::User { user, .. } if self.claims().is_none_or(|claims| claims.parent_jti.is_none()) => Some(user),
            Standing::User { .. } | Standing::Key(..) | Standing::Grant { .. } | Standing::App { .. } => None,
        }
    }

    /// The user behind the credential, where one is.
    #[must_use]
    pub fn user(&self) -> Option<&User> {
        match &self.standing {
            Standing::Key(_, footing) => footing.owner.as_deref(),
            Standing::User { user, .. } | Standing::Grant { user, .. } => Some(user),
            Standing::App { .. } => None,
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
            Standing::User { user, .. } | Standing::Grant { user, .. } => &user.client_id,
            Standing::App { client_id, .. } => client_id,
        }
    }

    /// The id of the user behind it, or of the key: whose doing it is.
    #[must_use]
    pub fn actor(&self) -> &str {
        match &self.standing {
            Standing::Key(key, _) => key.owner_user_id().map_or(key.id.as_str(), UserId::as_str),
            Standing::User { user, .. } | Standing::Grant { user, .. } => user.id.as_str(),
            Standing::App { app, .. } => app.id.as_str(),
        }
    }

    /// What acts, for the audit log: the key itself, an agent under it, or the user who has logged in.
    #[must_use]
    pub fn party(&self) -> Party {
        if let Some(token) = self.agent() {
            return (&token.grant.agent_id).into();
        }
        match &self.standing {
            Standing::Key(key, _) => (&key.id).into(),
            Standing::User { user, .. } | Standing::Grant { user, .. } => (&user.id).into(),
            Standing::App { app, .. } => (&app.id).into(),
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
            Standing::Grant { scopes, .. } => scopes.as_ref(),
            Standing::App { app, .. } => app.scopes.as_ref(),
        };
        let of_token = match &self.proof {
            Proof::Key(_) => None,
            Proof::Token(claims) => Some(&claims.scope),
            Proof::Agent(token) => Some(&token.grant.scopes),
        };
        let held =
            standing.map(|standing| of_token.unwrap_or(standing).iter().filter(move |scope| standing.covers(scope)));
        held.into_iter().flatten()
    }

    /// The workspace that the call is made in, or why it can't be made there.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub fn workspace(&self) -> Result<&Workspace, Unreachable> {
        let (Standing::Key(_, Footing { reach, .. })
        | Standing::User { reach, .. }
        | Standing::Grant { reach, .. }
        | Standing::App { reach, .. }) = &self.standing;
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
            Standing::User { user, .. } | Standing::Grant { user, .. } => &user.id,
            Standing::App { .. } => &workspace.owner_user_id,
        }
    }

    /// The token's id, where a token was used, an agent's too.
    #[must_use]
    pub fn jti(&self) -> Option<&str> {
        match &self.proof {
            Proof::Key(_) => None,
            Proof::Token(claims) => Some(&claims.jti),
            Proof::Agent(token) => Some(token.id.as_str()),
        }
    }

    /// What kind of credential was used: `jwt`, `api_key` or `agent`.
    #[must_use]
    pub fn credential_kind(&self) -> &'static str {
        match &self.proof {
            Proof::Key(_) => "api_key",
            Proof::Token(_) => "jwt",
            Proof::Agent(_) => "agent",
        }
    }
}
