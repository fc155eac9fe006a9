//! What each function finds in its environment: what `template.yaml` gives it, and what Lambda itself would set.
//!
//! Nothing else: a variable that the template forgets is missing here as it would be on AWS, and the credentials of
//! whoever runs this stay out of reach.

use std::collections::BTreeMap;

use template::{Function, Template};

use crate::failure::Result;

/// The Region that everything here claims to be in.
pub const REGION: &str = "us-east-1";

/// The variable that names the key of KMS which wraps signing keys.
const KMS_KEY_ID: &str = "KEYGATE_KMS_KEY_ID";

/// What differs from one run to the next.
#[derive(Clone, Debug)]
pub struct Setting {
    /// The public base URL, without a slash at the end.
    pub base_url: String,
    /// The secret that wraps signing keys.
    pub master_key: String,
    /// Where the embedded store answers.
    pub store: String,
    /// What tokens are signed with, where it is not the template's default.
    pub signing_algorithm: Option<String>,
    /// Whether webhooks may go to this machine.
    pub allow_loopback_webhooks: bool,
    /// What is handed on of the environment around: [`surroundings`].
    pub surroundings: BTreeMap<String, String>,
}

/// What the functions find of this program's own environment; whom it trusts among it, for an app's document that lies on this
/// machine.
const SURROUNDINGS: [&str; 8] =
    ["PATH", "LANG", "TZ", "TMPDIR", "RUST_BACKTRACE", "RUST_LOG", "SSL_CERT_FILE", "SSL_CERT_DIR"];

impl Setting {
    /// The environment of `function`.
    ///
    /// # Errors
    /// The template uses a value that only a deployment knows.
    pub fn environment(&self, template: &Template, function: &Function) -> Result<BTreeMap<String, String>> {
        let mut values = template.values()?;
        // One machine tries sign-ups and registrations by the hundred, all from one address.
        values.set("BaseUrl", self.base_url.clone()).set("AWS::Region", REGION);
        for limit in ["SignUpsPerHour", "RegistrationsPerHour", "ClientDocumentsPerHour"] {
            values.set(limit, "10000");
        }
        if let Some(algorithm) = &self.signing_algorithm {
            values.set("SigningAlgorithm", algorithm.clone());
        }
        let overridden = BTreeMap::from([
            ("KEYGATE_BASE_URL".to_owned(), self.base_url.clone()),
            (KMS_KEY_ID.to_owned(), String::new()),
        ]);
        let mut environment = self.surroundings.clone();
        environment.extend(self.store());
        environment.extend(function.resolve_environment(&values, &overridden)?);
        // One machine has no KMS: what wraps by it on AWS wraps here under the master key.
        if environment.remove(KMS_KEY_ID).is_some() {
            environment.insert("KEYGATE_MASTER_KEY".to_owned(), self.master_key.clone());
        }
        if self.allow_loopback_webhooks {
            environment.insert("KEYGATE_ALLOW_LOOPBACK_WEBHOOKS".to_owned(), "1".to_owned());
        }
        for (name, value) in [
            ("AWS_LAMBDA_FUNCTION_NAME", function.package.as_str()),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_LOG_FORMAT", "JSON"),
        ] {
            environment.insert(name.to_owned(), value.to_owned());
        }
        Ok(environment)
    }

    /// What leads the AWS SDK to the embedded store.
    fn store(&self) -> impl Iterator<Item = (String, String)> {
        let variables = [
            ("AWS_ENDPOINT_URL_DYNAMODB", self.store.as_str()),
            ("AWS_REGION", REGION),
            ("AWS_DEFAULT_REGION", REGION),
            ("AWS_ACCESS_KEY_ID", "local"),
            ("AWS_SECRET_ACCESS_KEY", "local"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ];
        variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned()))
    }
}

/// What functions may find of this program's own environment.
#[must_use]
pub fn surroundings() -> BTreeMap<String, String> {
    SURROUNDINGS.into_iter().filter_map(|name| Some((name.to_owned(), std::env::var(name).ok()?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(package: &str) -> BTreeMap<String, String> {
        let template = Template::load(concat!(env!("CARGO_MANIFEST_DIR"), "/../../template.yaml")).unwrap();
        let functions = template.functions().unwrap();
        let function = functions.iter().find(|function| function.package == package).unwrap();
        let setting = Setting {
            base_url: "http://127.0.0.1:8788".to_owned(),
            master_key: "m".repeat(48),
            store: "http://127.0.0.1:4000".to_owned(),
            signing_algorithm: Some("EdDSA".to_owned()),
            allow_loopback_webhooks: true,
            surroundings: BTreeMap::from([("TZ".to_owned(), "UTC".to_owned())]),
        };
        setting.environment(&template, function).unwrap()
    }

    #[test]
    fn a_function_gets_what_the_template_gives_it_and_no_more() {
        let environment = environment("token-exchange");
        assert_eq!(environment["KEYGATE_BASE_URL"], "http://127.0.0.1:8788");
        assert_eq!(environment["KEYGATE_TABLE_KEYS"], "KeysTable");
        assert_eq!(environment["KEYGATE_ALLOW_LOOPBACK_WEBHOOKS"], "1");
        assert_eq!(environment["KEYGATE_SIGNING_ALGORITHM"], "EdDSA");
        assert_eq!(environment["KEYGATE_SIGN_UPS_PER_HOUR"], "10000");
        assert_eq!(environment["AWS_ENDPOINT_URL_DYNAMODB"], "http://127.0.0.1:4000");
        assert_eq!(environment["TZ"], "UTC");
        assert!(!environment.contains_key("PATH"), "only what is said to be handed on");
        assert!(!environment.contains_key("HOME") && !environment.contains_key("AWS_PROFILE"));
    }

    #[test]
    fn the_master_key_stands_in_for_kms_and_reaches_nobody_else() {
        for wrapping in ["token-exchange", "upkeep"] {
            let environment = environment(wrapping);
            assert_eq!(environment["KEYGATE_MASTER_KEY"].len(), 48, "{wrapping}");
            assert!(!environment.contains_key(KMS_KEY_ID), "{wrapping}");
        }
        for other in ["accounts", "authorizer", "jwks", "key-management", "demo-api"] {
            assert!(!environment(other).contains_key("KEYGATE_MASTER_KEY"), "{other}");
        }
    }
}
