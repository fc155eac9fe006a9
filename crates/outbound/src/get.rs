//! Reading what lies at a stranger's address.

use std::error::Error as _;
use std::time::Duration;

use reqwest::header::{ACCEPT, CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use reqwest::redirect::Policy;
use reqwest::{Certificate, Client, Response, StatusCode};
use thiserror::Error;
use tokio::sync::OnceCell;
use url::{Host, Url};

use crate::Reach;
use crate::guard::{Guard, OutOfReach};

/// From the first byte of the resolution to the last one of the body.
const PATIENCE: Duration = Duration::from_secs(3);

/// What lies there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub body: Vec<u8>,
    /// Its media type, without parameters, in lower case.
    pub media_type: String,
    /// For how many seconds it may be kept, where it says so (RFC 9111, section 5.2.2.1).
    pub max_age: Option<u64>,
}

/// Why nothing was read. For the log: whoever chose the address learns nothing of it, or could ask what lies where.
#[derive(Debug, Error)]
pub enum Failure {
    /// Not https.
    #[error("the URL is not https")]
    NotHttps,
    /// An address that is not public.
    #[error("the host has an address that is not public")]
    OutOfReach,
    /// Another status than 200, redirects included.
    #[error("the answer is {0}")]
    Status(StatusCode),
    /// More bytes than are read.
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// No connection, no trust in its certificate, or too slow.
    #[error("there is no answer")]
    Unreachable(#[source] reqwest::Error),
}

/// Reads what lies at strangers' addresses.
pub struct Outbound {
    reach: Reach,
    roots: Vec<Certificate>,
    /// Made when it is first needed: reading the system's certificates takes longer than most calls.
    client: OnceCell<Client>,
}

impl Outbound {
    /// Trusts whom the system trusts.
    #[must_use]
    pub fn new(reach: Reach) -> Self {
        Self { reach, roots: Vec::new(), client: OnceCell::new() }
    }

    /// Trusts these authorities, too.
    #[must_use]
    pub fn trusting(mut self, roots: impl IntoIterator<Item = Certificate>) -> Self {
        self.roots.extend(roots);
        self
    }

    /// Reads at most `most` bytes from `url`.
    ///
    /// # Errors
    /// [`Failure`].
    pub async fn get(&self, url: &Url, accept: &'static str, most: usize) -> Result<Fetched, Failure> {
        if url.scheme() != "https" {
            return Err(Failure::NotHttps);
        }
        // A host that is an address is not resolved, so the guard does not see it.
        let address = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            _ => None,
        };
        if address.is_some_and(|address| !self.reach.covers(address)) {
            return Err(Failure::OutOfReach);
        }
        let client = self.client.get_or_try_init(async || self.client()).await.map_err(Failure::Unreachable)?;
        let response = client.get(url.clone()).header(ACCEPT, accept).send().await.map_err(failure)?;
        read(response, most).await
    }

    fn client(&self) -> Result<Client, reqwest::Error> {
        Client::builder()
            .https_only(true)
            .redirect(Policy::none())
            .no_proxy()
            .dns_resolver(Guard(self.reach))
            .timeout(PATIENCE)
            // The next request to the same host is minutes away.
            .pool_max_idle_per_host(0)
            .tls_certs_merge(self.roots.clone())
            .build()
    }
}

async fn read(mut response: Response, most: usize) -> Result<Fetched, Failure> {
    if response.status() != StatusCode::OK {
        return Err(Failure::Status(response.status()));
    }
    let text = |name: HeaderName| response.headers().get(name)?.to_str().ok();
    let media_type = text(CONTENT_TYPE).and_then(|value| value.split(';').next()).unwrap_or_default();
    let media_type = media_type.trim().to_ascii_lowercase();
    let max_age = text(CACHE_CONTROL).and_then(max_age);
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failure)? {
        if body.len() + chunk.len() > most {
            return Err(Failure::TooLarge(most));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Fetched { body, media_type, max_age })
}

fn max_age(cache_control: &str) -> Option<u64> {
    let mut directives = cache_control.split(',').map(|directive| directive.trim().to_ascii_lowercase());
    directives.find_map(|directive| directive.strip_prefix("max-age=")?.trim_matches('"').parse().ok())
}

/// The guard's refusal comes wrapped in the client's own errors.
fn failure(error: reqwest::Error) -> Failure {
    let mut source = error.source();
    while let Some(inner) = source {
        if inner.is::<OutOfReach>() {
            return Failure::OutOfReach;
        }
        source = inner.source();
    }
    Failure::Unreachable(error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_of_seconds_is_a_max_age() {
        assert_eq!(max_age("public, max-age=600"), Some(600));
        assert_eq!(max_age("Max-Age=\"60\", must-revalidate"), Some(60));
        for none in ["", "no-store", "max-age=", "max-age=-1", "max-age=1.5", "s-maxage=60"] {
            assert_eq!(max_age(none), None, "{none}");
        }
    }
}
