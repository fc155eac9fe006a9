//! Apps, found by id; those that a client has made stand in its list too.

use aws_sdk_dynamodb::types::AttributeValue;
use domain::{Act, App, AppId, ClientId, Deed, FeedKind, GrantType, HashedKey, RedirectUri, ScopeSet};

use crate::calls::{delete_any, delete_seen, put_new, update_changed};
use crate::change::{Change, Committed};
use crate::clients::partition;
use crate::item::{Attributes, Reader, Writer, binary, number, primary_key, string};
use crate::page::Page;
use crate::replay::Replay;
use crate::{Store, StoreError, Table};

pub(crate) const SORT_KEY: &str = "APP";
/// What the list's items of a client's partition begin with.
const LISTED: &str = "APP#";

/// How a change of an app went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AppChanged {
    /// It is made.
    Done,
    /// Somebody has changed it meanwhile: read it again, and decide again.
    Outdated,
    /// The same was asked for before, and is answered already.
    AnsweredBefore,
}

pub(crate) fn app_key(id: &AppId) -> Attributes {
    primary_key(format!("APP#{id}"), SORT_KEY)
}

fn listed_key(client: &ClientId, id: &AppId) -> Attributes {
    primary_key(partition(client), format!("{LISTED}{id}"))
}

impl Store {
    /// An app, whoever has made it: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn app_by_id(&self, id: &AppId) -> Result<Option<App>, StoreError> {
        let item = self.get(Table::Directory, app_key(id)).await?;
        item.as_ref().map(read).transpose()
    }

    /// An app of a client; another client's is as good as none.
    ///
    /// # Errors
    /// As [`Store::app_by_id`].
    pub async fn app_of_client(&self, client: &ClientId, id: &AppId) -> Result<Option<App>, StoreError> {
        Ok(self.app_by_id(id).await?.filter(|app| app.client_id.as_ref() == Some(client)))
    }

    /// A client's apps, by id, from behind `after`: one strong query and one read of as many items.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`], [`StoreError::Corrupt`].
    pub async fn app_list(
        &self,
        client: &ClientId,
        limit: usize,
        after: Option<&str>,
    ) -> Result<Page<App>, StoreError> {
        let id = |item: &Attributes| Reader(item).parsed("id", AppId::parse);
        let page = self.page(Table::Directory, &partition(client), LISTED, limit, after, id).await?;
        let found = self.get_many(Table::Directory, page.items.iter().map(app_key).collect()).await?;
        let mut apps = found.iter().map(read).collect::<Result<Vec<_>, _>>()?;
        apps.sort_by(|one, other| one.id.cmp(&other.id));
        Ok(Page { items: apps, next: page.next })
    }

    /// Writes a new app of a client's, with its place in the list.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: after the first whether it is made is unknown.
    pub async fn app_create(
        &self,
        client: &ClientId,
        app: &App,
        deed: Deed,
        act: &Act,
        replay: Option<&Replay>,
    ) -> Result<AppChanged, StoreError> {
        let table = self.table(Table::Directory)?;
        let mut listed = listed_key(client, &app.id);
        listed.insert("id".to_owned(), string(app.id.as_str()));
        let actions = vec![put_new(table, write(app))?, put_new(table, listed)?];
        // An app that nobody knows of is in no cache.
        self.app_commit(Change { client, act, actions, feed: Vec::new(), deeds: vec![deed], replay }).await
    }

    /// Changes `before` into `after` where nobody else has changed it meanwhile, and tells the feed.
    ///
    /// # Errors
    /// As [`Store::app_create`].
    pub async fn app_change(
        &self,
        client: &ClientId,
        before: &App,
        after: &App,
        deed: Deed,
        act: &Act,
    ) -> Result<AppChanged, StoreError> {
        self.app_become(client, before, after.clone(), deed, act, None).await
    }

    /// Gives an app another secret where nobody else has changed it meanwhile, and tells the feed: from then on the one before
    /// proves nothing. Who it is given to may ask again.
    ///
    /// # Errors
    /// As [`Store::app_create`].
    pub async fn app_rotate(
        &self,
        client: &ClientId,
        seen: &App,
        secret: HashedKey,
        deed: Deed,
        act: &Act,
        replay: Option<&Replay>,
    ) -> Result<AppChanged, StoreError> {
        let rotated = App { secret: Some(secret), ..seen.clone() };
        self.app_become(client, seen, rotated, deed, act, replay).await
    }

    async fn app_become(
        &self,
        client: &ClientId,
        before: &App,
        after: App,
        deed: Deed,
        act: &Act,
        replay: Option<&Replay>,
    ) -> Result<AppChanged, StoreError> {
        let next = App { revision: before.revision + 1, ..after };
        let actions = vec![update_changed(self.table(Table::Directory)?, &write(before), &write(&next), None)?];
        let feed = vec![(FeedKind::App, before.id.to_string())];
        self.app_commit(Change { client, act, actions, feed, deeds: vec![deed], replay }).await
    }

    /// Takes an app away, and tells the feed: all that hangs on it ends.
    ///
    /// # Errors
    /// As [`Store::app_create`].
    pub async fn app_remove(
        &self,
        client: &ClientId,
        seen: &App,
        deed: Deed,
        act: &Act,
    ) -> Result<AppChanged, StoreError> {
        let table = self.table(Table::Directory)?;
        let actions = vec![delete_seen(table, &write(seen))?, delete_any(table, listed_key(client, &seen.id))?];
        let feed = vec![(FeedKind::App, seen.id.to_string())];
        self.app_commit(Change { client, act, actions, feed, deeds: vec![deed], replay: None }).await
    }

    async fn app_commit(&self, change: Change<'_>) -> Result<AppChanged, StoreError> {
        Ok(match self.commit(change).await? {
            Committed::Done => AppChanged::Done,
            Committed::AnsweredBefore => AppChanged::AnsweredBefore,
            Committed::ConditionFailed(_) => AppChanged::Outdated,
        })
    }

    /// Writes an app that has registered itself: it belongs to no client, and stands in no list and no chain.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: whether it is there is then unknown, and nobody knows its id.
    pub async fn app_register(&self, app: &App) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(self.table(Table::Directory)?).set_item(Some(write(app)));
        aws::boxed(put.condition_expression("attribute_not_exists(pk)").send())
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }
}

