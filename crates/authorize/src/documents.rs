//! Apps whose id is the address of a document that describes them (draft-ietf-oauth-client-id-metadata-document; MCP
//! 2026-07-28, "Authorization").
//!
//! 1. A document that was read some minutes ago counts; otherwise it is read, which is counted for the address of whoever
//!    asks: no stranger makes this function knock at another stranger's door as often as they like.
//! 2. Only public addresses are asked ([`outbound`]), for at most 5 KB of JSON.
//! 3. The document must name its own address as its id. What is in it is then what a registration would be.
//!
//! A document that can't be read or is wrong is not kept. Why, is in the log alone.

use std::net::IpAddr;
use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use domain::{Access, AppId, RedirectUri, Timestamp, strict_json};
use edge::ApiError;
use login::attempts;
use lru::LruCache;
use outbound::{Fetched, Outbound};
use serde::Deserialize;
use serde::de::IgnoredAny;
use store::Store;
use thiserror::Error;
use url::Url;

use crate::metadata::Metadata;

/// The largest document, in bytes: what the draft recommends.
const MAX_BYTES: usize = 5 * 1024;
/// For how long a document that says nothing of it is kept, and the bounds of what it may say, in seconds.
const KEPT: u64 = 300;
const KEPT_AT_LEAST: u64 = 60;
const KEPT_AT_MOST: u64 = 3600;
/// How many documents are kept.
const MAX_KEPT: NonZeroUsize = NonZeroUsize::new(100).unwrap();

/// The documents of apps.
pub struct Documents {
    outbound: Outbound,
    /// Documents that one address may have read in an hour; 0: none are.
    per_hour: u32,
    kept: Mutex<LruCache<AppId, Kept>>,
}

struct Kept {
    app: domain::App,
    until: Timestamp,
}

#[derive(Deserialize)]
struct Document {
    client_id: String,
    client_secret: Option<IgnoredAny>,
    client_secret_expires_at: Option<IgnoredAny>,
    #[serde(flatten)]
    metadata: Metadata,
}

/// Why a document describes no app.
#[derive(Debug, Error)]
enum Problem {
    #[error(transparent)]
    Unread(#[from] outbound::Failure),
    #[error("it is no JSON by its media type")]
    NotJson,
    #[error("it is not of the right form: {0}")]
    Malformed(#[from] serde_json::Error),
    #[error("it is about another app")]
    OtherApp,
    #[error("it says that the app has a secret, or proves itself in a way that is not known here")]
    NotPublic,
    #[error("it has no redirect URI that an app may have")]
    NoRedirectUri,
    #[error("{0}")]
    Wrong(&'static str),
}

impl Documents {
    /// Reads documents through `outbound`; `per_hour` of them for one address, or none at all where that is 0.
    #[must_use]
    pub fn new(outbound: Outbound, per_hour: u32) -> Self {
        Self { outbound, per_hour, kept: Mutex::new(LruCache::new(MAX_KEPT)) }
    }

    /// The app that the document at `url`, its `id`, describes; `None` where there is no such document.
    pub(crate) async fn app(
        &self,
        id: &AppId,
        url: &str,
        (store, access): (&Store, &Access),
        source: Option<IpAddr>,
        now: Timestamp,
    ) -> Result<Option<domain::App>, ApiError> {
        if self.per_hour == 0 {
            return Ok(None);
        }
        if let Some(app) = self.kept(id, now) {
            return Ok(Some(app));
        }
        attempts::hourly(store, "documents", self.per_hour, source, now).await?;
        match self.read(id, url, access, now).await {
            Ok(app) => Ok(Some(app)),
            Err(problem) => {
                tracing::warn!(
                    document = url,
                    error = &problem as &dyn std::error::Error,
                    "an app's document is not taken"
                );
                Ok(None)
            }
        }
    }

    fn kept(&self, id: &AppId, now: Timestamp) -> Option<domain::App> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.get(id).filter(|kept| now < kept.until).map(|kept| kept.app.clone())
    }

    async fn read(&self, id: &AppId, url: &str, access: &Access, now: Timestamp) -> Result<domain::App, Problem> {
        let url = Url::parse(url).map_err(|_| Problem::Wrong("its address is no URL"))?;
        let fetched = self.outbound.get(&url, "application/json", MAX_BYTES).await?;
        let app = described(id, &fetched, access, now)?;
        let seconds = fetched.max_age.unwrap_or(KEPT).clamp(KEPT_AT_LEAST, KEPT_AT_MOST);
        let until = now.plus(seconds.cast_signed());
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.put(id.clone(), Kept { app: app.clone(), until });
        Ok(app)
    }
}

/// What a document says.
fn described(id: &AppId, fetched: &Fetched, access: &Access, at: Timestamp) -> Result<domain::App, Problem> {
    // Whoever may lay a picture or a text on another's site can't lay an app there.
    let subtype = fetched.media_type.strip_prefix("application/").unwrap_or_default();
    if subtype != "json" && !subtype.ends_with("+json") {
        return Err(Problem::NotJson);
    }
    let document: Document = strict_json::from_slice(&fetched.body)?;
    if document.client_id != id.as_str() {
        return Err(Problem::OtherApp);
    }
    let metadata = document.metadata;
    let has_secret = document.client_secret.is_some() || document.client_secret_expires_at.is_some();
    // A secret would stand in what everybody reads, and keys of an app's own are not known here.
    if has_secret || metadata.token_endpoint_auth_method.as_deref().is_some_and(|method| method != "none") {
        return Err(Problem::NotPublic);
    }
    // The same document is read by many: what others may take is no reason to refuse the rest.
    let redirect_uris: Vec<_> =
        metadata.redirect_uris.iter().flatten().filter_map(|uri| RedirectUri::parse(uri)).collect();
    if redirect_uris.is_empty() {
        return Err(Problem::NoRedirectUri);
    }
    metadata.app(id.clone(), redirect_uris, access, at).map_err(Problem::Wrong)
}
