//! Where an app may be answered to (RFC 6749, section 3.1.2; RFC 8252, section 7; RFC 9700, section 2.1).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::{Host, Url};

/// A redirect URI as it was registered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    /// Where it is plain http to this very machine: the text without the port.
    loopback: Option<String>,
}

impl RedirectUri {
    const MAX: usize = 1024;

    /// Reads one: https; http to this machine; or an app's own scheme, which holds a dot (RFC 8252, section 7.1). No user, no
    /// fragment, visible ASCII alone.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic()) && text.len() <= Self::MAX;
        let url = Url::parse(text).ok().filter(|_| visible)?;
        // A parser mends what browsers mend, such as backslashes: what it would write otherwise is none.
        let mended = !text.starts_with(&format!("{}:", url.scheme())) || text.contains('\\');
        if mended || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
            return None;
        }
        let loopback = match url.scheme() {
            "https" if url.host().is_some() && names_host(text, "https://") => None,
            "http" if is_loopback(&url) && names_host(text, "http://") => Some(without_port(text)?),
            scheme if scheme.contains('.') => None,
            _ => return None,
        };
        Some(Self { text: text.to_owned(), loopback })
    }

    /// Whether `asked` is this one: letter by letter, but for the port of a loopback address, which an app learns at run time
    /// (RFC 8252, section 7.3).
    #[must_use]
    pub fn matches(&self, asked: &str) -> bool {
        if asked == self.text {
            return true;
        }
        let Some(loopback) = &self.loopback else { return false };
        Self::parse(asked).and_then(|asked| asked.loopback).is_some_and(|asked| asked == *loopback)
    }

    /// As it was registered.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// Whether a host follows `start` at once: a parser passes over further slashes, and over a user without a name.
fn names_host(text: &str, start: &str) -> bool {
    let authority = text.strip_prefix(start).and_then(|rest| rest.split(['/', '?']).next());
    authority.is_some_and(|authority| !authority.is_empty() && !authority.contains('@'))
}

/// Whether a URL leads to the very machine that it is opened on.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// The letters of an http URL but for those of its port; `None` where there are none. A parser would also put dots, paths and
/// spellings of addresses right, which are to match as they stand.
fn without_port(text: &str) -> Option<String> {
    let rest = text.strip_prefix("http://")?;
    let (authority, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
    let host = match authority.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => authority,
    };
    Some(format!("{host}{path}"))
}

impl fmt::Display for RedirectUri {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for RedirectUri {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for RedirectUri {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a redirect URI that an app may have"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn https_loopback_and_own_schemes_are_redirect_uris() {
        for good in [
            "https://app.example/callback",
            "https://app.example",
            "https://app.example/cb?tenant=1",
            "http://127.0.0.1/callback",
            "http://localhost:3000/callback",
            "http://[::1]:8080/",
            "com.example.app:/callback",
            "com.example.app://callback",
        ] {
            assert!(RedirectUri::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "callback",
            "/callback",
            "//app.example/callback",
            "http://app.example/callback",
            "http://127.0.0.1.evil.example/",
            "http://localhost.evil.example/",
            "https://app.example/#f",
            "https://user@app.example/",
            "https://@app.example/",
            "http://@127.0.0.1/",
            "https://user:secret@app.example/",
            "https:app.example/",
            "https:///app.example/",
            "https:\\\\app.example/",
            "https://app.example\\@evil.example/",
            " https://app.example/",
            "https://app.example/a b",
            "https://app.example/\n",
            "https://äpp.example/",
            "HTTPS://app.example/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "myapp:/callback",
        ] {
            assert!(RedirectUri::parse(bad).is_none(), "{bad}");
        }
        assert!(RedirectUri::parse(&format!("https://app.example/{}", "a".repeat(1100))).is_none());
    }

    #[test]
    fn one_matches_letter_by_letter_but_for_a_loopback_port() {
        let web = RedirectUri::parse("https://app.example/callback").unwrap();
        assert!(web.matches("https://app.example/callback"));
        for other in [
            "https://app.example/callback/",
            "https://app.example/callback?x=1",
            "https://app.example/Callback",
            "https://app.example:443/callback",
            "https://app.example:8443/callback",
            "https://app.example/../callback",
            "https://app.example.evil.example/callback",
            "http://app.example/callback",
        ] {
            assert!(!web.matches(other), "{other}");
        }
        let native = RedirectUri::parse("http://127.0.0.1/callback").unwrap();
        for port in ["", ":80", ":3000", ":65535"] {
            assert!(native.matches(&format!("http://127.0.0.1{port}/callback")), "{port}");
        }
        for other in [
            "http://127.0.0.1:3000/other",
            "http://127.0.0.1:3000/callback?x=1",
            "http://localhost:3000/callback",
            "http://127.0.0.2:3000/callback",
            "https://127.0.0.1:3000/callback",
            "http://127.0.0.1:3000@evil.example/callback",
            "http://127.0.0.1:99999/callback",
            "http://127.0.0.1:5555/x/../callback",
            "http://127.0.0.1:5555/callback/../callback",
            "http://127.0.0.1:5555/%2e/callback",
            "http://127.0.0.1:5555/%63allback",
            "http://127.1:5555/callback",
            "http://0177.0.0.1:5555/callback",
            "http://2130706433:5555/callback",
            "http://[::ffff:127.0.0.1]:5555/callback",
        ] {
            assert!(!native.matches(other), "{other}");
        }
        let native = RedirectUri::parse("http://[::1]?a=b:1").unwrap();
        assert!(native.matches("http://[::1]:5555?a=b:1") && !native.matches("http://[::1]:5555?a=b:2"));
    }
}
