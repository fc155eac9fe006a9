//! Whose certificates are believed.

/// Amazon Trust Services' roots, behind every endpoint of AWS in its ordinary partitions; they end from 2037 on. From
/// Mozilla's list, as Debian distributes it; <https://www.amazontrust.com/repository/> publishes them and their fingerprints.
pub(crate) const AMAZON: [&str; 5] = [
    include_str!("../roots/amazon-root-ca-1.pem"),
    include_str!("../roots/amazon-root-ca-2.pem"),
    include_str!("../roots/amazon-root-ca-3.pem"),
    include_str!("../roots/amazon-root-ca-4.pem"),
    include_str!("../roots/starfield-services-root-ca-g2.pem"),
];

/// Whom a client trusts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Roots {
    /// Nobody: the endpoint is plain http, to this machine.
    None,
    /// Amazon's own authorities.
    Amazon,
    /// The system's, or those that `SSL_CERT_FILE` and `SSL_CERT_DIR` name.
    System,
}

impl Roots {
    /// Those for an endpoint, where it is not Amazon's; otherwise for a region. `named`: whether the environment names
    /// authorities, which then count alone.
    pub(crate) fn of(endpoint: Option<&str>, region: Option<&str>, named: bool) -> Self {
        // Partitions of their own may have authorities of their own: China's, and those that are cut off.
        let elsewhere = |region: &str| region.starts_with("cn-") || region.contains("-iso");
        match endpoint {
            Some(endpoint) if endpoint.starts_with("http://") => Self::None,
            Some(_) => Self::System,
            None if named || region.is_some_and(elsewhere) => Self::System,
            None => Self::Amazon,
        }
    }
}

#[cfg(test)]
mod tests {
    use rustls_pki_types::CertificateDer;
    use rustls_pki_types::pem::PemObject as _;
    use sha2::{Digest as _, Sha256};

    use super::*;

    #[test]
    fn the_embedded_roots_are_the_published_ones() {
        // As <https://www.amazontrust.com/repository/> has them.
        let published = [
            "8ecde6884f3d87b1125ba31ac3fcb13d7016de7f57cc904fe1cb97c6ae98196e",
            "1ba5b2aa8c65401a82960118f80bec4f62304d83cec4713a19c39c011ea46db4",
            "18ce6cfe7bf14e60b2e347b8dfe868cb31d02ebb3ada271569f50343b46db3a4",
            "e35d28419ed02025cfa69038cd623962458da5c695fbdea3c22b0bfb25897092",
            "568d6905a2c88708a4b3025190edcfedb1974a606a13c6e5290fcb2ae63edab5",
        ];
        let fingerprints = AMAZON.map(|pem| {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            Sha256::digest(&certificate).iter().map(|byte| format!("{byte:02x}")).collect::<String>()
        });
        assert_eq!(fingerprints, published);
    }

    #[test]
    fn amazons_roots_are_for_amazons_own_endpoints() {
        for (endpoint, region, named, roots) in [
            (None, Some("us-east-1"), false, Roots::Amazon),
            (None, Some("us-gov-west-1"), false, Roots::Amazon),
            (None, None, false, Roots::Amazon),
            (None, Some("us-east-1"), true, Roots::System),
            (None, Some("cn-north-1"), false, Roots::System),
            (None, Some("us-iso-east-1"), false, Roots::System),
            (None, Some("us-isob-east-1"), false, Roots::System),
            (Some("https://store.example"), Some("us-east-1"), false, Roots::System),
            (Some("http://127.0.0.1:4000"), Some("us-east-1"), true, Roots::None),
        ] {
            assert_eq!(Roots::of(endpoint, region, named), roots, "{endpoint:?} {region:?} {named}");
        }
    }
}
