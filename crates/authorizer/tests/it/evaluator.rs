//! API Gateway's reading of a policy, for tests alone: written from AWS's description, and not from what makes policies or
//! plays the gateway here.

use serde_json::Value;

/// Whether `policy` lets a call of `arn` pass: some Allow names it, and no Deny.
pub(crate) fn allows(policy: &Value, arn: &str) -> bool {
    let says = |effect: &str| {
        let statements = policy["Statement"].as_array().unwrap().iter();
        statements.filter(|statement| statement["Effect"] == effect).any(|statement| names(statement, arn))
    };
    assert_eq!(policy["Version"], "2012-10-17");
    says("Allow") && !says("Deny")
}

fn names(statement: &Value, arn: &str) -> bool {
    assert_eq!(statement["Action"], "execute-api:Invoke");
    let resources = match &statement["Resource"] {
        Value::String(one) => vec![one.as_str()],
        Value::Array(several) => several.iter().map(|resource| resource.as_str().unwrap()).collect(),
        other => panic!("{other}"),
    };
    assert!(!resources.is_empty(), "AWS refuses such a statement");
    resources.iter().any(|resource| glob(resource, arn))
}

/// `*` is any run of characters, slashes too. `?`, which is any one, stands in no policy of ours.
fn glob(pattern: &str, text: &str) -> bool {
    assert!(!pattern.contains('?'), "{pattern}");
    let Some((start, pattern)) = pattern.split_once('*') else { return pattern == text };
    let Some(mut rest) = text.strip_prefix(start) else { return false };
    let mut pieces = pattern.split('*').collect::<Vec<_>>();
    let end = pieces.pop().unwrap_or_default();
    for piece in pieces {
        // The first place leaves the most for what follows.
        let Some(place) = rest.find(piece) else { return false };
        rest = &rest[place + piece.len()..];
    }
    rest.ends_with(end)
}

#[test]
fn the_evaluator_reads_as_iam_does() {
    for (pattern, text, matches) in [
        ("a", "a", true),
        ("A", "a", false),
        ("a", "ab", false),
        ("*", "", true),
        ("a/*", "a/b/c", true),
        ("a/*", "a/", true),
        ("a/*", "a", false),
        ("a*a", "a", false),
        ("a/*/c", "a/b/b/c", true),
        ("a/*/c", "a/b/c/d", false),
        ("a/*/c", "a/c", false),
        ("*/../*", "x/../y", true),
        ("*/../*", "x/..y/z", false),
        ("a*b*c", "axxbyybzc", true),
        ("a*b*c", "axxcyy", false),
        ("*ab*ab", "xab", false),
    ] {
        assert_eq!(glob(pattern, text), matches, "{pattern} {text}");
    }
}
