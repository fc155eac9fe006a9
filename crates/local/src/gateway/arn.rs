//! ARNs of methods, and IAM's way to match them.

use crate::environment::REGION;

/// The account that everything here claims to be in.
pub const ACCOUNT: &str = "123456789012";
/// The REST API's id.
pub const API_ID: &str = "keygate000";

/// The ARN of a request: `path` is the request's own, with a slash in front.
#[must_use]
pub fn method_arn(stage: &str, method: &str, path: &str) -> String {
    format!("arn:aws:execute-api:{REGION}:{ACCOUNT}:{API_ID}/{stage}/{method}{path}")
}

/// Whether `pattern` covers `text`: `*` is any run of characters, slashes included, `?` is any one.
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut at, mut from) = (0, 0);
    // Where the last `*` stands, and up to where it has been taken to reach.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || wanted == text[from] => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((position, reached)) => {
                    star = Some((position, reached + 1));
                    at = position + 1;
                    from = reached + 1;
                }
                None => return false,
            },
        }
    }
    pattern[at..].iter().all(|rest| *rest == '*')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_crosses_slashes_and_nothing_else_is_loose() {
        let arn = method_arn("live", "GET", "/insights/v1/pnl-summary");
        assert_eq!(arn, "arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/insights/v1/pnl-summary");
        for (pattern, expected) in [
            (arn.as_str(), true),
            ("*", true),
            ("arn:aws:execute-api:*:*:*/live/GET/insights/v1/*", true),
            ("arn:aws:execute-api:*:*:*/*/*/*", true),
            ("arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/*summary", true),
            ("arn:aws:execute-api:us-east-1:123456789012:keygate000/live/G?T/insights/*", true),
            ("arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/insights/v1", false),
            ("arn:aws:execute-api:us-east-1:123456789012:keygate000/live/GET/insights/v1/", false),
            ("arn:aws:execute-api:us-east-1:123456789012:keygate000/live/POST/*", false),
            ("arn:aws:execute-api:us-east-1:123456789012:keygate000/live/get/*", false),
            ("arn:aws:execute-api:us-east-1:123456789012:other00000/live/GET/*", false),
            ("", false),
            ("?", false),
        ] {
            assert_eq!(matches(pattern, &arn), expected, "{pattern}");
        }
        assert!(matches("", "") && matches("**", "") && matches("a*b*c", "axxbyyc") && !matches("a*b*c", "axxbyy"));
    }
}
