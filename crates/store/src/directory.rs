//! Clients, their users and workspaces.

use domain::{Client, ClientId, ClientSettings, KeyPrefix, ScopeSet, User, UserId, Workspace, WorkspaceId};

use crate::item::{Attributes, Reader, Writer, primary_key};
use crate::{Store, StoreError, Table};

const CLIENT: &str = "CLIENT";

fn partition(client: &ClientId) -> String {
    format!("CLIENT#{client}")
}

fn user_key(id: &UserId) -> String {
    format!("USER#{id}")
}

fn workspace_key(id: &WorkspaceId) -> String {
    format!("WORKSPACE#{id}")
}

impl Store {
    /// Writes a new client with its first owner and its default workspace, all or none.
    ///
    /// # Errors
    /// [`StoreError::Exists`], [`StoreError::Contended`], [`StoreError::Unavailable`].
    pub async fn client_create(&self, client: &Client, owner: &User, workspace: &Workspace) -> Result<(), StoreError> {
        let items = [write_client(client), write_user(owner), write_workspace(workspace)];
        self.create_together(Table::Directory, items).await
    }

    /// A client.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn client_by_id(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        self.directory_item(id, CLIENT).await?.as_ref().map(read_client).transpose()
    }

    /// A workspace of a client.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn workspace_by_id(&self, client: &ClientId, id: &WorkspaceId) -> Result<Option<Workspace>, StoreError> {
        self.directory_item(client, &workspace_key(id)).await?.as_ref().map(read_workspace).transpose()
    }

    async fn directory_item(&self, client: &ClientId, sort_key: &str) -> Result<Option<Attributes>, StoreError> {
        self.get(Table::Directory, primary_key(partition(client), sort_key)).await
    }
}

fn write_client(client: &Client) -> Attributes {
    let item = Writer::new(partition(&client.id), CLIENT)
        .with_string("id", client.id.as_str())
        .with_string("name", &client.name)
        .with_string("slug", &client.slug)
        .with_string("default_workspace_id", client.default_workspace_id.as_str())
        .with_string("default_scopes", client.settings.default_scopes.to_string())
        .with_time("created_at", client.created_at);
    match &client.settings.key_prefix {
        Some(prefix) => item.with_string("key_prefix", prefix.as_str()),
        None => item,
    }
    .done()
}

fn read_client(item: &Attributes) -> Result<Client, StoreError> {
    let reader = Reader(item);
    let own_prefix = reader.optional("key_prefix").map(|_| reader.parsed("key_prefix", KeyPrefix::parse));
    Ok(Client {
        id: reader.parsed("id", ClientId::parse)?,
        name: reader.string("name")?.to_owned(),
        slug: reader.string("slug")?.to_owned(),
        default_workspace_id: reader.parsed("default_workspace_id", WorkspaceId::parse)?,
        created_at: reader.time("created_at")?,
        settings: ClientSettings {
            key_prefix: own_prefix.transpose()?,
            default_scopes: reader.parsed("default_scopes", ScopeSet::parse)?,
        },
    })
}

fn write_user(user: &User) -> Attributes {
    Writer::new(partition(&user.client_id), user_key(&user.id))
        .with_string("id", user.id.as_str())
        .with_string("client_id", user.client_id.as_str())
        .with_string("email", &user.email)
        .with_string("role", user.role.as_str())
        .with_time("created_at", user.created_at)
        .done()
}

fn write_workspace(workspace: &Workspace) -> Attributes {
    Writer::new(partition(&workspace.client_id), workspace_key(&workspace.id))
        .with_string("id", workspace.id.as_str())
        .with_string("client_id", workspace.client_id.as_str())
        .with_string("name", &workspace.name)
        .with_string("owner_user_id", workspace.owner_user_id.as_str())
        .with_time("created_at", workspace.created_at)
        .done()
}

fn read_workspace(item: &Attributes) -> Result<Workspace, StoreError> {
    let reader = Reader(item);
    Ok(Workspace {
        id: reader.parsed("id", WorkspaceId::parse)?,
        client_id: reader.parsed("client_id", ClientId::parse)?,
        name: reader.string("name")?.to_owned(),
        owner_user_id: reader.parsed("owner_user_id", UserId::parse)?,
        created_at: reader.time("created_at")?,
    })
}
