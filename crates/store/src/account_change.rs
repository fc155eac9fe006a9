//! Changes of a client, its users and its workspaces: as many of them as belong together, all or none.
//!
//! Each item has a revision, and is changed only where nobody else has changed it meanwhile. What hangs on an item
//! follows from what changes in it: the lists of workspaces' members, and what the feed tells.

use aws_sdk_dynamodb::types::{AttributeValue, Put, TransactWriteItem};
use domain::{Act, Client, ClientId, Deed, FeedKind, HashedKey, PasswordHash, User, UserId, Workspace};

use crate::calls::{check_seen, delete_any, delete_seen, delete_there, put_new, update_changed};
use crate::change::{Change, Committed};
use crate::invites::{self, Invite, invite_key};
use crate::item::{Attributes, Reader, number};
use crate::passwords::password_key;
use crate::replay::Replay;
use crate::users::email_key;
use crate::workspaces::{member_key, write_member};
use crate::{Store, StoreError, Table, clients, users, workspaces};

/// What becomes of one thing.
#[derive(Clone, Debug)]
pub enum Edit<T> {
    /// It is made.
    New(T),
    /// It is changed. Its revision is seen to here.
    Changed {
        /// As it was read.
        before: T,
        /// As it becomes.
        after: T,
    },
    /// It is taken away.
    Removed(T),
    /// It stays, and must be as it was read: something else depends on it.
    Kept(T),
}

/// What becomes of an invitation.
#[derive(Clone, Debug)]
pub enum InviteEdit {
    /// It is made.
    New(Invite),
    /// It is used, and used up.
    Used(HashedKey),
}

/// Everything that changes together. Others' items are left as they are.
#[derive(Clone, Debug, Default)]
pub struct AccountChange {
    /// The client.
    pub client: Option<Edit<Client>>,
    /// Users of it.
    pub users: Vec<Edit<User>>,
    /// Workspaces of it.
    pub workspaces: Vec<Edit<Workspace>>,
    /// An invitation.
    pub invite: Option<InviteEdit>,
    /// A user's new password.
    pub password: Option<(UserId, PasswordHash)>,
}

/// How a change of accounts went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AccountChanged {
    /// It is made.
    Done,
    /// Somebody has changed one of the things meanwhile: read them again, and decide again.
    Outdated,
    /// Somebody uses this address already.
    EmailTaken,
    /// Another client has this slug.
    SlugTaken,
    /// The same was asked for before, and is answered already.
    AnsweredBefore,
}

/// The actions of a change, and what it means where the condition of one does not hold.
struct Actions<'a> {
    table: &'a str,
    list: Vec<TransactWriteItem>,
    meanings: Vec<AccountChanged>,
    feed: Vec<(FeedKind, String)>,
}

