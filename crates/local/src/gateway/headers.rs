//! What a REST API does to headers on their way to a Lambda function and back: AWS's table "restricted or remapped
//! headers" of "Amazon API Gateway important notes", column `lambda`, and `Content-Length`, which the table passes
//! through and the service renames.

/// What becomes of a header of a function's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// It is sent as it is.
    Kept,
    /// It is sent under another name.
    Renamed(String),
    /// It is not sent.
    Dropped,
}

/// Headers of a request that a function doesn't see. The authorizer does see them.
const NOT_FOR_FUNCTIONS: [&str; 11] = [
    "connection",
    "content-md5",
    "expect",
    "max-forwards",
    "proxy-authenticate",
    "server",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
    "www-authenticate",
];
const RENAMED: [&str; 9] = [
    "authorization",
    "connection",
    "content-length",
    "content-md5",
    "date",
    "max-forwards",
    "server",
    "user-agent",
    "www-authenticate",
];
const DROPPED: [&str; 9] =
    ["expect", "host", "keep-alive", "proxy-authenticate", "te", "trailer", "transfer-encoding", "upgrade", "via"];

/// Whether a function sees this header of a request; `name` is in lower case.
#[must_use]
pub fn reaches_function(name: &str) -> bool {
    !NOT_FOR_FUNCTIONS.contains(&name)
}

/// What becomes of a header of a function's answer; case doesn't matter.
#[must_use]
pub fn fate(name: &str) -> Fate {
    let lower = name.to_ascii_lowercase();
    if DROPPED.contains(&lower.as_str()) {
        Fate::Dropped
    } else if RENAMED.contains(&lower.as_str()) {
        Fate::Renamed(format!("x-amzn-Remapped-{name}"))
    } else {
        Fate::Kept
    }
}

/// A header's name as events carry it. API Gateway keeps the caller's spelling, which is lost on the way here; this is
/// how HTTP/1 clients spell them, so that a function that looks for `authorization` in lower case fails here too.
#[must_use]
pub fn spelled(name: &str) -> String {
    let mut at_start = true;
    name.chars()
        .map(|character| {
            let spelled = if at_start { character.to_ascii_uppercase() } else { character };
            at_start = character == '-';
            spelled
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn challenges_and_hop_by_hop_headers_of_functions_do_not_come_through() {
        for (name, expected) in [
            ("WWW-Authenticate", Fate::Renamed("x-amzn-Remapped-WWW-Authenticate".to_owned())),
            ("www-authenticate", Fate::Renamed("x-amzn-Remapped-www-authenticate".to_owned())),
            ("Authorization", Fate::Renamed("x-amzn-Remapped-Authorization".to_owned())),
            ("Connection", Fate::Renamed("x-amzn-Remapped-Connection".to_owned())),
            ("Content-Length", Fate::Renamed("x-amzn-Remapped-Content-Length".to_owned())),
            ("Date", Fate::Renamed("x-amzn-Remapped-Date".to_owned())),
            ("Server", Fate::Renamed("x-amzn-Remapped-Server".to_owned())),
            ("User-Agent", Fate::Renamed("x-amzn-Remapped-User-Agent".to_owned())),
            ("Transfer-Encoding", Fate::Dropped),
            ("Via", Fate::Dropped),
            ("Content-Type", Fate::Kept),
            ("ETag", Fate::Kept),
            ("Retry-After", Fate::Kept),
            ("Set-Cookie", Fate::Kept),
        ] {
            assert_eq!(fate(name), expected, "{name}");
        }
    }

    #[test]
    fn names_are_spelled_as_clients_do() {
        assert_eq!(spelled("authorization"), "Authorization");
        assert_eq!(spelled("x-api-key"), "X-Api-Key");
        assert_eq!(spelled("x-"), "X-");
    }
}
