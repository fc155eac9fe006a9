//! Who manages, and how far that reaches.

use std::future::Future;

use domain::{
    Access, Act, AllowedAddresses, ClientId, Deed, Environment, KeyId, KeyKind, KeyRecord, Moment, Scope, ScopeSet,
    Timestamp, Unreachable, UserId, Workspace, WorkspaceId, WorkspaceStatus,
};
use edge::{ApiError, Request};
use identity::Principal;
use store::key_list::ManagedBy;

use crate::App;

/// The scope that this takes; `admin` covers it.
const KEYS_MANAGE: &str = "keys:manage";

/// A caller of its own client.
pub(crate) struct Caller {
    principal: Principal,
    /// Who does what follows, from where, and when.
    pub(crate) act: Act,
    reach: Reach,
}

/// Which keys a caller manages.
enum Reach {
    /// Its client's.
    Client,
    /// By login, without the scope: the user's own, and those of workspaces that the user manages.
    User,
    /// None: a key without the scope.
    Nothing,
}

impl Caller {
    /// Reads and judges the caller of a request on the keys of `client`.
    ///
    /// # Errors
    /// As [`edge::caller`].
    pub(crate) async fn of(app: &App, request: &Request, client: &str, now: Moment) -> Result<Self, ApiError> {
        // Boxed: a large future would be part of every one that waits for it.
        let principal = Box::pin(edge::caller(&app.identity, request, client, now)).await?;
        let act = edge::act(&principal, request, now.timestamp());
        let reach = if keys_manage().is_some_and(|scope| principal.covers(&scope)) {
            Reach::Client
        } else if principal.logged_in().is_some() {
            Reach::User
        } else {
            Reach::Nothing
        };
        Ok(Self { principal, act, reach })
    }

    /// # Errors
    /// 403 for whoever manages no keys at all.
    pub(crate) fn manages_keys(&self) -> Result<(), ApiError> {
        match (&self.reach, keys_manage()) {
            (Reach::Nothing, Some(scope)) => Err(ApiError::lacks(&scope)),
            _ => Ok(()),
        }
    }

    pub(crate) fn client_id(&self) -> &ClientId {
        self.principal.client_id()
    }

    /// What is written down as the maker of what this caller makes.
    pub(crate) fn actor(&self) -> String {
        self.principal.actor().to_owned()
    }

    /// The user behind the caller, where one is.
    pub(crate) fn user_id(&self) -> Option<&UserId> {
        self.principal.user_id()
    }

    /// The end of a change by a caller that manages keys, noted where it is a refusal: `deed` says what was to be done.
    pub(crate) async fn noted<T>(
        &self,
        app: &App,
        deed: Deed,
        change: impl Future<Output = Result<T, ApiError>>,
    ) -> Result<T, ApiError> {
        let outcome = match self.manages_keys() {
            Ok(()) => change.await,
            Err(error) => Err(error),
        };
        if let Err(error) = &outcome {
            edge::note_refusal(&app.store, self.client_id(), &self.act, deed, error).await;
        }
        outcome
    }

    /// The environment that a caller is held to; a live key manages both.
    pub(crate) fn held_to(&self) -> Option<Environment> {
        (self.principal.environment() == Environment::Test).then_some(Environment::Test)
    }

    /// The keys that a caller is held to.
    pub(crate) fn manages_only(&self) -> Option<ManagedBy> {
        match (&self.reach, self.principal.logged_in()) {
            (Reach::User, Some(user)) => Some(ManagedBy {
                user_id: user.id.clone(),
                workspaces: user.workspaces.keys().filter(|id| user.manages(id)).cloned().collect(),
            }),
            _ => None,
        }
    }

    /// # Errors
    /// 403 where a test key would manage live ones.
    pub(crate) fn may_manage(&self, environment: Environment) -> Result<(), ApiError> {
        match self.held_to() {
            Some(own) if own != environment => {
                Err(ApiError::Forbidden("A test key manages test keys alone".to_owned()))
            }
            _ => Ok(()),
        }
    }

    /// # Errors
    /// 404 for a key that the caller does not manage: it may be there or not. 403 for a live one before a test key.
    pub(crate) fn may_see(&self, key: &KeyRecord) -> Result<(), ApiError> {
        let own = match &key.kind {
            KeyKind::Personal(owner) => self.user_id() == Some(owner),
            KeyKind::Workspace(id) => self.manages(id),
        };
        match self.reach {
            Reach::Client => self.may_manage(key.environment),
            Reach::User if own => Ok(()),
            Reach::User | Reach::Nothing => Err(ApiError::NotFound),
        }
    }