impl Actions<'_> {
    fn push(&mut self, action: TransactWriteItem) {
        self.push_or(AccountChanged::Outdated, action);
    }

    fn push_or(&mut self, meaning: AccountChanged, action: TransactWriteItem) {
        self.list.push(action);
        self.meanings.push(meaning);
    }

    /// An item of its own revision, whatever becomes of it.
    fn item<T>(&mut self, edit: &Edit<T>, write: impl Fn(&T) -> Attributes) -> Result<(), StoreError> {
        let action = match edit {
            Edit::New(new) => put_new(self.table, write(new))?,
            Edit::Removed(seen) => delete_seen(self.table, &write(seen))?,
            Edit::Kept(seen) => check_seen(self.table, &write(seen))?,
            Edit::Changed { before, after } => {
                let (before, mut after) = (write(before), write(after));
                after.insert("revision".to_owned(), next_revision(&before)?);
                update_changed(self.table, &before, &after, None)?
            }
        };
        self.push(action);
        Ok(())
    }

    fn client(&mut self, edit: &Edit<Client>) -> Result<(), StoreError> {
        if let Edit::New(client) = edit {
            self.push_or(AccountChanged::SlugTaken, put_new(self.table, clients::slug_taken(client))?);
        }
        if let Edit::Changed { before, after } = edit
            && before.settings != after.settings
        {
            self.feed.push((FeedKind::Client, after.id.to_string()));
        }
        self.item(edit, clients::write)
    }

    fn user(&mut self, edit: &Edit<User>) -> Result<(), StoreError> {
        match edit {
            Edit::New(user) => {
                self.push_or(AccountChanged::EmailTaken, put_new(self.table, users::email_taken(user))?);
                self.memberships(None, Some(user))?;
            }
            Edit::Changed { before, after } => {
                self.memberships(Some(before), Some(after))?;
                self.feed.push((FeedKind::User, after.id.to_string()));
            }
            Edit::Removed(user) => {
                self.push(delete_any(self.table, email_key(&user.email))?);
                self.push(delete_any(self.table, password_key(&user.id))?);
                self.memberships(Some(user), None)?;
                self.feed.push((FeedKind::User, user.id.to_string()));
            }
            Edit::Kept(_) => {}
        }
        self.item(edit, users::write)
    }

    /// Brings the lists of members to what `after` says.
    fn memberships(&mut self, before: Option<&User>, after: Option<&User>) -> Result<(), StoreError> {
        let held = |user: Option<&User>| user.map(|user| user.workspaces.clone()).unwrap_or_default();
        let (old, new) = (held(before), held(after));
        if let Some(user) = after {
            for (workspace, role) in new.iter().filter(|(workspace, role)| old.get(workspace) != Some(role)) {
                let put = Put::builder().table_name(self.table).set_item(Some(write_member(workspace, user, *role)));
                let put = put.build().map_err(StoreError::unavailable)?;
                self.push(TransactWriteItem::builder().put(put).build());
            }
        }
        if let Some(user) = before {
            for workspace in old.keys().filter(|workspace| !new.contains_key(workspace)) {
                self.push(delete_any(self.table, member_key(workspace, &user.id))?);
            }
        }
        Ok(())
    }
}

fn next_revision(before: &Attributes) -> Result<AttributeValue, StoreError> {
    let revision: u32 = Reader(before).number("revision")?;
    Ok(number(revision + 1))
}

impl Store {
    /// Makes a change of a client's accounts, tells the feed, and writes `deeds` into the client's chain.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: after the first whether it is made is unknown.
    pub async fn account_change(
        &self,
        client: &ClientId,
        change: &AccountChange,
        deeds: Vec<Deed>,
        act: &Act,
        replay: Option<&Replay>,
    ) -> Result<AccountChanged, StoreError> {
        let table = self.table(Table::Directory)?;
        let mut actions = Actions { table, list: Vec::new(), meanings: Vec::new(), feed: Vec::new() };
        for user in &change.users {
            actions.user(user)?;
        }
        if let Some(client) = &change.client {
            actions.client(client)?;
        }
        for workspace in &change.workspaces {
            if let Edit::Changed { after, .. } = workspace {
                actions.feed.push((FeedKind::Workspace, after.id.to_string()));
            }
            actions.item(workspace, workspaces::write)?;
        }
        match &change.invite {
            Some(InviteEdit::New(invite)) => actions.push(put_new(table, invites::write(invite))?),
            Some(InviteEdit::Used(hash)) => actions.push(delete_there(table, invite_key(hash))?),
            None => {}
        }
        if let Some((user, hash)) = &change.password {
            actions.push(self.password_put(user, hash)?);
        }
        let Actions { list: actions, meanings, feed, .. } = actions;
        match self.commit(Change { client, act, actions, feed, deeds, replay }).await? {
            Committed::Done => Ok(AccountChanged::Done),
            Committed::AnsweredBefore => Ok(AccountChanged::AnsweredBefore),
            Committed::ConditionFailed(place) => Ok(meanings.get(place).copied().unwrap_or(AccountChanged::Outdated)),
        }
    }
}
