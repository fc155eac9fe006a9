//! Workspaces, and who is in them.
//!
//! That a user is in a workspace stands in the user's item, by which it is judged. For the list of a workspace's members
//! it stands in an item of its own as well, `WORKSPACE#<workspace>` / `MEMBER#<user>`, written in the same transaction.

use domain::{ClientId, ScopeSet, User, UserId, Workspace, WorkspaceId, WorkspaceRole, WorkspaceStatus};

use crate::clients::partition;
use crate::item::{Attributes, Reader, Writer, boolean, number, primary_key};
use crate::page::Page;
use crate::{Store, StoreError, Table};

const PREFIX: &str = "WORKSPACE#";
const MEMBER: &str = "MEMBER#";

/// That a user is in a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// The user.
    pub user_id: UserId,
    /// What the user may do there.
    pub role: WorkspaceRole,
}

fn sort_key(id: &WorkspaceId) -> String {
    format!("{PREFIX}{id}")
}

fn members(id: &WorkspaceId) -> String {
    format!("WORKSPACE#{id}")
}

impl Store {
    /// A workspace of a client: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn workspace_by_id(&self, client: &ClientId, id: &WorkspaceId) -> Result<Option<Workspace>, StoreError> {
        let item = self.get(Table::Directory, primary_key(partition(client), sort_key(id))).await?;
        item.as_ref().map(read).transpose()
    }

    /// A client's workspaces, by id, from behind `after`: one strong query.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn workspace_list(
        &self,
        client: &ClientId,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<Workspace>, StoreError> {
        self.page(Table::Directory, &partition(client), PREFIX, limit, after, read).await
    }

    /// A workspace's members, by id, from behind `after`: one strong query. Whether the workspace is the client's own is
    /// for the caller to know.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn member_list(
        &self,
        workspace: &WorkspaceId,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<Member>, StoreError> {
        self.page(Table::Directory, &members(workspace), MEMBER, limit, after, read_member).await
    }
}

/// The key of the item that lists a user among a workspace's members.
pub(crate) fn member_key(workspace: &WorkspaceId, user: &UserId) -> Attributes {
    primary_key(members(workspace), format!("{MEMBER}{user}"))
}

/// That item.
pub(crate) fn write_member(workspace: &WorkspaceId, user: &User, role: WorkspaceRole) -> Attributes {
    Writer::new(members(workspace), format!("{MEMBER}{}", user.id))
        .with_string("client_id", user.client_id.as_str())
        .with_string("user_id", user.id.as_str())
        .with_string("role", role.as_str())
        .done()
}

fn read_member(item: &Attributes) -> Result<Member, StoreError> {
    let reader = Reader(item);
    Ok(Member { user_id: reader.parsed("user_id", UserId::parse)?, role: reader.parsed("role", WorkspaceRole::parse)? })
}

pub(crate) fn write(workspace: &Workspace) -> Attributes {
    let item = Writer::new(partition(&workspace.client_id), sort_key(&workspace.id))
        .with_string("id", workspace.id.as_str())
        .with_string("client_id", workspace.client_id.as_str())
        .with_string("name", &workspace.name)
        .with_string("owner_user_id", workspace.owner_user_id.as_str())
        .with("personal_keys_allowed", boolean(workspace.personal_keys_allowed))
        .with_string("status", workspace.status.as_str())
        .with_time("created_at", workspace.created_at)
        .with("revision", number(workspace.revision));
    match &workspace.member_scopes {
        Some(scopes) => item.with_string("member_scopes", scopes.to_string()),
        None => item,
    }
    .done()
}

fn read(item: &Attributes) -> Result<Workspace, StoreError> {
    let reader = Reader(item);
    Ok(Workspace {
        id: reader.parsed("id", WorkspaceId::parse)?,
        client_id: reader.parsed("client_id", ClientId::parse)?,
        name: reader.string("name")?.to_owned(),
        owner_user_id: reader.parsed("owner_user_id", UserId::parse)?,
        personal_keys_allowed: reader.boolean("personal_keys_allowed")?,
        member_scopes: reader.optional_parsed("member_scopes", ScopeSet::parse)?,
        status: reader.parsed("status", WorkspaceStatus::parse)?,
        created_at: reader.time("created_at")?,
        revision: reader.number("revision")?,
    })
}
