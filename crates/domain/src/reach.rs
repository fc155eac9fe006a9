//! In which workspaces a credential may be used.

use thiserror::Error;

use crate::id::ClientId;
use crate::key::{KeyKind, KeyRecord};
use crate::user::{Role, User};
use crate::workspace::{Workspace, WorkspaceStatus};

/// Why a credential that counts may not be used in a workspace: a 403, and the caller may know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Unreachable {
    /// There is no such workspace, or the credential does not belong there.
    #[error("The credential does not reach this workspace")]
    NotReached,
    /// The workspace's admins have switched personal keys off.
    #[error("Personal keys are switched off in this workspace")]
    PersonalKeysOff,
    /// Nothing may be done in it.
    #[error("The workspace is suspended")]
    Suspended,
}

impl Workspace {
    /// Whether `key` may be used here. `owner` is the user of a personal key, who must be in the workspace.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub fn open_to_key(&self, key: &KeyRecord, owner: Option<&User>) -> Result<(), Unreachable> {
        let belongs = self.client_id == key.client_id
            && match &key.kind {
                KeyKind::Workspace(id) => *id == self.id,
                KeyKind::Personal(id) => {
                    owner.is_some_and(|user| user.id == *id && user.workspaces.contains_key(&self.id))
                }
            };
        if !belongs {
            return Err(Unreachable::NotReached);
        }
        if matches!(key.kind, KeyKind::Personal(_)) && !self.personal_keys_allowed {
            return Err(Unreachable::PersonalKeysOff);
        }
        self.active()
    }

    /// Whether a user who has logged in may work here. The client's owners and admins may everywhere.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub fn open_to_user(&self, user: &User) -> Result<(), Unreachable> {
        let belongs = user.role != Role::Member || user.workspaces.contains_key(&self.id);
        if self.client_id != user.client_id || !belongs {
            return Err(Unreachable::NotReached);
        }
        self.active()
    }

    /// Whether an app of `client` may work here by itself.
    ///
    /// # Errors
    /// [`Unreachable`].
    pub fn open_to_app(&self, client: &ClientId) -> Result<(), Unreachable> {
        if self.client_id == *client { self.active() } else { Err(Unreachable::NotReached) }
    }

    fn active(&self) -> Result<(), Unreachable> {
        match self.status {
            WorkspaceStatus::Active => Ok(()),
            WorkspaceStatus::Suspended => Err(Unreachable::Suspended),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::email::Email;
    use crate::id::UserId;
    use crate::key::tests::{key, now};
    use crate::user::UserStatus;
    use crate::workspace::WorkspaceRole;

    fn user(workspace: &Workspace) -> User {
        User {
            id: UserId::random(),
            client_id: workspace.client_id.clone(),
            email: Email::parse("a@example.com").unwrap(),
            role: Role::Member,
            status: UserStatus::Active,
            workspaces: BTreeMap::from([(workspace.id.clone(), WorkspaceRole::Member)]),
            created_at: now(),
            revision: 0,
        }
    }

    fn workspace(key: &KeyRecord) -> Workspace {
        Workspace::new(key.client_id.clone(), "default".to_owned(), UserId::random(), now())
    }

    #[test]
    fn a_workspaces_key_works_there_and_nowhere_else() {
        let (_, mut record) = key("read");
        let own = workspace(&record);
        assert_eq!(own.open_to_key(&record, None), Err(Unreachable::NotReached));
        record.kind = KeyKind::Workspace(own.id.clone());
        assert_eq!(own.open_to_key(&record, None), Ok(()));
        let off = Workspace { personal_keys_allowed: false, ..own.clone() };
        assert_eq!(off.open_to_key(&record, None), Ok(()), "it is no personal key");
        let suspended = Workspace { status: WorkspaceStatus::Suspended, ..own };
        assert_eq!(suspended.open_to_key(&record, None), Err(Unreachable::Suspended));
    }

    #[test]
    fn a_personal_key_works_where_its_user_is_unless_switched_off() {
        let (_, mut record) = key("read");
        let own = workspace(&record);
        let user = user(&own);
        record.kind = KeyKind::Personal(user.id.clone());
        assert_eq!(own.open_to_key(&record, Some(&user)), Ok(()));
        assert_eq!(own.open_to_key(&record, None), Err(Unreachable::NotReached), "the user is gone");
        let other = workspace(&record);
        assert_eq!(other.open_to_key(&record, Some(&user)), Err(Unreachable::NotReached));
        let off = Workspace { personal_keys_allowed: false, ..own };
        assert_eq!(off.open_to_key(&record, Some(&user)), Err(Unreachable::PersonalKeysOff));
    }

    #[test]
    fn people_work_where_they_are_and_admins_everywhere() {
        let (_, record) = key("read");
        let (own, other) = (workspace(&record), workspace(&record));
        let member = user(&own);
        assert_eq!(own.open_to_user(&member), Ok(()));
        assert_eq!(other.open_to_user(&member), Err(Unreachable::NotReached));
        let admin = User { role: Role::Admin, ..member };
        assert_eq!(other.open_to_user(&admin), Ok(()));
        let foreign = workspace(&key("read").1);
        assert_eq!(foreign.open_to_user(&admin), Err(Unreachable::NotReached));
    }
}
