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

/// An object's members in their order, whatever they are called, each as often as it is there.
#[derive(Debug)]
pub(crate) struct Members<'a, V>(pub(crate) Vec<(Text<'a>, V)>);

impl<V> Default for Members<'_, V> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<'de: 'a, 'a, V: Deserialize<'de>> Deserialize<'de> for Members<'a, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        members(deserializer, |_| true).map(Self)
    }
}

/// An event's headers, each name with each value: the multi-value map knows them all, the plain one the last of each name and all
/// names.
pub fn header_values<'e, 'a>(
    single: &'e [(Text<'a>, Option<Text<'a>>)],
    multi: &'e [(Text<'a>, Option<Vec<Text<'a>>>)],
) -> impl Iterator<Item = (&'e str, &'e str)> {
    let is_in_multi = |name: &str| {
        let alike = multi.iter().filter(|(known, _)| known.as_str().eq_ignore_ascii_case(name));
        alike.flat_map(|(_, values)| values).any(|values| !values.is_empty())
    };
    let all = multi.iter().flat_map(|(name, values)| values.iter().flatten().map(move |value| (name, value)));
    let alone = single.iter().filter(move |(name, _)| !is_in_multi(name.as_str()));
    let alone = alone.filter_map(|(name, value)| Some((name, value.as_ref()?)));
    all.chain(alone).map(|(name, value)| (name.as_str(), value.as_str()))
}

/// Those members of an object whose names are `wanted`, in their order; the others are passed over.
///
/// # Errors
/// The deserializer's, for what is no object, or a wanted value of another type.
pub fn members<'de: 'a, 'a, V: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
    wanted: fn(&str) -> bool,
) -> Result<Vec<(Text<'a>, V)>, D::Error> {
    struct Object<'a, V>(fn(&str) -> bool, PhantomData<(&'a (), V)>);

    impl<'de: 'a, 'a, V: Deserialize<'de>> Visitor<'de> for Object<'a, V> {
        type Value = Vec<(Text<'a>, V)>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut members = Vec::new();
            while let Some(name) = map.next_key::<Text<'a>>()? {
                if self.0(name.as_str()) {
                    members.push((name, map.next_value()?));
                } else {
                    map.next_value::<IgnoredAny>()?;
                }
            }
            Ok(members)
        }
    }

    deserializer.deserialize_map(Object(wanted, PhantomData))
}
