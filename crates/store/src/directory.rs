//! Clients and their workspaces, and the sign-up that makes both with their first user.

use domain::{Client, ClientId, ClientSettings, KeyPrefix, ScopeSet, User, UserId, Workspace, WorkspaceId};

use thiserror::Error;

use crate::calls::NotCreated;
use crate::item::{Attributes, Reader, Writer, primary_key};
use crate::{Store, StoreError, Table, users};

const CLIENT: &str = "CLIENT";
const SLUG: &str = "SLUG";

/// Why a client was not made.
#[derive(Debug, Error)]
pub enum SignUpError {
    /// Somebody uses this address already.
    #[error("e-mail address taken")]
    EmailTaken,
    /// Another client has this slug.
    #[error("slug taken")]
    SlugTaken,
    /// The store.
    #[error(transparent)]
    Store(#[from] StoreError),
}

pub(crate) fn partition(client: &ClientId) -> String {
    format!("CLIENT#{client}")
}

pub(crate) fn user_key(id: &UserId) -> String {
    format!("USER#{id}")
}

fn workspace_key(id: &WorkspaceId) -> String {
    format!("WORKSPACE#{id}")
}

impl Store {
    /// Writes a new client with its first owner and its default workspace, and takes their slug and address: all or
    /// none.
    ///
    /// # Errors
    /// [`SignUpError::EmailTaken`], [`SignUpError::SlugTaken`]; [`SignUpError::Store`].
    pub async fn client_create(&self, client: &Client, owner: &User, workspace: &Workspace) -> Result<(), SignUpError> {
        // Their order is what the answer is read by.
        let items = [
            users::email_taken(owner),
            slug_taken(client),
            write_client(client),
            users::write(owner),
            write_workspace(workspace),
        ];
        match self.create_together(Table::Directory, items).await {
            Ok(()) => Ok(()),
            Err(NotCreated::Exists(0)) => Err(SignUpError::EmailTaken),
            Err(NotCreated::Exists(1)) => Err(SignUpError::SlugTaken),
            Err(NotCreated::Exists(_)) => Err(StoreError::Exists.into()),
            Err(NotCreated::Store(error)) => Err(error.into()),
        }
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
        .with_string("owner_user_id", client.owner_user_id.as_str())
        .with_string("default_workspace_id", client.default_workspace_id.as_str())
        .with_string("default_scopes", client.settings.default_scopes.to_string())
        .with_time("created_at", client.created_at);
    match &client.settings.key_prefix {
        Some(prefix) => item.with_string("key_prefix", prefix.as_str()),
        None => item,
    }
    .done()
}

/// The item that takes a client's slug.
fn slug_taken(client: &Client) -> Attributes {
    Writer::new(format!("SLUG#{}", client.slug), SLUG).with_string("client_id", client.id.as_str()).done()
}

fn read_client(item: &Attributes) -> Result<Client, StoreError> {
    let reader = Reader(item);
    let own_prefix = reader.optional("key_prefix").map(|_| reader.parsed("key_prefix", KeyPrefix::parse));
    Ok(Client {
        id: reader.parsed("id", ClientId::parse)?,
        name: reader.string("name")?.to_owned(),
        slug: reader.string("slug")?.to_owned(),
        owner_user_id: reader.parsed("owner_user_id", UserId::parse)?,
        default_workspace_id: reader.parsed("default_workspace_id", WorkspaceId::parse)?,
        created_at: reader.time("created_at")?,
        settings: ClientSettings {
            key_prefix: own_prefix.transpose()?,
            default_scopes: reader.parsed("default_scopes", ScopeSet::parse)?,
        },
    })
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
