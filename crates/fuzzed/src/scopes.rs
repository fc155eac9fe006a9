//! Scopes and what they cover.

use domain::{Scope, ScopeSet};

use crate::bytes::two_texts;

/// Two lists of scopes.
pub fn scopes(data: &[u8]) {
    let (one, other) = two_texts(data);
    for (held, needed) in [(&one, &other), (&other, &one)] {
        assert_eq!(Scope::parse(held).is_some(), is_scope(held), "{held}");
        if let (Some(scope), Some(need)) = (Scope::parse(held), Scope::parse(needed)) {
            assert_eq!(scope.covers(&need), covers(held, needed), "{held} {needed}");
            assert_eq!(scope.to_string(), *held);
        }
    }
    let (Some(one), Some(other)) = (ScopeSet::parse(&one), ScopeSet::parse(&other)) else { return };
    for set in [&one, &other] {
        assert_eq!(ScopeSet::parse(&set.to_string()).as_ref(), Some(set), "it reads back");
        assert!(set.iter().count() <= ScopeSet::MAX);
    }
    let both = one.intersection(&other);
    let shared = |needed: &Scope| both.as_ref().is_some_and(|both| both.covers(needed));
    for scope in both.iter().flat_map(ScopeSet::iter) {
        assert!(one.covers(scope) && other.covers(scope), "{scope} is not in both");
    }
    let asked = ["admin", "insights:read", "read", "a:b:c"].map(|text| Scope::parse(text).unwrap());
    for needed in one.iter().chain(other.iter()).chain(&asked).filter(|scope| scope.wildcard_namespace().is_none()) {
        assert_eq!(shared(needed), one.covers(needed) && other.covers(needed), "{needed} of {one} and {other}");
    }
}

/// RFC 6749, section 3.3, and a `*` as the whole last segment alone.
fn is_scope(text: &str) -> bool {
    let body = text.strip_suffix(":*").filter(|namespace| !namespace.is_empty()).unwrap_or(text);
    let token = |letter: char| letter.is_ascii_graphic() && !matches!(letter, '"' | '\\' | '*');
    (1..=64).contains(&text.len()) && body.chars().all(token)
}

fn covers(held: &str, needed: &str) -> bool {
    let (held_parts, needed_parts): (Vec<_>, Vec<_>) = (held.split(':').collect(), needed.split(':').collect());
    let [namespace @ .., last] = &held_parts[..] else { return false };
    let one_more = needed_parts.len() == held_parts.len() && needed_parts.starts_with(namespace);
    let under = *last == "*" && one_more && !matches!(needed_parts[needed_parts.len() - 1], "" | "*");
    held == "admin" || held == needed || under
}
