//! Resolving a host, and looking at what it resolves to.

use std::io;
use std::net::SocketAddr;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use thiserror::Error;

use crate::Reach;

/// The host has an address that is not within reach.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("the host has an address that is not public")]
pub(crate) struct OutOfReach;

/// The only resolver of a client: what it does not return is not connected to.
pub(crate) struct Guard(pub(crate) Reach);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let reach = self.0;
        Box::pin(async move {
            // The port is the URL's.
            let found: Vec<_> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let addresses = within(reach, found)?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// All addresses, where every one is within reach. A host with a public and a private one is refused as a whole: it is either
/// mistaken or an attempt, and which of them is tried first is not ours to choose.
fn within(reach: Reach, found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Box<dyn std::error::Error + Send + Sync>> {
    if found.is_empty() {
        return Err(io::Error::from(io::ErrorKind::NotFound).into());
    }
    if found.iter().all(|address| reach.covers(address.ip())) { Ok(found) } else { Err(OutOfReach.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_private_address_refuses_the_host() {
        let of =
            |texts: &[&str]| texts.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect::<Vec<_>>();
        assert_eq!(within(Reach::Public, of(&["1.1.1.1", "2600::1"])).unwrap().len(), 2);
        for mixed in [["1.1.1.1", "127.0.0.1"], ["169.254.169.254", "1.1.1.1"], ["1.1.1.1", "::ffff:10.0.0.1"]] {
            assert!(within(Reach::Public, of(&mixed)).unwrap_err().is::<OutOfReach>(), "{mixed:?}");
        }
        assert!(within(Reach::Public, Vec::new()).is_err());
    }
}
