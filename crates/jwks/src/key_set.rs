//! The JWK set, made anew from the store now and then.

use domain::Moment;
use domain::published_keys::SET_KEPT;
use edge::ApiError;
use store::Store;
use tokio::sync::Mutex;

use crate::document::Document;

pub(crate) struct KeySet {
    store: Store,
    /// Held over a read, so that requests that come at once cause one.
    kept: Mutex<Option<(Document, Moment)>>,
}

impl KeySet {
    pub(crate) fn new(store: Store) -> Self {
        Self { store, kept: Mutex::new(None) }
    }

    /// The set as it was at most [`SET_KEPT`] ago: a key that is withdrawn goes from here as soon as from everywhere else.
    /// Where the store is away the last one that was read is answered: the keys in it are still published, and a verifier
    /// without keys refuses everybody.
    pub(crate) async fn document(&self, now: Moment) -> Result<Document, ApiError> {
        let mut kept = self.kept.lock().await;
        if let Some((document, read)) = &*kept
            && now.since(*read).is_some_and(|age| age < SET_KEPT)
        {
            return Ok(document.clone());
        }
        match self.read().await {
            Ok((document, is_empty)) => {
                // Before the first key there is nothing to keep: the first token must find its key here.
                *kept = (!is_empty).then(|| (document.clone(), now));
                Ok(if is_empty { document.momentary() } else { document })
            }
            Err(error) => match &*kept {
                Some((document, _)) => {
                    tracing::warn!(?error, "the key set can't be read; the last known keys are answered");
                    Ok(document.clone())
                }
                None => Err(error),
            },
        }
    }

    async fn read(&self) -> Result<(Document, bool), ApiError> {
        let keys = self.store.signing_key_publics().await?;
        let set = signing::jwks(keys.iter().map(|key| key.jwk.as_str()))
            .map_err(|error| ApiError::Unavailable(Box::new(error)))?;
        Ok((Document::new(set), keys.is_empty()))
    }
}
