//! Items of a table as typed attributes.

use std::collections::HashMap;
use std::fmt::Display;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use domain::{HashedKey, KeyId, Timestamp};

use crate::error::StoreError;

pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// A string attribute.
pub(crate) fn string(text: impl Into<String>) -> AttributeValue {
    AttributeValue::S(text.into())
}

/// A number attribute.
pub(crate) fn number(value: impl Display) -> AttributeValue {
    AttributeValue::N(format!("{value}"))
}

/// A binary attribute.
pub(crate) fn binary(bytes: impl Into<Vec<u8>>) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// A true or false attribute.
pub(crate) fn boolean(value: bool) -> AttributeValue {
    AttributeValue::Bool(value)
}

/// The primary key of an item.
pub(crate) fn primary_key(pk: impl Into<String>, sk: impl Into<String>) -> Attributes {
    HashMap::from([("pk".to_owned(), string(pk)), ("sk".to_owned(), string(sk))])
}

/// The partition of everything that belongs to one key.
pub(crate) fn key_partition(id: &KeyId) -> String {
    format!("KEY#{id}")
}

/// An item to write, attribute by attribute.
pub(crate) struct Writer(Attributes);

impl Writer {
    pub(crate) fn new(pk: impl Into<String>, sk: impl Into<String>) -> Self {
        Self(primary_key(pk, sk))
    }

    pub(crate) fn with(mut self, name: &str, value: AttributeValue) -> Self {
        self.0.insert(name.to_owned(), value);
        self
    }

    pub(crate) fn with_string(self, name: &str, text: impl Into<String>) -> Self {
        self.with(name, string(text))
    }

    pub(crate) fn with_time(self, name: &str, time: Timestamp) -> Self {
        self.with(name, number(time.unix()))
    }

    pub(crate) fn with_optional_time(self, name: &str, time: Option<Timestamp>) -> Self {
        match time {
            Some(time) => self.with_time(name, time),
            None => self,
        }
    }

    pub(crate) fn done(self) -> Attributes {
        self.0
    }
}

/// An item that was read. A missing attribute or one of another kind is [`StoreError::Corrupt`], which names the
/// attribute and never its value.
pub(crate) struct Reader<'a>(pub(crate) &'a Attributes);

impl Reader<'_> {
    /// The attribute if it is there.
    pub(crate) fn optional(&self, name: &'static str) -> Option<&AttributeValue> {
        self.0.get(name)
    }

    pub(crate) fn string(&self, name: &'static str) -> Result<&str, StoreError> {
        self.optional(name).and_then(|value| value.as_s().ok()).map(String::as_str).ok_or(StoreError::Corrupt(name))
    }

    /// A string that `parse` must take.
    pub(crate) fn parsed<T>(&self, name: &'static str, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, StoreError> {
        parse(self.string(name)?).ok_or(StoreError::Corrupt(name))
    }

    /// As [`Reader::parsed`], where the attribute is there.
    pub(crate) fn optional_parsed<T>(
        &self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, StoreError> {
        self.optional(name).is_some().then(|| self.parsed(name, parse)).transpose()
    }

    pub(crate) fn boolean(&self, name: &'static str) -> Result<bool, StoreError> {
        self.optional(name).and_then(|value| value.as_bool().ok()).copied().ok_or(StoreError::Corrupt(name))
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, StoreError> {
        let text = self.optional(name).and_then(|value| value.as_n().ok()).ok_or(StoreError::Corrupt(name))?;
        text.parse().map_err(|_| StoreError::Corrupt(name))
    }

    pub(crate) fn time(&self, name: &'static str) -> Result<Timestamp, StoreError> {
        self.number(name).map(Timestamp::from_unix)
    }

    pub(crate) fn optional_time(&self, name: &'static str) -> Result<Option<Timestamp>, StoreError> {
        self.optional(name).is_some().then(|| self.time(name)).transpose()
    }

    pub(crate) fn binary(&self, name: &'static str) -> Result<&[u8], StoreError> {
        self.optional(name).and_then(|value| value.as_b().ok()).map(AsRef::as_ref).ok_or(StoreError::Corrupt(name))
    }

    /// A list of strings, each of which `parse` must take.
    pub(crate) fn texts<T>(&self, name: &'static str, parse: impl Fn(&str) -> Option<T>) -> Result<Vec<T>, StoreError> {
        let corrupt = || StoreError::Corrupt(name);
        let list = self.optional(name).and_then(|value| value.as_l().ok()).ok_or_else(corrupt)?;
        list.iter().map(|text| text.as_s().ok().and_then(|text| parse(text)).ok_or_else(corrupt)).collect()
    }

    /// The hash of a secret, where there is one.
    pub(crate) fn optional_hash(&self, name: &'static str) -> Result<Option<HashedKey>, StoreError> {
        let hash = |_| HashedKey::from_bytes(self.binary(name)?).ok_or(StoreError::Corrupt(name));
        self.optional(name).map(hash).transpose()
    }
}
