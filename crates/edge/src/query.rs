//! Query parameters: each at most once, none unknown.

use std::collections::BTreeMap;

use crate::error::ApiError;
use crate::request::Request;

/// The query parameters of a request.
#[derive(Debug)]
pub struct Query(BTreeMap<String, String>);

impl Query {
    /// Reads them.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for a name that is not in `known`, or stands there twice.
    pub fn read(request: &Request, known: &[&str]) -> Result<Self, ApiError> {
        let mut parameters = BTreeMap::new();
        for (name, value) in request.query() {
            if !known.contains(&name) {
                return Err(ApiError::BadRequest(format!("Unknown query parameter, expected {}", known.join(", "))));
            }
            if parameters.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(ApiError::BadRequest(format!("The query parameter `{name}` stands there twice")));
            }
        }
        Ok(Self(parameters))
    }

    /// A parameter that `parse` must take; `None` where it was left out.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] where `parse` does not take it; `expected` says what it takes.
    pub fn parsed<T>(
        &self,
        name: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, ApiError> {
        let Some(text) = self.0.get(name) else { return Ok(None) };
        let wrong = || ApiError::BadRequest(format!("The query parameter `{name}` must be {expected}"));
        parse(text).map(Some).ok_or_else(wrong)
    }

    /// `limit`: 1 to 100, 50 where it was left out.
    ///
    /// # Errors
    /// [`ApiError::BadRequest`] for anything else.
    pub fn limit(&self) -> Result<usize, ApiError> {
        let parse = |text: &str| {
            let plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
            text.parse().ok().filter(|limit| plain && (1..=100).contains(limit))
        };
        Ok(self.parsed("limit", "a number from 1 to 100", parse)?.unwrap_or(50))
    }
}
