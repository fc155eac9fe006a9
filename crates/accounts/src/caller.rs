//! Who manages, and how far that reaches.

use domain::{
    Access, Act, ClientId, Deed, Environment, Moment, Scope, ScopeSet, Unreachable, User, UserId, Workspace,
    WorkspaceId, WorkspaceRole, WorkspaceStatus,
};
use edge::{ApiError, Request};
use identity::{Principal, Standing};
use store::account_change::{AccountChange, AccountChanged};
use store::replay::Replay;

use crate::App;

/// A caller of its own client.
pub(crate) struct Caller {
    principal: Principal,
    /// Who does what follows, from where, and when.
    pub(crate) act: Act,
}

impl Caller {
    /// Reads and judges the caller of a request on what belongs to `client`.
    ///
    /// # Errors
    /// As [`edge::caller`].
    pub(crate) async fn of(app: &App, request: &Request, client: &str, now: Moment) -> Result<Self, ApiError> {
        // Boxed: a large future would be part of every one that waits for it.
        let principal = Box::pin(edge::caller(&app.identity, request, client, now)).await?;
        let act = edge::act(&principal, request, now.timestamp());
        Ok(Self { principal, act })
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        self.principal.client_id()
    }

    /// The user behind the caller, where one is.
    pub(crate) fn user_id(&self) -> Option<&UserId> {
        self.principal.user_id()
    }

    /// Whether the caller is this user, logged in.
    pub(crate) fn is(&self, user: &UserId) -> bool {
        self.principal.logged_in().is_some_and(|own| own.id == *user)
    }

    /// The outcome of a change, noted where it is a refusal: `deed` says what was to be done.
    pub(crate) async fn noted<T>(&self, app: &App, deed: Deed, outcome: Result<T, ApiError>) -> Result<T, ApiError> {
        if let Err(error) = &outcome {
            edge::note_refusal(&app.store, self.client_id(), &self.act, deed, error).await;
        }
        outcome
    }

    /// Makes a change in the caller's name, and notes it as `deed`.
    ///
    /// # Errors
    /// 503: whether it is made is then unknown.
    pub(crate) async fn make(
        &self,
        app: &App,
        change: &AccountChange,
        deed: Deed,
        replay: Option<&Replay>,
    ) -> Result<AccountChanged, ApiError> {
        // Boxed, as above.
        let making = Box::pin(app.store.account_change(self.client_id(), change, vec![deed], &self.act, replay));
        Ok(making.await?)
    }

    /// # Errors
    /// 403 for a test key: people and workspaces are production.
    pub(crate) fn live(&self) -> Result<(), ApiError> {
        match self.principal.environment() {
            Environment::Live => Ok(()),
            Environment::Test => Err(ApiError::Forbidden("A test key manages test keys alone".to_owned())),
        }
    }

    /// # Errors
    /// 403 for whoever does not manage the whole client.
    pub(crate) fn admin(&self) -> Result<(), ApiError> {
        self.live()?;
        let held = Scope::parse(Scope::ADMIN).filter(|admin| self.principal.covers(admin));
        held.map(|_| ()).ok_or_else(|| ApiError::Forbidden("This needs the scope `admin`".to_owned()))
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.admin().is_ok()
    }

    /// What somebody has allowed to apps is for that user, logged in, and for those who manage users. It is for no app, whatever
    /// it holds: none may learn of the others that a person uses, or end them. (Agents don't come this far.)
    ///
    /// # Errors
    /// 403 for anybody else.
    pub(crate) fn answers_for(&self, user: &UserId) -> Result<(), ApiError> {
        if self.is(user) {
            return Ok(());
        }
        match self.principal.standing {
            Standing::Grant { .. } | Standing::App { .. } => {
                Err(ApiError::Forbidden("An app neither sees nor ends what people have allowed".to_owned()))
            }
            Standing::Key(..) | Standing::User { .. } => self.admin(),
        }
    }

    /// The workspaces that the caller sees without being an admin: its user's, or a workspace's key its own. In order.
    pub(crate) fn workspaces(&self) -> Vec<&WorkspaceId> {
        match self.principal.user() {
            Some(User { workspaces, .. }) => workspaces.keys().collect(),
            None => self.principal.key().and_then(|key| key.workspace_id()).into_iter().collect(),
        }
    }

    /// # Errors
    /// 404 for a workspace that the caller does not see: it may be there or not.
    pub(crate) fn sees(&self, id: &WorkspaceId) -> Result<(), ApiError> {
        self.live()?;
        if self.is_admin() || self.workspaces().contains(&id) { Ok(()) } else { Err(ApiError::NotFound) }
    }

    /// # Errors
    /// 403 for whoever does not manage the workspace. While it is suspended, only admins of the client do.
    pub(crate) fn manages(&self, workspace: &Workspace) -> Result<(), ApiError> {
        if self.is_admin() {
            return Ok(());
        }
        if !self.principal.logged_in().is_some_and(|user| user.manages(&workspace.id)) {
            return Err(ApiError::Forbidden("This is for the workspace's admins".to_owned()));
        }
        match workspace.status {
            WorkspaceStatus::Active => Ok(()),
            WorkspaceStatus::Suspended => Err(Unreachable::Suspended.into()),
        }
    }

    /// # Errors
    /// 403 for whoever neither is an admin of the client nor owns the workspace.
    pub(crate) fn hands_on(&self, workspace: &Workspace) -> Result<(), ApiError> {
        let role = self.principal.logged_in().and_then(|user| user.workspaces.get(&workspace.id));
        if self.is_admin() || role == Some(&WorkspaceRole::Owner) {
            return Ok(());
        }
        Err(ApiError::Forbidden("A workspace is handed on by its owner".to_owned()))
    }

    /// # Errors
    /// 400 for scopes that access.toml does not name; 403 where the caller would give such as it does not hold. `member` is
    /// where they stand in the body.
    pub(crate) fn gives(&self, member: &str, scopes: &ScopeSet, access: &Access) -> Result<(), ApiError> {
        if let Some(place) = access.first_unknown(scopes) {
            return Err(ApiError::BadRequest(format!("`{member}`: number {place} is no scope that exists")));
        }
        match scopes.iter().find(|scope| !self.principal.covers(scope)) {
            Some(scope) => Err(ApiError::Forbidden(format!("The caller does not have the scope `{scope}` to give"))),
            None => Ok(()),
        }
    }
}
