//! JSON as an authority reads it, in one pass: a member that stands twice is an error, for two readers might each take another,
//! and a form is an object and never a list, which serde would take in its place.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::CowStrDeserializer;
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
};
use serde::{Deserialize, forward_to_deserialize_any};

/// Reads an object, refusing anything else, members that stand twice at any depth, lists in the places of forms, nesting beyond
/// 128 levels and anything behind the value. (What serde puts aside first, for `untagged`, `flatten` and tagged enums, it takes for
/// a form itself, lists too.)
///
/// # Errors
/// What is wrong and where. Where the text is serde's own it quotes the input: it is not for whoever has sent a secret.
pub fn from_slice<T: DeserializeOwned>(json: &[u8]) -> Result<T, serde_json::Error> {
    if json.iter().find(|byte| !byte.is_ascii_whitespace()).is_some_and(|byte| *byte != b'{') {
        return Err(de::Error::custom("expected an object"));
    }
    let mut deserializer = serde_json::Deserializer::from_slice(json);
    let value = T::deserialize(Strict(&mut deserializer))?;
    deserializer.end()?;
    Ok(value)
}

/// Something of serde's, of a deserializer's or of what it fills, with everything inside read strictly.
struct Strict<T>(T);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Strict<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_any(Strict(visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_option(Strict(visitor))
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_newtype_struct(name, Strict(visitor))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(Strict(visitor))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, D::Error> {
        self.0.deserialize_enum(name, variants, Strict(visitor))
    }

    // `ignored_any` too: what is passed over is walked through.
    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Strict<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.expecting(f)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<V::Value, E> {
        self.0.visit_bool(value)
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<V::Value, E> {
        self.0.visit_i64(value)
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<V::Value, E> {
        self.0.visit_u64(value)
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<V::Value, E> {
        self.0.visit_f64(value)
    }

    fn visit_str<E: de::Error>(self, value: &str) -> Result<V::Value, E> {
        self.0.visit_str(value)
    }

    fn visit_borrowed_str<E: de::Error>(self, value: &'de str) -> Result<V::Value, E> {
        self.0.visit_borrowed_str(value)
    }

    fn visit_unit<E: de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_unit()
    }

    fn visit_none<E: de::Error>(self) -> Result<V::Value, E> {
        self.0.visit_none()
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_some(Strict(inner))
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        self.0.visit_newtype_struct(Strict(inner))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<V::Value, A::Error> {
        self.0.visit_seq(Strict(sequence))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<V::Value, A::Error> {
        self.0.visit_map(Object { map, names: Names::default() })
    }

    fn visit_enum<A: EnumAccess<'de>>(self, variant: A) -> Result<V::Value, A::Error> {
        self.0.visit_enum(Strict(variant))
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Strict<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Value, D::Error> {
        self.0.deserialize(Strict(deserializer))
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        self.0.next_element_seed(Strict(seed))
    }
}

impl<'de, A: EnumAccess<'de>> EnumAccess<'de> for Strict<A> {
    type Error = A::Error;
    type Variant = Strict<A::Variant>;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self::Variant), A::Error> {
        self.0.variant_seed(seed).map(|(name, variant)| (name, Strict(variant)))
    }
}

impl<'de, A: VariantAccess<'de>> VariantAccess<'de> for Strict<A> {
    type Error = A::Error;

    fn unit_variant(self) -> Result<(), A::Error> {
        self.0.unit_variant()
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, A::Error> {
        self.0.newtype_variant_seed(Strict(seed))
    }

    fn tuple_variant<V: Visitor<'de>>(self, length: usize, visitor: V) -> Result<V::Value, A::Error> {
        self.0.tuple_variant(length, Strict(visitor))
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &'static [&'static str], visitor: V) -> Result<V::Value, A::Error> {
        self.0.newtype_variant_seed(Braced(visitor))
    }
}

/// What is in an object and in nothing else.
struct Braced<V>(V);

impl<'de, V: Visitor<'de>> DeserializeSeed<'de> for Braced<V> {
    type Value = V::Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<V::Value, D::Error> {
        deserializer.deserialize_map(Strict(self.0))
    }
}

/// Names by which `serde_json` talks with itself: what stands under one in a `Value` it reads once more, as JSON of its own, where no
/// member is counted and the levels begin anew.
const PRIVATE: &str = "$serde_json::private::";