fn write(app: &App) -> Attributes {
    let texts = |list: Vec<&str>| AttributeValue::L(list.into_iter().map(string).collect());
    let mut item = Writer::new(format!("APP#{}", app.id), SORT_KEY)
        .with_string("id", app.id.as_str())
        .with_string("name", &app.name)
        .with("redirect_uris", texts(app.redirect_uris.iter().map(RedirectUri::as_str).collect()))
        .with("grant_types", texts(app.grant_types.iter().map(|grant_type| grant_type.as_str()).collect()))
        .with_time("created_at", app.created_at)
        .with_string("created_by", &app.created_by)
        .with("revision", number(app.revision));
    if let Some(client) = &app.client_id {
        item = item.with_string("client_id", client.as_str());
    }
    if let Some(scopes) = &app.scopes {
        item = item.with_string("scopes", scopes.to_string());
    }
    if let Some(secret) = &app.secret {
        item = item.with("secret", binary(secret.as_bytes().as_slice()));
    }
    item.done()
}

fn read(item: &Attributes) -> Result<App, StoreError> {
    let reader = Reader(item);
    Ok(App {
        id: reader.parsed("id", AppId::parse)?,
        client_id: reader.optional_parsed("client_id", ClientId::parse)?,
        name: reader.string("name")?.to_owned(),
        redirect_uris: reader.texts("redirect_uris", RedirectUri::parse)?,
        grant_types: reader.texts("grant_types", GrantType::parse)?,
        scopes: reader.optional_parsed("scopes", ScopeSet::parse)?,
        secret: reader.optional_hash("secret")?,
        created_at: reader.time("created_at")?,
        created_by: reader.string("created_by")?.to_owned(),
        revision: reader.number("revision")?,
    })
}
