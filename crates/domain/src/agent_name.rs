//! What agents, and what they are held to, are called.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use crate::agent_token::AgentToken;
use crate::key_string::PlainKey;

/// What an agent is called: 1 to 64 of `A-Z a-z 0-9 . _ -`. Neither `.` nor `..`, which no path can name (RFC 3986, section
/// 5.2.4), and nothing that holds a key or an agent's token: names are shown.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AgentId(String);

impl AgentId {
    /// Reads a name; `None` where it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let fits = (1..=64).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
            && !matches!(text, "." | "..")
            && !holds_secret(text);
        fits.then(|| Self(text.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for AgentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for AgentId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for AgentId {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("`agent_id` must be 1 to 64 of `A-Z a-z 0-9 . _ -`"))
    }
}

fn holds_secret(text: &str) -> bool {
    PlainKey::is_in(text) || AgentToken::is_in(text)
}

/// The names of tools, or of resources, that an agent is held to: 1 to 64, each once, of 1 to 128 visible ASCII characters.
///
/// "Held to none in particular" is `Option::None`: an empty list could be taken for either.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct NameList(Vec<String>);

impl NameList {
    /// How many names a list may have.
    pub const MAX: usize = 64;

    /// Takes names, dropping repeats; `None` where there are too few or too many, or one is none.
    #[must_use]
    pub fn new(names: impl IntoIterator<Item = String>) -> Option<Self> {
        let mut list: Vec<String> = Vec::new();
        for name in names {
            let fits = (1..=128).contains(&name.len())
                && name.bytes().all(|byte| byte.is_ascii_graphic())
                && !holds_secret(&name);
            if !fits {
                return None;
            }
            if !list.contains(&name) {
                list.push(name);
            }
            if list.len() > Self::MAX {
                return None;
            }
        }
        (!list.is_empty()).then_some(Self(list))
    }

    /// The names, in the order in which they were given.
    pub fn iter(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(String::as_str)
    }

    /// The names of both; `None`, which is any name, where they are too many for one list.
    pub(crate) fn union(&self, other: &Self) -> Option<Self> {
        Self::new(self.0.iter().chain(&other.0).cloned())
    }

    /// The place, from 1, of the first name that is not in `all`.
    pub(crate) fn first_outside(&self, all: &Self) -> Option<usize> {
        self.0.iter().position(|name| !all.0.contains(name)).map(|place| place + 1)
    }
}

impl fmt::Display for NameList {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(" "))
    }
}

impl<'de> Deserialize<'de> for NameList {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let names = Vec::<String>::deserialize(deserializer)?;
        Self::new(names).ok_or_else(|| {
            de::Error::custom(
                "`tools` and `resources` must be 1 to 64 names of 1 to 128 visible characters without spaces",
            )
        })
    }
}

/// One agent among all that have had its name.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AgentRef {
    /// The name.
    pub id: AgentId,
    /// Which of those that have had the name, from 1.
    pub generation: u32,
}

impl AgentRef {
    /// Reads what `Display` has written.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (id, generation) = text.split_once(' ')?;
        Some(Self { id: AgentId::parse(id)?, generation: generation.parse().ok()? })
    }
}

impl fmt::Display for AgentRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.generation)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::key::tests::key;

    pub(crate) fn names(list: &[&str]) -> Option<NameList> {
        NameList::new(list.iter().map(|name| (*name).to_owned()))
    }

    #[test]
    fn names_are_what_a_path_and_a_header_can_hold_and_no_secret() {
        for good in ["a", "my-analysis-agent", "A.b_c-9", "...", &"x".repeat(64)] {
            assert_eq!(AgentId::parse(good).unwrap().as_str(), good);
        }
        let (plain, token) = (key("read").0, AgentToken::random());
        for bad in ["", ".", "..", "a b", "a/b", "a%2e", "é", "a\n", &"x".repeat(65), plain.expose(), token.expose()] {
            assert_eq!(AgentId::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn lists_are_short_and_of_visible_names() {
        assert_eq!(names(&["read_file", "search:*", "read_file"]).unwrap().to_string(), "read_file search:*");
        assert_eq!(names(&["x".repeat(128).as_str()]).unwrap().iter().count(), 1);
        let token = AgentToken::random();
        for bad in [&[][..], &[""], &["a b"], &["a", "é"], &["\u{7f}"], &[&"x".repeat(129)], &[token.expose()]] {
            assert_eq!(names(bad), None, "{bad:?}");
        }
        let many = |count: usize| NameList::new((0..count).map(|place| place.to_string()));
        assert!(many(NameList::MAX).is_some());
        assert!(many(NameList::MAX + 1).is_none());
    }

    #[test]
    fn a_reference_reads_back() {
        let it = AgentRef { id: AgentId::parse("a.b").unwrap(), generation: 7 };
        assert_eq!(AgentRef::parse(&it.to_string()), Some(it));
        for bad in ["", "a", "a ", "a -1", "a b", " 1"] {
            assert_eq!(AgentRef::parse(bad), None, "{bad}");
        }
    }
}
