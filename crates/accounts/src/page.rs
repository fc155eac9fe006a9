//! Pages of lists.

use edge::{ApiError, Query, Request};
use serde::Serialize;

/// A page as callers see it.
#[derive(Serialize)]
pub(crate) struct PageView<T> {
    data: Vec<T>,
    next_cursor: Option<String>,
}

/// The part of a list that a request asks for.
pub(crate) struct Asked {
    list: String,
    /// So many at most.
    pub(crate) limit: usize,
    /// From behind this id.
    pub(crate) after: Option<String>,
}

impl Asked {
    /// Reads `limit` and `cursor`. `list` names the list, so that a cursor is good in that one alone.
    ///
    /// # Errors
    /// 400 for anything else, and where the cursor leads to no id that `is_id` takes.
    pub(crate) fn read(request: &Request, list: String, is_id: impl Fn(&str) -> bool) -> Result<Self, ApiError> {
        let query = Query::read(request, &["limit", "cursor"])?;
        let limit = query.limit()?;
        let cursor = query.parsed("cursor", "one that this list has given", |text| Some(text.to_owned()))?;
        let after = cursor.map(|cursor| edge::decode_cursor(&list, &cursor)).transpose()?;
        if after.as_deref().is_some_and(|place| !is_id(place)) {
            return Err(ApiError::BadRequest("The cursor is not of this list".to_owned()));
        }
        Ok(Self { list, limit, after })
    }

    /// The answer, with a cursor that leads behind `next`.
    pub(crate) fn answer<T>(&self, data: Vec<T>, next: Option<&str>) -> PageView<T> {
        PageView { data, next_cursor: next.map(|place| edge::encode_cursor(&self.list, place)) }
    }
}
