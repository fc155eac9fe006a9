//! Clients: the tenants.

use domain::{Client, ClientId, ClientSettings, KeyPrefix, ScopeSet, UserId, WorkspaceId};

use crate::item::{Attributes, Reader, Writer, number, primary_key};
use crate::{Store, StoreError, Table};

const CLIENT: &str = "CLIENT";
const SLUG: &str = "SLUG";

/// The partition of a client, its users and its workspaces.
pub(crate) fn partition(client: &ClientId) -> String {
    format!("CLIENT#{client}")
}

impl Store {
    /// A client: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn client_by_id(&self, id: &ClientId) -> Result<Option<Client>, StoreError> {
        let item = self.get(Table::Directory, primary_key(partition(id), CLIENT)).await?;
        item.as_ref().map(read).transpose()
    }
}

/// The item that takes a client's slug.
pub(crate) fn slug_taken(client: &Client) -> Attributes {
    Writer::new(format!("SLUG#{}", client.slug), SLUG).with_string("client_id", client.id.as_str()).done()
}

pub(crate) fn write(client: &Client) -> Attributes {
    let settings = &client.settings;
    let mut item = Writer::new(partition(&client.id), CLIENT)
        .with_string("id", client.id.as_str())
        .with_string("name", &client.name)
        .with_string("slug", &client.slug)
        .with_string("owner_user_id", client.owner_user_id.as_str())
        .with_string("default_workspace_id", client.default_workspace_id.as_str())
        .with_string("default_scopes", settings.default_scopes.to_string())
        .with_time("created_at", client.created_at)
        .with("owners", number(client.owners))
        .with("revision", number(client.revision));
    if let Some(prefix) = &settings.key_prefix {
        item = item.with_string("key_prefix", prefix.as_str());
    }
    if let Some(lifetime) = settings.token_lifetime {
        item = item.with("token_lifetime", number(lifetime));
    }
    item.done()
}

fn read(item: &Attributes) -> Result<Client, StoreError> {
    let reader = Reader(item);
    Ok(Client {
        id: reader.parsed("id", ClientId::parse)?,
        name: reader.string("name")?.to_owned(),
        slug: reader.string("slug")?.to_owned(),
        owner_user_id: reader.parsed("owner_user_id", UserId::parse)?,
        default_workspace_id: reader.parsed("default_workspace_id", WorkspaceId::parse)?,
        created_at: reader.time("created_at")?,
        settings: ClientSettings {
            key_prefix: reader.optional_parsed("key_prefix", KeyPrefix::parse)?,
            default_scopes: reader.parsed("default_scopes", ScopeSet::parse)?,
            token_lifetime: reader.optional("token_lifetime").map(|_| reader.number("token_lifetime")).transpose()?,
        },
        owners: reader.number("owners")?,
        revision: reader.number("revision")?,
    })
}
