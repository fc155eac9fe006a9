//! Pieces of an event's JSON, read in place.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

/// Reads JSON in place. All of it is looked at once for being UTF-8, and not each text in it again.
///
/// # Errors
/// What is wrong and where; the message may hold the input's values.
pub fn read_in_place<'a, T: Deserialize<'a>>(json: &'a [u8]) -> Result<T, serde_json::Error> {
    let json = std::str::from_utf8(json).map_err(serde::de::Error::custom)?;
    serde_json::from_str(json)
}

/// Text that stands in the event as it is, or had to be unescaped.
#[derive(Debug, Deserialize)]
pub struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Text<'_> {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The text, apart from the event.
    #[must_use]
    pub fn into_owned(self) -> String {
        self.0.into_owned()
    }
}

/// Which members of an object are wanted.
pub trait Wanted {
    /// Whether that of this name is.
    fn wants(name: &str) -> bool;
}

/// All members.
#[derive(Debug)]
pub struct All;

impl Wanted for All {
    fn wants(_: &str) -> bool {
        true
    }
}

/// Those members of an object that are wanted, in their order, each as often as it is there; the others are passed over.
#[derive(Debug)]
pub struct Members<'a, V, W = All>(pub Vec<(Text<'a>, V)>, PhantomData<W>);

impl<V, W> Default for Members<'_, V, W> {
    fn default() -> Self {
        Self(Vec::new(), PhantomData)
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>, W: Wanted> Deserialize<'de> for Members<'a, V, W> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object<'a, V, W>(PhantomData<(&'a (), V, W)>);

        impl<'de: 'a, 'a, V: Deserialize<'de>, W: Wanted> Visitor<'de> for Object<'a, V, W> {
            type Value = Vec<(Text<'a>, V)>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(name) = map.next_key::<Text<'a>>()? {
                    if W::wants(name.as_str()) {
                        members.push((name, map.next_value()?));
                    } else {
                        map.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(members)
            }
        }

        let members = deserializer.deserialize_map(Object::<V, W>(PhantomData))?;
        Ok(Self(members, PhantomData))
    }
}
