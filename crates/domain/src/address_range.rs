//! The addresses that a key may be used from.

use std::fmt;
use std::net::IpAddr;

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A range of addresses: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AddressRange(IpNet);

impl AddressRange {
    /// Reads a range in CIDR notation (RFC 4632, RFC 4291) or a single address; `None` for anything else, and where bits
    /// stand behind the prefix: `10.0.0.1/8` may mean the one or the other. An IPv4 address within IPv6 is the IPv4 one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let range = match text.parse::<IpNet>() {
            Ok(range) => range,
            Err(_) => IpNet::from(text.parse::<IpAddr>().ok()?),
        };
        if range != range.trunc() {
            return None;
        }
        let address = range.addr().to_canonical();
        if address == range.addr() {
            return Some(Self(range));
        }
        // `::ffff:192.0.2.0/120`, since callers are seen by their IPv4 address.
        IpNet::new(address, range.prefix_len().checked_sub(96)?).ok().map(Self)
    }

    fn contains(&self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl fmt::Display for AddressRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// The ranges that a key is held to; with none it is held to none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedAddresses(Vec<AddressRange>);

impl AllowedAddresses {
    /// How many ranges a key may have.
    pub const MAX: usize = 50;

    /// Takes ranges; `None` for more than [`AllowedAddresses::MAX`].
    #[must_use]
    pub fn new(ranges: Vec<AddressRange>) -> Option<Self> {
        (ranges.len() <= Self::MAX).then_some(Self(ranges))
    }

    /// The ranges.
    pub fn iter(&self) -> impl Iterator<Item = &AddressRange> {
        self.0.iter()
    }

    /// Whether there is none, and with it no limit.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a call from `address` may be made. An address that nobody knows is in no range.
    #[must_use]
    pub fn allow(&self, address: Option<IpAddr>) -> bool {
        self.0.is_empty() || address.is_some_and(|address| self.0.iter().any(|range| range.contains(address)))
    }

    /// Whether every address that `other` allows is allowed here too.
    #[must_use]
    pub fn cover(&self, other: &Self) -> bool {
        let within = |range: &AddressRange| self.0.iter().any(|own| own.0.contains(&range.0));
        self.0.is_empty() || (!other.0.is_empty() && other.0.iter().all(within))
    }
}

impl Serialize for AllowedAddresses {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.0.iter().map(ToString::to_string))
    }
}

impl<'de> Deserialize<'de> for AllowedAddresses {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let texts = Vec::<String>::deserialize(deserializer)?;
        texts.iter().map(|text| AddressRange::parse(text)).collect::<Option<Vec<_>>>().and_then(Self::new).ok_or_else(
            || de::Error::custom("at most 50 addresses or ranges such as 192.0.2.0/24, no bits behind the prefix"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ranges(texts: &[&str]) -> AllowedAddresses {
        AllowedAddresses::new(texts.iter().map(|text| AddressRange::parse(text).unwrap()).collect()).unwrap()
    }

    #[test]
    fn ranges_are_read_as_they_are_meant() {
        for (text, read) in [
            ("192.0.2.0/24", "192.0.2.0/24"),
            ("192.0.2.7", "192.0.2.7/32"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("2001:DB8::/32", "2001:db8::/32"),
            ("::1", "::1/128"),
            ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
        ] {
            assert_eq!(AddressRange::parse(text).unwrap().to_string(), read);
        }
        for bad in [
            "",
            "x",
            "192.0.2.1/24",
            "192.0.2.0/33",
            "192.0.2",
            "192.0.2.0/",
            "192.0.02.1",
            "2001:db8::1/32",
            "::/129",
            " 192.0.2.0/24",
            "192.0.2.0/24 ",
            "192.0.2.0-192.0.2.9",
            "fe80::1%eth0",
        ] {
            assert_eq!(AddressRange::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn an_address_is_allowed_by_a_range_that_holds_it() {
        let at = |text: &str| Some(text.parse().unwrap());
        let allowed = ranges(&["192.0.2.0/24", "2001:db8::/32"]);
        for address in ["192.0.2.0", "192.0.2.255", "::ffff:192.0.2.7", "2001:db8:1::1"] {
            assert!(allowed.allow(at(address)), "{address}");
        }
        for address in ["192.0.3.0", "10.0.0.1", "2001:db9::1", "::192.0.2.7", "::1"] {
            assert!(!allowed.allow(at(address)), "{address}");
        }
        assert!(!allowed.allow(None), "nobody knows where it comes from");
        assert!(AllowedAddresses::default().allow(None) && AllowedAddresses::default().allow(at("::1")));
    }

    #[test]
    fn fewer_addresses_are_covered_by_more() {
        let wide = ranges(&["10.0.0.0/8", "::/0"]);
        assert!(wide.cover(&ranges(&["10.1.0.0/16"])) && wide.cover(&wide));
        assert!(AllowedAddresses::default().cover(&wide), "no limit covers all");
        assert!(!wide.cover(&AllowedAddresses::default()), "and nothing covers no limit");
        assert!(!wide.cover(&ranges(&["10.1.0.0/16", "11.0.0.0/8"])));
    }
}
