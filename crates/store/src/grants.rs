//! What users have granted to apps: codes before they are redeemed, and the grants that they are redeemed for.
//!
//! 1. A code is redeemed in one transaction: it is marked with the grant that it led to, and the grant is written, with its
//!    place in its user's list ([`crate::grant_list`]). Of two that redeem it at once one succeeds.
//! 2. A grant is refreshed by one write, on the condition that nobody else has refreshed it meanwhile.
//! 3. A grant that ends goes from the list and is told to the feed in the same transaction.
//!
//! Items go by themselves: a code's after a day, since whoever shows it again must end what it led to; a grant's an hour
//! after its own end, when no token of it can count any more.

use aws_sdk_dynamodb::types::{TransactWriteItem, Update};
use domain::app_grant::Predecessor;
use domain::{
    Act, AppGrant, AppId, AuthorizationCode, ClientId, Deed, FeedKind, GrantId, HashedKey, Refresh, Resource, ScopeSet,
    Timestamp, UserId, WorkspaceId,
};

use crate::calls::{cancelled, delete_any, put_new, update_changed};
use crate::change::{Change, Committed};
use crate::grant_list::{listed, listed_key};
use crate::item::{Attributes, Reader, Writer, binary, number, primary_key, string};
use crate::retry::{CONTENTION_ATTEMPTS, back_off};
use crate::{Store, StoreError, Table};

const CODE: &str = "CODE";
const GRANT: &str = "GRANT";
/// How long a code's item stays, in seconds: a day.
const CODE_LIFE: i64 = 24 * 3600;
/// How long a grant's item stays after its end, in seconds.
const AFTERLIFE: i64 = 3600;

/// How a redemption or a refresh went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Redeemed {
    /// It is written.
    Done,
    /// Another has used the same at the same time: read it again, and decide again.
    Outdated,
}

fn code_partition(hash: &HashedKey) -> String {
    format!("CODE#{}", hash.to_hex())
}

pub(crate) fn grant_key(id: &GrantId) -> Attributes {
    primary_key(grant_partition(id), GRANT)
}

fn grant_partition(id: &GrantId) -> String {
    format!("GRANT#{id}")
}

impl Store {
    /// Keeps a new code.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`].
    pub async fn code_create(&self, code: &AuthorizationCode) -> Result<(), StoreError> {
        let put = self.client.put_item().table_name(self.table(Table::Directory)?).set_item(Some(write_code(code)));
        aws::boxed(put.condition_expression("attribute_not_exists(pk)").send())
            .await
            .map_err(StoreError::unavailable)?;
        Ok(())
    }

