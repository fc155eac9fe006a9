//! JSON as an authority reads it: a member that stands twice is an error, for two readers might each take another.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde::Deserialize;
use serde::de::{self, DeserializeOwned, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};

/// Reads an object, refusing anything else (a list in the place of a form, which serde would take), members that stand twice at any depth, nesting beyond 128 levels and anything behind
/// the value.
///
/// # Errors
/// What is wrong and where; the message holds none of the input's values.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    if json.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte != b'{') {
        return Err(de::Error::custom("expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    Unrepeated.deserialize(&mut deserializer)?;
    deserializer.end()?;
    serde_json::from_slice(json)
}

/// Walks a value and keeps nothing but the names of the object that it is in.
struct Unrepeated;

impl<'de> DeserializeSeed<'de> for Unrepeated {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unrepeated {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<(), A::Error> {
        while sequence.next_element_seed(Unrepeated)?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let mut names = Names::default();
        while let Some(Name(name)) = map.next_key::<Name<'de>>()? {
            if !names.insert(name) {
                return Err(de::Error::custom("a member stands there twice"));
            }
            map.next_value_seed(Unrepeated)?;
        }
        Ok(())
    }
}

/// A member's name, in place where it has nothing to be unescaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// The names of an object so far: a few are compared one by one, which is faster than hashing them.
#[derive(Default)]
struct Names<'a> {
    few: Vec<Cow<'a, str>>,
    more: HashSet<Cow<'a, str>>,
}

impl<'a> Names<'a> {
    const FEW: usize = 24;

    /// Whether it is new.
    fn insert(&mut self, name: Cow<'a, str>) -> bool {
        if self.few.contains(&name) {
            return false;
        }
        if self.few.len() < Self::FEW {
            self.few.push(name);
            return true;
        }
        self.more.insert(name)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    #[test]
    fn a_member_stands_once_at_every_depth_however_it_is_spelt() {
        assert!(from_slice::<Value>(br#"{"a":1,"b":[{"a":null},{"a":2.5}],"c":"x"}"#).is_ok());
        for bad in [
            &br#"{"a":1,"a":1}"#[..],
            br#"{"b":[{"a":1,"\u0061":2}]}"#,
            br#"{"a":1}{"a":1}"#,
            br#"{"a":1,}"#,
            b"",
            b"\xef\xbb\xbf{}",
            b"{\"a\":\"\xff\"}",
            b"[]",
            b" [1]",
            b"1",
            b"null",
        ] {
            assert!(from_slice::<Value>(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_member_stands_once_among_many_too() {
        for many in [1, Names::FEW - 1, Names::FEW, Names::FEW + 1, 1000] {
            let members: Vec<_> = (0..many).map(|number| format!(r#""{number}":1"#)).collect();
            assert!(from_slice::<Value>(format!("{{{}}}", members.join(",")).as_bytes()).is_ok(), "{many}");
            for place in [0, many / 2, many - 1] {
                let twice = format!("{{{},{}}}", members.join(","), members[place]);
                assert!(from_slice::<Value>(twice.as_bytes()).is_err(), "{place} of {many}");
            }
        }
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(from_slice::<Value>(deep.as_bytes()).is_err());
    }
}
