//! For whom a token is: resource indicators (RFC 8707).

use std::fmt;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use url::Url;

use crate::redirect_uri::is_loopback;

/// A resource that a token is asked for: an absolute https URL, or http to this machine, without a fragment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource(String);

impl Resource {
    const MAX: usize = 512;

    /// Reads one (RFC 8707, section 2). The slash that a parser puts behind a bare host means nothing and is left out: a host
    /// is one resource, however its client writes it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\') && text.len() <= Self::MAX;
        let url = Url::parse(text).ok().filter(|_| visible)?;
        let reachable = url.scheme() == "https" || (url.scheme() == "http" && is_loopback(&url));
        let plain = url.fragment().is_none() && url.username().is_empty() && url.password().is_none();
        if !reachable || !plain || url.host().is_none() {
            return None;
        }
        let bare = url.path() == "/" && url.query().is_none();
        let written = url.as_str();
        // As it is kept, it is read again: a parser writes some characters as three.
        let written = Some(if bare { written.trim_end_matches('/') } else { written });
        written.filter(|written| written.len() <= Self::MAX).map(|written| Self(written.to_owned()))
    }

    /// The resource as an audience.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Serialize for Resource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Resource {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| de::Error::custom("not a resource"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_one_resource() {
        for (asked, resource) in [
            ("https://api.example", "https://api.example"),
            ("https://api.example/", "https://api.example"),
            ("https://API.example:443/", "https://api.example"),
            ("https://api.example/mcp", "https://api.example/mcp"),
            ("https://api.example/mcp/", "https://api.example/mcp/"),
            ("http://127.0.0.1:9000/", "http://127.0.0.1:9000"),
        ] {
            assert_eq!(Resource::parse(asked).unwrap().as_str(), resource, "{asked}");
        }
        for bad in [
            "",
            "api",
            "/mcp",
            "urn:x:y",
            "http://api.example/",
            "https://api.example/#f",
            "https://u@api.example/",
            "https://api.example/a b",
            "cl_0123456789abcdef",
            &format!("https://api.example/{}", "<".repeat(200)),
        ] {
            assert!(Resource::parse(bad).is_none(), "{bad}");
        }
    }
}
