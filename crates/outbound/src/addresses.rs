//! Which addresses are anybody's.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::LazyLock;

use domain::is_loopback;
use ipnet::{Ipv4Net, Ipv6Net};
use url::Url;

/// How far requests go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// To public addresses.
    Public,
    /// To this very machine, too: for a run on one machine, where whoever asks could reach all of it anyway.
    Loopback,
}

impl Reach {
    /// How far the requests of a service go that is known by this URL: where that is this very machine, so may they be.
    #[must_use]
    pub fn of(base_url: &str) -> Self {
        let is_here = Url::parse(base_url).is_ok_and(|url| is_loopback(&url));
        if is_here { Self::Loopback } else { Self::Public }
    }

    /// Whether an address is within.
    #[must_use]
    pub fn covers(self, address: IpAddr) -> bool {
        // An IPv4 address in IPv6's clothes is that IPv4 address: the kernel connects to it.
        let address = address.to_canonical();
        is_public(address) || (self == Self::Loopback && address.is_loopback())
    }
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => !SPECIAL_V4.iter().any(|net| net.contains(&address)),
        IpAddr::V6(address) => UNICAST.contains(&address) && !SPECIAL_V6.iter().any(|net| net.contains(&address)),
    }
}

/// IANA's IPv4 special-purpose addresses (RFC 6890), multicast, and what is reserved.
static SPECIAL_V4: LazyLock<[Ipv4Net; 16]> = LazyLock::new(|| {
    let net = |a, b, c, d, length| Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), length);
    [
        net(0, 0, 0, 0, 8),
        net(10, 0, 0, 0, 8),
        net(100, 64, 0, 0, 10),
        net(127, 0, 0, 0, 8),
        net(169, 254, 0, 0, 16),
        net(172, 16, 0, 0, 12),
        net(192, 0, 0, 0, 24),
        net(192, 0, 2, 0, 24),
        net(192, 52, 193, 0, 24),
        net(192, 88, 99, 0, 24),
        net(192, 168, 0, 0, 16),
        net(198, 18, 0, 0, 15),
        net(198, 51, 100, 0, 24),
        net(203, 0, 113, 0, 24),
        net(224, 0, 0, 0, 4),
        net(240, 0, 0, 0, 4),
    ]
});

/// All that is handed out of IPv6 as global unicast (RFC 4291, section 2.4): what lies outside, such as `fd00::/8`,
/// `fe80::/10` and `64:ff9b::/96`, is not public, or is another network's entrance.
static UNICAST: LazyLock<Ipv6Net> =
    LazyLock::new(|| Ipv6Net::new_assert(Ipv6Addr::new(0x2000, 0, 0, 0, 0, 0, 0, 0), 3));

/// IANA's IPv6 special-purpose addresses within it; 6to4 and Teredo hold an IPv4 address that would have to be looked at.
static SPECIAL_V6: LazyLock<[Ipv6Net; 4]> = LazyLock::new(|| {
    let net = |a, b, length| Ipv6Net::new_assert(Ipv6Addr::new(a, b, 0, 0, 0, 0, 0, 0), length);
    [net(0x2001, 0, 23), net(0x2001, 0xdb8, 32), net(0x2002, 0, 16), net(0x3fff, 0, 20)]
});

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn public_addresses_are_within_and_no_others() {
        for good in
            ["1.1.1.1", "8.8.8.8", "52.94.236.248", "172.15.255.255", "172.32.0.0", "2600:1f18::1", "::ffff:1.1.1.1"]
        {
            assert!(Reach::Public.covers(good.parse().unwrap()), "{good}");
        }
        for bad in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "169.254.170.2",
            "169.254.100.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.192",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::ffff:0:127.0.0.1",
            "::127.0.0.1",
            "64:ff9b::169.254.169.254",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "5f00::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!Reach::Public.covers(bad.parse().unwrap()), "{bad}");
        }
    }

    #[test]
    fn this_machine_alone_is_added_to_what_is_public() {
        for own in ["127.0.0.1", "127.8.8.8", "::1", "::ffff:127.0.0.1"] {
            assert!(Reach::Loopback.covers(own.parse().unwrap()), "{own}");
        }
        for other in ["10.0.0.1", "169.254.169.254", "192.168.0.1", "0.0.0.0", "::", "fd00:ec2::254"] {
            assert!(!Reach::Loopback.covers(other.parse().unwrap()), "{other}");
        }
        assert!(Reach::Loopback.covers("1.1.1.1".parse().unwrap()));
    }

    #[test]
    fn only_a_service_on_this_machine_reaches_it() {
        for own in ["http://127.0.0.1:8787", "http://localhost:8787", "http://[::1]"] {
            assert_eq!(Reach::of(own), Reach::Loopback, "{own}");
        }
        for other in ["https://auth.example", "https://localhost.example", "https://10.0.0.1", "", "localhost"] {
            assert_eq!(Reach::of(other), Reach::Public, "{other}");
        }
    }

    proptest! {
        /// What the standard library calls by a name is never public, in either spelling.
        #[test]
        fn a_private_address_is_public_in_no_spelling(bits: u32) {
            let address = Ipv4Addr::from_bits(bits);
            let special = address.is_private() || address.is_loopback() || address.is_link_local() || address.is_multicast()
                || address.is_broadcast() || address.is_documentation() || address.is_unspecified();
            let mapped = address.to_ipv6_mapped();
            prop_assert_eq!(Reach::Public.covers(address.into()), Reach::Public.covers(mapped.into()));
            prop_assert!(!(special && Reach::Public.covers(address.into())));
            prop_assert!(!Reach::Public.covers(address.to_ipv6_compatible().into()));
        }
    }
}