    /// # Errors
    /// 403 where a workspace's keys are for others to manage, whether there is such a workspace or not.
    pub(crate) fn may_make_for(&self, workspace: &WorkspaceId) -> Result<(), ApiError> {
        match self.reach {
            Reach::Client => Ok(()),
            Reach::User if self.manages(workspace) => Ok(()),
            Reach::User | Reach::Nothing => {
                Err(ApiError::Forbidden("A workspace's keys are managed by its admins".to_owned()))
            }
        }
    }

    /// # Errors
    /// 403 where the workspace is suspended: until it is opened again, nobody gives or changes its keys but who manages the
    /// client's.
    pub(crate) fn may_work_in(&self, workspace: &Workspace) -> Result<(), ApiError> {
        match (&self.reach, workspace.status) {
            (Reach::User, WorkspaceStatus::Suspended) => Err(Unreachable::Suspended.into()),
            _ => Ok(()),
        }
    }

    /// The same of a key's workspace, if it has one: no read of the store while the workspace is known.
    ///
    /// # Errors
    /// As [`Caller::may_work_in`]; 503.
    pub(crate) async fn works_in(&self, app: &App, key: &KeyRecord, now: Moment) -> Result<(), ApiError> {
        let (Reach::User, Some(id)) = (&self.reach, key.workspace_id()) else { return Ok(()) };
        match app.identity.workspace(self.client_id(), id, now).await? {
            Some(workspace) => self.may_work_in(&workspace),
            None => Ok(()),
        }
    }

    fn manages(&self, workspace: &WorkspaceId) -> bool {
        self.principal.logged_in().is_some_and(|user| user.manages(workspace))
    }

    /// # Errors
    /// 403 where a key would change its own record, or somebody the personal key of another.
    pub(crate) fn may_change(&self, key: &KeyRecord) -> Result<(), ApiError> {
        self.is_not_itself(&key.id)?;
        if key.owner_user_id().is_some_and(|owner| self.user_id() != Some(owner)) {
            return Err(ApiError::Forbidden("A personal key is managed by its user".to_owned()));
        }
        Ok(())
    }

    /// # Errors
    /// 403 where a key would change its own record.
    pub(crate) fn is_not_itself(&self, id: &KeyId) -> Result<(), ApiError> {
        if self.principal.key().is_some_and(|own| own.id == *id) {
            return Err(ApiError::Forbidden("A key does not change its own record".to_owned()));
        }
        Ok(())
    }

    /// # Errors
    /// 400 for scopes that access.toml does not name; 403 where the caller would give such as it does not hold.
    pub(crate) fn may_give(&self, scopes: &ScopeSet, access: &Access) -> Result<(), ApiError> {
        if let Some(place) = access.first_unknown(scopes) {
            return Err(ApiError::unknown_scope(place));
        }
        self.covers_all(scopes)
    }

    /// # Errors
    /// 403 where the caller could not have made this key as it is: then neither its secret, nor more scopes or addresses, nor
    /// a longer life are the caller's to give.
    pub(crate) fn may_grant(&self, key: &KeyRecord) -> Result<(), ApiError> {
        self.covers_all(&key.scopes)?;
        self.may_grant_from(&key.allowed_ips)?;
        self.may_grant_until(key.expires_at)
    }

    fn covers_all(&self, scopes: &ScopeSet) -> Result<(), ApiError> {
        match scopes.iter().find(|scope| !self.principal.covers(scope)) {
            Some(scope) => Err(ApiError::Forbidden(format!("The caller does not have the scope `{scope}` to give"))),
            None => Ok(()),
        }
    }

    /// # Errors
    /// 403 where something would outlive the caller's own key.
    pub(crate) fn may_grant_until(&self, end: Option<Timestamp>) -> Result<(), ApiError> {
        match (self.principal.key().and_then(|key| key.expires_at), end) {
            (None, _) => Ok(()),
            (Some(own), Some(end)) if end <= own => Ok(()),
            _ => Err(ApiError::Forbidden("A key makes none that outlives it: give an earlier `expires_at`".to_owned())),
        }
    }

    /// # Errors
    /// 403 where something could be used from where the caller's own key can't.
    pub(crate) fn may_grant_from(&self, addresses: &AllowedAddresses) -> Result<(), ApiError> {
        match self.principal.key() {
            Some(own) if !own.allowed_ips.cover(addresses) => Err(ApiError::Forbidden(
                "A key makes none for addresses that it can't be used from: give fewer `allowed_ips`".to_owned(),
            )),
            _ => Ok(()),
        }
    }
}

fn keys_manage() -> Option<Scope> {
    Scope::parse(KEYS_MANAGE)
}