/// An object's members, each once.
struct Object<'de, A> {
    map: A,
    names: Names<'de>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Object<'de, A> {
    type Error = A::Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        let Some(name) = self.map.next_key::<Name<'de>>()? else { return Ok(None) };
        if name.0.starts_with(PRIVATE) {
            return Err(de::Error::custom("a member has a name that none may have"));
        }
        if !self.names.insert(name.0.clone()) {
            return Err(de::Error::custom("a member stands there twice"));
        }
        seed.deserialize(Key(name.0, PhantomData)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        self.map.next_value_seed(Strict(seed))
    }
}

/// A member's name, in place where it has nothing to be unescaped.
#[derive(Deserialize)]
struct Name<'a>(#[serde(borrow)] Cow<'a, str>);

/// A name that was read already, for the type that wants it.
struct Key<'de, E>(Cow<'de, str>, PhantomData<E>);

impl<'de, E: de::Error> Deserializer<'de> for Key<'de, E> {
    type Error = E;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        match self.0 {
            Cow::Borrowed(name) => visitor.visit_borrowed_str(name),
            Cow::Owned(name) => visitor.visit_string(name),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, E> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, E> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, E> {
        visitor.visit_enum(CowStrDeserializer::new(self.0))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct seq tuple
        tuple_struct map struct identifier ignored_any
    }
}

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
    use std::collections::BTreeMap;

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

    #[derive(Debug, Deserialize, PartialEq)]
    struct Form {
        inner: Option<Inner>,
        named: BTreeMap<Id, Kind>,
        #[serde(default)]
        all: Vec<Inner>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Inner {
        text: String,
        number: i64,
    }

    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    struct Id(String);

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(rename_all = "snake_case")]
    enum Kind {
        One,
        Of(Inner),
        With { text: String },
        Pair(i64, bool),
    }

    #[test]
    fn a_form_is_read_as_serde_reads_it() {
        let json = br#"{"inner":{"text":"a\n\u0062","number":-3,"unknown":[1,{"x":{}}]},"named":{"a":"one","b":{"of":{"text":"","number":0}},
            "\u0063":{"with":{"text":"t"}},"d":{"pair":[7,true]}},"all":[{"text":"z","number":9}],"more":2.5}"#;
        let form: Form = from_slice(json).unwrap();
        assert_eq!(form, serde_json::from_slice::<Form>(json).unwrap());
        assert_eq!(form.inner.unwrap().text, "a\nb");
        assert_eq!(form.named.len(), 4);
        for kinds in [&br#"{"one":1,"two":2}"#[..], br#"{"two":2}"#] {
            let kind = |json| from_slice::<BTreeMap<Counted, u8>>(json).map(|counted| counted.len()).ok();
            assert_eq!(kind(kinds), serde_json::from_slice::<BTreeMap<Counted, u8>>(kinds).map(|it| it.len()).ok());
        }
    }

    #[derive(Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
    #[serde(rename_all = "snake_case")]
    enum Counted {
        One,
        Two,
    }

    #[test]
    fn a_list_is_no_form_at_any_depth() {
        for bad in [
            &br#"{"inner":["a",1],"named":{}}"#[..],
            br#"{"named":{"a":{"of":["a",1]}}}"#,
            br#"{"named":{"a":{"with":["a"]}}}"#,
            br#"{"named":{},"all":[["a",1]]}"#,
        ] {
            assert!(serde_json::from_slice::<Form>(bad).is_ok(), "serde takes it: {}", String::from_utf8_lossy(bad));
            assert!(from_slice::<Form>(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn a_member_stands_once_in_what_is_passed_over_too() {
        for bad in [&br#"{"named":{},"unknown":{"a":1,"a":1}}"#[..], br#"{"named":{"a":"one","\u0061":"one"}}"#] {
            assert!(serde_json::from_slice::<Form>(bad).is_ok(), "serde takes it: {}", String::from_utf8_lossy(bad));
            assert!(from_slice::<Form>(bad).is_err(), "{}", String::from_utf8_lossy(bad));
        }
    }

    #[test]
    fn no_member_is_one_of_serde_jsons_own() {
        let raw = r#"{"$serde_json::private::RawValue":"{\"a\":1,\"a\":2}"}"#;
        assert!(serde_json::from_str::<Value>(raw).is_ok(), "serde_json reads what stands in it");
        let escaped = raw.replace('$', "\\u0024");
        for bad in [raw, &escaped, &format!(r#"{{"a":[{raw}]}}"#), r#"{"$serde_json::private::Number":"1"}"#] {
            assert!(from_slice::<Value>(bad.as_bytes()).is_err(), "{bad}");
        }
        assert!(from_slice::<Value>(br#"{"$serde_json":1,"a":"$serde_json::private::RawValue"}"#).is_ok());
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_overflow() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        assert!(from_slice::<Value>(deep.as_bytes()).is_err());
    }
}
