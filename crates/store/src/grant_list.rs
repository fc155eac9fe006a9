//! The grants of a user that count: what the user has allowed to which app.
//!
//! 1. A grant's place is written with the grant, goes with its end in one transaction, and by itself after its time.
//! 2. A place says which grant it is and how the app was called when the user allowed it; all else is read from the grant, so
//!    that the list can't say anything else than what counts.
//! 3. What hangs on an app that is gone counts no more, and is left out.

use std::collections::{BTreeSet, HashMap};

use domain::{AppGrant, AppId, GrantId, Timestamp, UserId};

use crate::apps::{self, app_key};
use crate::grants::{gone_at, grant_key, read};
use crate::item::{Attributes, Reader, Writer, primary_key};
use crate::page::Page;
use crate::{Store, StoreError, Table};

/// What the sort keys of a user's grants begin with: a key condition can't ask for nothing.
const PREFIX: &str = "GRANT#";

/// A grant as it stands in its user's list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ListedGrant {
    /// The grant.
    pub grant: AppGrant,
    /// The app's name, as it was shown to the user.
    pub app_name: String,
}

/// A place in the list.
struct Place {
    id: GrantId,
    app_id: AppId,
    app_name: String,
}

fn grants_of(user: &UserId) -> String {
    format!("GRANTS#{user}")
}

fn place(grant: &AppGrant) -> (String, String) {
    (grants_of(&grant.user_id), format!("{PREFIX}{}", grant.id))
}

/// The key of a grant's place.
pub(crate) fn listed_key(grant: &AppGrant) -> Attributes {
    let (pk, sk) = place(grant);
    primary_key(pk, sk)
}

/// A grant's place.
pub(crate) fn listed(grant: &AppGrant, app_name: &str) -> Attributes {
    let (pk, sk) = place(grant);
    Writer::new(pk, sk)
        .with_string("id", grant.id.as_str())
        .with_string("app_id", grant.app_id.as_str())
        .with_string("app_name", app_name)
        .with_time("ttl", gone_at(grant))
        .done()
}

fn read_place(item: &Attributes) -> Result<Place, StoreError> {
    let reader = Reader(item);
    Ok(Place {
        id: reader.parsed("id", GrantId::parse)?,
        app_id: reader.parsed("app_id", AppId::parse)?,
        app_name: reader.string("app_name")?.to_owned(),
    })
}

impl Store {
    /// The grants of a user that count, by id, from behind `after`: one strong query, and one read of as many grants and of
    /// their apps. A page may have fewer than `limit` and still be followed by another.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`], [`StoreError::Corrupt`].
    pub async fn grant_list(
        &self,
        user: &UserId,
        limit: usize,
        after: Option<&str>,
        now: Timestamp,
    ) -> Result<Page<ListedGrant>, StoreError> {
        let page = self.page(Table::Directory, &grants_of(user), PREFIX, limit, after, read_place).await?;
        let registered = page.items.iter().map(|place| &place.app_id).filter(|app| app.document().is_none());
        let registered: BTreeSet<&AppId> = registered.collect();
        let grants = page.items.iter().map(|place| grant_key(&place.id));
        let keys = grants.chain(registered.into_iter().map(app_key)).collect();
        let (mut grants, mut there) = (HashMap::new(), BTreeSet::new());
        for item in self.get_many(Table::Directory, keys).await? {
            if Reader(&item).string("sk")? == apps::SORT_KEY {
                there.insert(Reader(&item).parsed("id", AppId::parse)?);
            } else {
                let grant = read(&item)?;
                grants.insert(grant.id.clone(), grant);
            }
        }
        let items = page.items.into_iter().filter_map(|Place { id, app_id, app_name }| {
            let grant = grants.remove(&id).filter(|grant| grant.counts(now))?;
            let is_there = app_id.document().is_some() || there.contains(&app_id);
            is_there.then_some(ListedGrant { grant, app_name })
        });
        Ok(Page { items: items.collect(), next: page.next })
    }
}
