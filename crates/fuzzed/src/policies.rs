//! access.toml and the policies that say it.

use authorizer::{MethodArn, PolicyDocument, WholePolicies};
use domain::{Access, Scope};
use serde_json::Value;

use crate::bytes::text;

const API: &str = "arn:aws:execute-api:us-east-1:123456789012:abc/live";
const SEGMENTS: [&str; 8] = ["a", "b", "c", "{p}", "{q}", "a-b", "v1", "{p}"];

/// An access file of up to four routes, what a caller holds of its scopes, and a path.
pub fn policies(data: &[u8]) {
    let Some((head, path)) = data.split_at_checked(17) else { return };
    let routes = head[1..].chunks_exact(4).take(1 + usize::from(head[0] >> 6));
    let scopes = "[scopes]\ns0 = \"x\"\ns1 = \"x\"\ns2 = \"x\"\n".to_owned();
    let file = routes.fold(scopes, |file, route| file + &route_of(route));
    let Ok(access) = Access::parse(&file) else { return };
    let covers = |scope: &Scope| {
        ["s0", "s1", "s2"].iter().position(|one| *one == scope.as_str()).is_some_and(|place| head[0] >> place & 1 == 1)
    };
    // What no request line holds.
    let path: String =
        text(path).chars().filter(|letter| !letter.is_ascii_control() && !matches!(letter, ' ' | '?')).collect();
    let arn = format!("{API}/GET/{path}");
    let asked = MethodArn::parse(&arn).unwrap();
    let route = access.route("GET", &format!("/{path}"));
    if let Some(route) = route {
        assert!(!path.split('/').any(|segment| matches!(segment, "" | "." | "..")), "{path}");
        for trick in ["%2f", "%5c", "%2e", "%25", "%00", "\\", "#"] {
            assert!(!path.to_lowercase().contains(trick), "{path}");
        }
        let one = serde_json::to_value(PolicyDocument::allow(&asked, route)).unwrap();
        assert!(allows(&one, &arn), "{one} is not for {arn}");
        assert!(
            !one.to_string().contains(&arn) || !path.contains('*') || route.path.contains('{'),
            "{one} copies {arn}"
        );
    }
    let Ok(whole) = WholePolicies::new(&access) else { return };
    let expected = route.is_some_and(|route| covers(&route.scope));
    match whole.document(&asked, covers) {
        None => assert!(!expected, "{file}"),
        Some(document) => {
            let policy = serde_json::to_value(document).unwrap();
            let allowed = allows(&policy, &arn);
            let by_wildcard = route.is_some_and(|route| route.path.contains('{'));
            // A wildcard's policy denies every percent sign.
            let narrower = path.contains('%') && by_wildcard;
            assert!(allowed == expected || narrower && !allowed, "{arn}: {expected}: {policy} of {file}");
            assert!(policy.to_string().len() <= 8192);
        }
    }
}

/// A route of an access file, by four bytes.
fn route_of(bytes: &[u8]) -> String {
    let method = if bytes[0].is_multiple_of(8) { "POST" } else { "GET" };
    let length = 1 + usize::from(bytes[0] >> 3 & 3) % 3;
    let path = bytes[1..=length].iter().fold(String::new(), |path, byte| path + "/" + SEGMENTS[usize::from(byte % 8)]);
    let rest = if bytes[0] >> 5 == 7 { "/{rest+}" } else { "" };
    let scope = (bytes[3] >> 3 & 3) % 3;
    format!("[[routes]]\nmethod = \"{method}\"\npath = \"{path}{rest}\"\nscope = \"s{scope}\"\n")
}

/// API Gateway's reading.
fn allows(policy: &Value, arn: &str) -> bool {
    let says = |effect: &str| {
        let statements =
            policy["Statement"].as_array().unwrap().iter().filter(|statement| statement["Effect"] == effect);
        let resources = statements.flat_map(|statement| match &statement["Resource"] {
            Value::Array(several) => several.clone(),
            one => vec![one.clone()],
        });
        resources.into_iter().any(|resource| glob(resource.as_str().unwrap(), arn))
    };
    says("Allow") && !says("Deny")
}

/// `*` is any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    let mut pieces = pattern.split('*');
    let Some(mut rest) = text.strip_prefix(pieces.next().unwrap()) else { return false };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(end) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        let Some(place) = rest.find(piece) else { return false };
        rest = &rest[place + piece.len()..];
    }
    rest.ends_with(end)
}
