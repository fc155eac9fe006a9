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
        let published: [u128; 10] = [
            0x8ecd_e688_4f3d_87b1_125b_a31a_c3fc_b13d,
            0x7016_de7f_57cc_904f_e1cb_97c6_ae98_196e,
            0x1ba5_b2aa_8c65_401a_8296_0118_f80b_ec4f,
            0x6230_4d83_cec4_713a_19c3_9c01_1ea4_6db4,
            0x18ce_6cfe_7bf1_4e60_b2e3_47b8_dfe8_68cb,
            0x31d0_2ebb_3ada_2715_69f5_0343_b46d_b3a4,
            0xe35d_2841_9ed0_2025_cfa6_9038_cd62_3962,
            0x458d_a5c6_95fb_dea3_c22b_0bfb_2589_7092,
            0x568d_6905_a2c8_8708_a4b3_0251_90ed_cfed,
            0xb197_4a60_6a13_c6e5_290f_cb2a_e63e_dab5,
        ];
        let fingerprints = AMAZON.map(|pem| {
            let certificate = CertificateDer::from_pem_slice(pem.as_bytes()).unwrap();
            let hash: [u8; 32] = Sha256::digest(&certificate).into();
            let (high, low) = hash.split_at(16);
            [high, low].map(|half| u128::from_be_bytes(half.try_into().unwrap()))
        });
        assert_eq!(fingerprints.as_flattened(), published);
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