    /// The code with this hash, redeemed or not: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn code_find(&self, hash: &HashedKey) -> Result<Option<AuthorizationCode>, StoreError> {
        let item = self.get(Table::Directory, primary_key(code_partition(hash), CODE)).await?;
        item.map(|item| read_code(&item, hash)).transpose()
    }

    /// Redeems a code for a new grant, in one transaction.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: after the first whether it is redeemed is unknown.
    pub async fn code_redeem(&self, code: &AuthorizationCode, grant: &AppGrant) -> Result<Redeemed, StoreError> {
        let table = self.table(Table::Directory)?;
        let marked = Update::builder()
            .table_name(table)
            .set_key(Some(primary_key(code_partition(&code.hash), CODE)))
            .update_expression("SET grant_id = :grant")
            .condition_expression("attribute_exists(pk) AND attribute_not_exists(grant_id)")
            .expression_attribute_values(":grant", string(grant.id.as_str()))
            .build()
            .map_err(StoreError::unavailable)?;
        let actions = vec![
            TransactWriteItem::builder().update(marked).build(),
            put_new(table, write(grant))?,
            put_new(table, listed(grant, &code.app_name))?,
        ];
        let sent = aws::boxed(self.client.transact_write_items().set_transact_items(Some(actions)).send()).await;
        match sent {
            Ok(_) => Ok(Redeemed::Done),
            // A conflict is another who redeems the same code.
            Err(error) if cancelled(error.as_service_error()).is_some() => Ok(Redeemed::Outdated),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// A grant: one strong read.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Corrupt`].
    pub async fn grant_by_id(&self, id: &GrantId) -> Result<Option<AppGrant>, StoreError> {
        let item = self.get(Table::Directory, grant_key(id)).await?;
        item.as_ref().map(read).transpose()
    }

    /// Gives a grant its next refresh token, by one conditional write. The feed is told nothing: its tokens still count.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`]: whether it is written is then unknown.
    pub async fn grant_refresh(&self, before: &AppGrant, refresh: Refresh) -> Result<Redeemed, StoreError> {
        let after = AppGrant { refresh: Some(refresh), revision: before.revision + 1, ..before.clone() };
        let table = self.table(Table::Directory)?;
        let action = update_changed(table, &write(before), &write(&after), Some("attribute_not_exists(ended_at)"))?;
        let sent = aws::boxed(self.client.transact_write_items().transact_items(action).send()).await;
        match sent {
            Ok(_) => Ok(Redeemed::Done),
            Err(error) if cancelled(error.as_service_error()).is_some() => Ok(Redeemed::Outdated),
            Err(error) => Err(StoreError::unavailable(error)),
        }
    }

    /// Ends a grant, and tells the feed; one that has ended, or is not there, stays so.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`], [`StoreError::Contended`]: whether it is ended is then unknown, and the call may be
    /// repeated.
    pub async fn grant_end(&self, id: &GrantId, act: &Act) -> Result<(), StoreError> {
        self.end_grant(id, act, Vec::new()).await
    }

    /// The same, with its event in the chain: `deed` stands there once, whoever else ends the grant at the same time.
    ///
    /// # Errors
    /// As [`Store::grant_end`].
    pub async fn grant_take_back(&self, id: &GrantId, deed: Deed, act: &Act) -> Result<(), StoreError> {
        self.end_grant(id, act, vec![deed]).await
    }

    async fn end_grant(&self, id: &GrantId, act: &Act, deeds: Vec<Deed>) -> Result<(), StoreError> {
        let table = self.table(Table::Directory)?;
        for attempt in 0..CONTENTION_ATTEMPTS {
            let Some(before) = self.grant_by_id(id).await?.filter(|grant| grant.ended_at.is_none()) else {
                return Ok(());
            };
            let after = AppGrant { ended_at: Some(act.at), revision: before.revision + 1, ..before.clone() };
            let change = Change {
                client: &before.client_id,
                act,
                actions: vec![
                    update_changed(table, &write(&before), &write(&after), None)?,
                    delete_any(table, listed_key(&before))?,
                ],
                feed: vec![(FeedKind::Grant, id.to_string())],
                deeds: deeds.clone(),
                replay: None,
            };
            match self.commit(change).await? {
                Committed::Done => return Ok(()),
                Committed::ConditionFailed(_) | Committed::AnsweredBefore => back_off(attempt).await,
            }
        }
        Err(StoreError::Contended)
    }
}

fn write_code(code: &AuthorizationCode) -> Attributes {
    let mut item = Writer::new(code_partition(&code.hash), CODE)
        .with_string("app_id", code.app_id.as_str())
        .with_string("app_name", &code.app_name)
        .with_string("redirect_uri", &code.redirect_uri)
        .with_string("challenge", &code.challenge)
        .with_string("client_id", code.client_id.as_str())
        .with_string("user_id", code.user_id.as_str())
        .with_string("workspace_id", code.workspace_id.as_str())
        .with_string("scopes", code.scopes.to_string())
        .with_time("issued_at", code.issued_at)
        .with_time("ttl", code.issued_at.plus(CODE_LIFE));
    if let Some(resource) = &code.resource {
        item = item.with_string("resource", resource.as_str());
    }
    item.done()
}

fn read_code(item: &Attributes, hash: &HashedKey) -> Result<AuthorizationCode, StoreError> {
    let reader = Reader(item);
    Ok(AuthorizationCode {
        hash: hash.clone(),
        app_id: reader.parsed("app_id", AppId::parse)?,
        // A code of before names lay in codes has none.
        app_name: reader.optional_parsed("app_name", |name| Some(name.to_owned()))?.unwrap_or_default(),
        redirect_uri: reader.string("redirect_uri")?.to_owned(),
        challenge: reader.string("challenge")?.to_owned(),
        client_id: reader.parsed("client_id", ClientId::parse)?,
        user_id: reader.parsed("user_id", UserId::parse)?,
        workspace_id: reader.parsed("workspace_id", WorkspaceId::parse)?,
        scopes: reader.parsed("scopes", ScopeSet::parse)?,
        resource: reader.optional_parsed("resource", Resource::parse)?,
        issued_at: reader.time("issued_at")?,
        redeemed_for: reader.optional_parsed("grant_id", GrantId::parse)?,
    })
}

/// When nothing of a grant needs to be there any more.
pub(crate) fn gone_at(grant: &AppGrant) -> Timestamp {
    grant.expires_at.plus(AFTERLIFE)
}

fn write(grant: &AppGrant) -> Attributes {
    let mut item = Writer::new(grant_partition(&grant.id), GRANT)
        .with_string("id", grant.id.as_str())
        .with_string("client_id", grant.client_id.as_str())
        .with_string("user_id", grant.user_id.as_str())
        .with_string("app_id", grant.app_id.as_str())
        .with_string("scopes", grant.scopes.to_string())
        .with_string("workspace_id", grant.workspace_id.as_str())
        .with_time("created_at", grant.created_at)
        .with_time("expires_at", grant.expires_at)
        .with_optional_time("ended_at", grant.ended_at)
        .with_time("ttl", gone_at(grant))
        .with("revision", number(grant.revision));
    if let Some(resource) = &grant.resource {
        item = item.with_string("resource", resource.as_str());
    }
    if let Some(Refresh { family, current, predecessor }) = &grant.refresh {
        item = item
            .with("refresh_family", binary(family.as_bytes().as_slice()))
            .with("refresh_current", binary(current.as_bytes().as_slice()));
        if let Some(before) = predecessor {
            item = item
                .with("refresh_used", binary(before.hash.as_bytes().as_slice()))
                .with_time("refresh_used_at", before.used_at)
                .with("refresh_successor", binary(before.successor.as_slice()));
        }
    }
    item.done()
}

pub(crate) fn read(item: &Attributes) -> Result<AppGrant, StoreError> {
    let reader = Reader(item);
    Ok(AppGrant {
        id: reader.parsed("id", GrantId::parse)?,
        client_id: reader.parsed("client_id", ClientId::parse)?,
        user_id: reader.parsed("user_id", UserId::parse)?,
        app_id: reader.parsed("app_id", AppId::parse)?,
        scopes: reader.parsed("scopes", ScopeSet::parse)?,
        workspace_id: reader.parsed("workspace_id", WorkspaceId::parse)?,
        resource: reader.optional_parsed("resource", Resource::parse)?,
        created_at: reader.time("created_at")?,
        expires_at: reader.time("expires_at")?,
        ended_at: reader.optional_time("ended_at")?,
        refresh: read_refresh(&reader)?,
        revision: reader.number("revision")?,
    })
}

fn read_refresh(reader: &Reader<'_>) -> Result<Option<Refresh>, StoreError> {
    let Some(current) = reader.optional_hash("refresh_current")? else { return Ok(None) };
    let family = reader.optional_hash("refresh_family")?.ok_or(StoreError::Corrupt("refresh_family"))?;
    let predecessor = match reader.optional_hash("refresh_used")? {
        None => None,
        Some(hash) => Some(Predecessor {
            hash,
            used_at: reader.time("refresh_used_at")?,
            successor: reader.binary("refresh_successor")?.to_vec(),
        }),
    };
    Ok(Some(Refresh { family, current, predecessor }))
}
