//! Creating calls that may be repeated (`Idempotency-Key`).
//!
//! 1. A caller names a call, 1 to 128 printable characters, so that it may send it again if the answer is lost.
//! 2. What the call makes and what it is answered are written in one transaction.
//! 3. The same name and the same request within 24 hours get the same answer, without the secret, which was shown once; the
//!    same name for something else is a conflict. Names are a client's own.

use domain::{ClientId, HashedKey, Timestamp};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use store::replay::Replay;
use store::{Store, StoreError};

use crate::error::ApiError;
use crate::reply::Reply;
use crate::request::{Body, Request};

const HEADER: &str = "idempotency-key";
const MAX_LENGTH: usize = 128;

/// A creating call, with its name if its caller has given it one.
#[derive(Debug)]
pub struct Repeatable {
    named: Option<Named>,
}

#[derive(Debug)]
struct Named {
    name: HashedKey,
    asked: HashedKey,
}

impl Repeatable {
    /// Reads the header.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a name of another form, or two of them.
    pub fn read(request: &Request) -> Result<Self, ApiError> {
        let wrong =
            || ApiError::BadRequest("`Idempotency-Key` must be one of 1 to 128 printable characters".to_owned());
        let mut values = request.headers().get_all(HEADER).iter();
        let Some(value) = values.next() else { return Ok(Self { named: None }) };
        let text = value.to_str().map_err(|_| wrong())?;
        let printable = text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic());
        if values.next().is_some() || !(1..=MAX_LENGTH).contains(&text.len()) || !printable {
            return Err(wrong());
        }
        Ok(Self { named: Some(Named { name: HashedKey::of_text(text), asked: asked(request) }) })
    }

    /// The answer that the call was given before, if it was.
    ///
    /// # Errors
    /// [`ApiError::Conflict`] where its name was given to something else; [`ApiError::Unavailable`].
    pub async fn answered(&self, store: &Store, client: &ClientId, now: Timestamp) -> Result<Option<Reply>, ApiError> {
        let Some(named) = &self.named else { return Ok(None) };
        let Some(kept) = store.replay_find(client, &named.name, now).await? else { return Ok(None) };
        if !kept.asked.matches(&named.asked) {
            return Err(ApiError::Conflict("This `Idempotency-Key` was used for another request".to_owned()));
        }
        let mut reply = Reply::new(Body::Text(kept.body));
        *reply.status_mut() = StatusCode::from_u16(kept.status).unwrap_or(StatusCode::OK);
        let headers = reply.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.insert("idempotency-replayed", HeaderValue::from_static("true"));
        Ok(Some(reply))
    }

    /// The same, for a call that has just found it answered by another that ran beside it.
    ///
    /// # Errors
    /// As [`Repeatable::answered`].
    pub async fn answered_beside(&self, store: &Store, client: &ClientId, now: Timestamp) -> Result<Reply, ApiError> {
        self.answered(store, client, now).await?.ok_or_else(|| StoreError::Contended.into())
    }

    /// What to keep for a repetition: `body` must be the answer with `null` for each secret.
    #[must_use]
    pub fn keep(&self, status: StatusCode, body: &impl Serialize) -> Option<Replay> {
        let named = self.named.as_ref()?;
        Some(Replay {
            name: named.name.clone(),
            asked: named.asked.clone(),
            status: status.as_u16(),
            // As for every answer: our own bodies can be written.
            body: serde_json::to_string(body).unwrap_or_default(),
        })
    }
}

/// All that a request asks for.
fn asked(request: &Request) -> HashedKey {
    let mut bytes = format!("{} {}\n", request.method(), request.path()).into_bytes();
    bytes.extend_from_slice(request.body().as_bytes());
    HashedKey::of_bytes(&bytes)
}
