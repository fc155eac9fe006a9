//! A place in the template: a value and the path that leads to it, so that every complaint says
//! where.

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::Error;

/// The path of `key` below `path`.
pub(crate) fn child(path: &str, key: &str) -> String {
    if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") }
}

#[derive(Clone, Debug)]
pub(crate) struct Node<'a> {
    pub(crate) value: &'a Value,
    pub(crate) path: String,
}

impl<'a> Node<'a> {
    pub(crate) fn root(value: &'a Value) -> Self {
        Self { value, path: String::new() }
    }

    pub(crate) fn error(&self, problem: impl Into<String>) -> Error {
        Error::at(self.path.clone(), problem)
    }

    /// The member `key`, if this is a mapping that has it.
    pub(crate) fn get(&self, key: &str) -> Option<Node<'a>> {
        self.value.get(key).map(|value| Node { value, path: child(&self.path, key) })
    }

    /// The member reached through all of `keys`.
    pub(crate) fn find(&self, keys: &[&str]) -> Option<Node<'a>> {
        keys.iter().try_fold(self.clone(), |node, key| node.get(key))
    }

    /// As [`Node::get`], but its absence is an error.
    pub(crate) fn need(&self, key: &str) -> Result<Node<'a>, Error> {
        self.get(key).ok_or_else(|| self.error(format!("`{key}` is missing")))
    }

    /// The members of a mapping, in alphabetical order; none where the mapping is missing.
    pub(crate) fn entries(node: Option<Self>) -> Result<Vec<(&'a str, Node<'a>)>, Error> {
        let Some(node) = node else {
            return Ok(Vec::new());
        };
        let map = node.value.as_object().ok_or_else(|| node.error("a mapping is expected"))?;
        Ok(map
            .iter()
            .map(|(key, value)| {
                let path = child(&node.path, key);
                (key.as_str(), Node { value, path })
            })
            .collect())
    }

    pub(crate) fn text(&self) -> Result<&'a str, Error> {
        self.value.as_str().ok_or_else(|| self.error("a string is expected"))
    }

    /// A whole number, also where it is written in quotes as CloudFormation allows.
    pub(crate) fn number<N: TryFrom<u64>>(&self) -> Result<N, Error> {
        self.value
            .as_u64()
            .or_else(|| self.value.as_str()?.parse().ok())
            .and_then(|number| N::try_from(number).ok())
            .ok_or_else(|| self.error("a whole number in range is expected"))
    }

    pub(crate) fn read<T: DeserializeOwned>(&self) -> Result<T, Error> {
        T::deserialize(self.value).map_err(|error| self.error(error.to_string()))
    }
}
