//! What callers note beside a key.

use serde::{Deserialize, Deserializer, Serialize, de};
use serde_json::{Map, Value};

use crate::key_string::PlainKey;

/// A JSON object of the caller's own, at most [`Metadata::MAX_BYTES`] long. Shown to whoever may see the key, so it may
/// hold no key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Metadata(Map<String, Value>);

impl Metadata {
    /// The most that it may have as compact JSON, in bytes: 16 KB.
    pub const MAX_BYTES: usize = 16 * 1024;

    /// Takes an object.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(members: Map<String, Value>) -> Result<Self, &'static str> {
        let metadata = Self(members);
        let text = metadata.to_json();
        if text.len() > Self::MAX_BYTES {
            return Err("at most 16 KB of metadata");
        }
        if PlainKey::is_in(&text) {
            return Err("metadata without an API key in it: metadata is shown");
        }
        Ok(metadata)
    }

    /// Reads what [`Metadata::to_json`] has written; `None` for anything else.
    #[must_use]
    pub fn parse(json: &str) -> Option<Self> {
        Self::new(serde_json::from_str(json).ok()?).ok()
    }

    /// As compact JSON.
    #[must_use]
    pub fn to_json(&self) -> String {
        // A map with string keys can always be written.
        serde_json::to_string(&self.0).unwrap_or_default()
    }

    /// Whether nothing is noted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'de> Deserialize<'de> for Metadata {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(Map::deserialize(deserializer)?).map_err(de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::Environment;
    use crate::strict_json;

    fn read(json: &str) -> Option<Metadata> {
        serde_json::from_str(json).ok()
    }

    /// Else a key would be stored that nobody can read any more.
    #[test]
    fn what_a_body_may_hold_reads_back() {
        #[derive(Deserialize)]
        struct Body {
            metadata: Metadata,
        }
        let deepest = (1..200).rev().find_map(|levels| {
            let deep = format!("{}{}", "[".repeat(levels), "]".repeat(levels));
            strict_json::from_slice::<Body>(format!(r#"{{"metadata":{{"a":{deep}}}}}"#).as_bytes()).ok()
        });
        let metadata = deepest.unwrap().metadata;
        assert_eq!(Metadata::parse(&metadata.to_json()), Some(metadata));
    }

    #[test]
    fn an_object_of_16_kb_and_no_more() {
        let of = |length: usize| format!(r#"{{"a":"{}"}}"#, "x".repeat(length - 8));
        assert!(read(&of(Metadata::MAX_BYTES)).is_some());
        assert!(read(&of(Metadata::MAX_BYTES + 1)).is_none());
        assert_eq!(read(r#"{"team":"a","n":1,"deep":{"list":[null,true]}}"#).unwrap().to_json().len(), 46);
        for bad in ["[]", "null", "1", "\"x\""] {
            assert!(read(bad).is_none(), "{bad}");
        }
    }

    #[test]
    fn a_key_is_no_metadata() {
        let key = PlainKey::random(&Environment::Live.default_prefix());
        assert!(read(&format!(r#"{{"note":"old: {}"}}"#, key.expose())).is_none());
        assert!(read(&format!(r#"{{"{}":1}}"#, key.expose())).is_none());
    }
}
