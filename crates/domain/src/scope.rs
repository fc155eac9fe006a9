//! Scopes and what they cover.

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// One scope, such as `insights:read`, `admin`, or the wildcard `insights:*`.
///
/// The characters are those of RFC 6749, section 3.3; a `*` may stand only as the whole last segment.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

impl Scope {
    /// Covers everything.
    pub const ADMIN: &'static str = "admin";

    /// Reads a scope of 1 to 64 characters; `None` where it is not one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let token = |byte: u8| matches!(byte, 0x21 | 0x23..=0x5b | 0x5d..=0x7e);
        let stars = text.bytes().filter(|byte| *byte == b'*').count();
        let wildcard = text.strip_suffix(":*").is_some_and(|namespace| !namespace.is_empty());
        let fits = (1..=64).contains(&text.len()) && text.bytes().all(token) && stars == usize::from(wildcard);
        fits.then(|| Self(text.to_owned()))
    }

    /// The scope as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where this is `insights:*`, the `insights`.
    #[must_use]
    pub fn wildcard_namespace(&self) -> Option<&str> {
        self.0.strip_suffix(":*")
    }

    /// Whether whoever holds this scope holds `needed` too: `admin` covers all, a scope covers exactly itself, and
    /// `insights:*` covers `insights:` with one more segment.
    #[must_use]
    pub fn covers(&self, needed: &Self) -> bool {
        if self.0 == Self::ADMIN || self == needed {
            return true;
        }
        self.wildcard_namespace()
            .and_then(|namespace| needed.0.strip_prefix(namespace)?.strip_prefix(':'))
            .is_some_and(|segment| !segment.is_empty() && !segment.contains(':') && segment != "*")
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Scope {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a scope"))
    }
}

/// Scopes that are held or asked for together: each once, in the order given, never none.
///
/// "Left out" is `Option::None` and means what its place says; an empty set could be taken for "all", so there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScopeSet(Vec<Scope>);

impl ScopeSet {
    /// How many scopes one credential may hold; keeps tokens and the authorizer's context within their limits.
    pub const MAX: usize = 50;

    /// Takes scopes, dropping repeats; `None` for none at all or more than [`ScopeSet::MAX`].
    #[must_use]
    pub fn new(scopes: impl IntoIterator<Item = Scope>) -> Option<Self> {
        let mut set: Vec<Scope> = Vec::new();
        for scope in scopes {
            if !set.contains(&scope) {
                set.push(scope);
            }
            if set.len() > Self::MAX {
                return None;
            }
        }
        (!set.is_empty()).then_some(Self(set))
    }

    /// Reads a space-separated list as RFC 6749, section 3.3 writes it: one space between two scopes, none around.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::new(text.split(' ').map(Scope::parse).collect::<Option<Vec<_>>>()?)
    }

    /// The scopes.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Whether a holder of this set may do what `needed` asks.
    #[must_use]
    pub fn covers(&self, needed: &Scope) -> bool {
        self.0.iter().any(|held| held.covers(needed))
    }

    /// What both give: of `insights:*` and `insights:read` the second. `None` where that is nothing.
    #[must_use]
    pub fn intersection(&self, other: &Self) -> Option<Self> {
        let mut both: Vec<Scope> = Vec::new();
        let of_each =
            self.0.iter().filter(|scope| other.covers(scope)).chain(other.0.iter().filter(|scope| self.covers(scope)));
        for scope in of_each {
            if !both.contains(scope) {
                both.push(scope.clone());
            }
        }
        (!both.is_empty()).then_some(Self(both))
    }

    /// What either gives; together they may be more than one credential is given.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        let more = other.0.iter().filter(|scope| !self.0.contains(scope));
        Self(self.0.iter().chain(more).cloned().collect())
    }

    /// The first of `asked` that this set does not cover; `None` where it covers all.
    #[must_use]
    pub fn first_uncovered<'a>(&self, asked: &'a Self) -> Option<&'a Scope> {
        asked.0.iter().find(|scope| !self.covers(scope))
    }
}

impl fmt::Display for ScopeSet {
    /// Space-separated, as in a token's `scope` claim.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, scope) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(scope.as_str())?;
        }
        Ok(())
    }
}

impl Serialize for ScopeSet {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ScopeSet {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let scopes = Vec::<Scope>::deserialize(deserializer)?;
        Self::new(scopes).ok_or_else(|| de::Error::custom("expected 1 to 50 scopes"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(held: &str, needed: &str) -> bool {
        Scope::parse(held).unwrap().covers(&Scope::parse(needed).unwrap())
    }

    #[test]
    fn a_scope_covers_itself_and_admin_covers_all() {
        assert!(covers("insights:read", "insights:read"));
        assert!(covers("admin", "insights:read"));
        assert!(covers("admin", "insights:*"));
        for other in ["insights", "insights:re", "insights:reader", "Insights:read", "insights_admin:read", "admin"] {
            assert!(!covers("insights:read", other), "{other}");
        }
        assert!(!covers("administrator", "read"));
        assert!(!covers("Admin", "read"));
    }

    #[test]
    fn a_wildcard_covers_one_more_segment() {
        assert!(covers("insights:*", "insights:read"));
        assert!(covers("insights:*", "insights:*"));
        for other in ["insights", "insights_admin:read", "insights:a:b", "plans:read", "admin"] {
            assert!(!covers("insights:*", other), "{other}");
        }
        assert!(!covers("insights:read", "insights:*"));
    }

    #[test]
    fn a_star_stands_only_as_the_last_segment() {
        for bad in ["", "*", ":*", "a*", "*:read", "a:*:b", "a:**", "with space", "quo\"te", "back\\slash", "é"] {
            assert_eq!(Scope::parse(bad), None, "{bad}");
        }
        assert_eq!(Scope::parse(&"a".repeat(65)), None);
    }

    #[test]
    fn sets_are_joined_and_cut_by_what_they_cover() {
        let set = |text| ScopeSet::parse(text).unwrap();
        let both = |one, other| set(one).intersection(&set(other)).map(|set| set.to_string());
        assert_eq!(both("read write", "write models:read").unwrap(), "write");
        assert_eq!(both("insights:*", "insights:read plans:read").unwrap(), "insights:read");
        assert_eq!(both("admin", "read").unwrap(), "read");
        assert_eq!(both("read", "admin").unwrap(), "read");
        assert_eq!(both("read", "write"), None);
        assert_eq!(set("read").union(&set("write read")).to_string(), "read write");
    }

    #[test]
    fn a_set_is_never_empty_and_holds_each_scope_once() {
        assert_eq!(ScopeSet::parse("read write read").unwrap().to_string(), "read write");
        for bad in ["", " ", "read  write", " read", "read "] {
            assert_eq!(ScopeSet::parse(bad), None, "{bad:?}");
        }
        assert!(serde_json::from_str::<ScopeSet>("[]").is_err());
    }
}
