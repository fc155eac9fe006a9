//! How the functions reach AWS: by the SDK, with whom they trust and how long they wait in one place.
//!
//! A function that starts pays for every certificate authority that it parses, and the system's are about 145. AWS's own
//! endpoints need five (`roots.rs`).

mod roots;
mod user_agent;

use std::env;
use std::pin::Pin;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_async::rt::sleep::TokioSleep;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::http::SharedHttpClient;
use aws_smithy_runtime_api::client::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_smithy_types::retry::RetryConfig;
use aws_smithy_types::timeout::TimeoutConfig;
use aws_types::region::Region;
use aws_types::sdk_config;

pub use aws_types::SdkConfig;
use roots::Roots;
pub use user_agent::UserAgent;

/// What a function needs to reach AWS is not in its environment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not set")]
pub struct Misconfigured(&'static str);

/// Prepares calls of a service; nothing is sent. Region, credentials and endpoint come from the environment, where Lambda puts
/// them; nowhere else is looked for any (docs/decisions/0045). `endpoint_variable` is the one that names an endpoint of the
/// service which is not Amazon's (`AWS_ENDPOINT_URL_DYNAMODB`).
///
/// # Errors
/// [`Misconfigured`]: the function must not start.
pub fn connect(endpoint_variable: &str) -> Result<SdkConfig, Misconfigured> {
    of_environment(endpoint_variable, |name| env::var(name).ok().filter(|value| !value.is_empty()))
}

fn of_environment(
    endpoint_variable: &str,
    variable: impl Fn(&str) -> Option<String>,
) -> Result<SdkConfig, Misconfigured> {
    let needed = |name| variable(name).ok_or(Misconfigured(name));
    let (id, secret) = (needed("AWS_ACCESS_KEY_ID")?, needed("AWS_SECRET_ACCESS_KEY")?);
    let credentials = Credentials::new(id, secret, variable("AWS_SESSION_TOKEN"), None, "environment");
    let region =
        variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION")).ok_or(Misconfigured("AWS_REGION"))?;
    let endpoint = variable(endpoint_variable).or_else(|| variable("AWS_ENDPOINT_URL"));
    let named = variable("SSL_CERT_FILE").or_else(|| variable("SSL_CERT_DIR"));
    let roots = Roots::of(endpoint.as_deref(), Some(&region), named.is_some());
    let mut config = builder(client(roots), credentials).region(Region::new(region));
    config.set_endpoint_url(endpoint);
    let wanted = |name| variable(name).map(|value| value.eq_ignore_ascii_case("true"));
    config.set_use_fips(wanted("AWS_USE_FIPS_ENDPOINT"));
    config.set_use_dual_stack(wanted("AWS_USE_DUALSTACK_ENDPOINT"));
    Ok(config.build())
}

/// Prepares calls of a server that plays a service at `endpoint`, and asks for no real credentials.
#[must_use]
pub fn connect_emulated(endpoint: &str, region: &'static str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "emulated service");
    let client = client(Roots::of(Some(endpoint), None, false));
    builder(client, credentials).endpoint_url(endpoint).region(Region::from_static(region)).build()
}

/// A call's future on its own: it has some kilobytes, which would be moved with every handler that might await it, and a type so
/// deep that the compiler gives up on those handlers.
pub fn boxed<'a, T>(call: impl Future<Output = T> + Send + 'a) -> Pin<Box<dyn Future<Output = T> + Send + 'a>> {
    Box::pin(call)
}

/// A caller waits behind every call: three seconds in all, then it is told 503. Every call here may be sent twice without
/// harm.
fn builder(client: SharedHttpClient, credentials: Credentials) -> sdk_config::Builder {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(500))
        .operation_attempt_timeout(Duration::from_secs(1))
        .operation_timeout(Duration::from_secs(3))
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(250));
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .http_client(client)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .sleep_impl(TokioSleep::new())
        .timeout_config(timeouts)
        .retry_config(retries)
        // An attempt has a second in all, however slowly its bytes come.
        .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
}

fn client(roots: Roots) -> SharedHttpClient {
    let store = match roots {
        Roots::None => return Builder::new().build_http(),
        Roots::System => TrustStore::default(),
        Roots::Amazon => {
            roots::AMAZON.iter().fold(TrustStore::empty(), |store, root| store.with_pem_certificate(root.as_bytes()))
        }
    };
    https(store)
}

fn https(store: TrustStore) -> SharedHttpClient {
    let client = Builder::new().tls_provider(Provider::Rustls(CryptoMode::AwsLc));
    match TlsContext::builder().with_trust_store(store).build() {
        Ok(context) => client.tls_context(context).build_https(),
        // It checks nothing, and never fails. The system's authorities are the default.
        Err(_) => client.build_https(),
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::error::SdkError;
    use axum::Router;
    use axum::http::StatusCode;
    use testkit::TlsServer;

    use super::*;

    /// Whether `server` is believed to be who it is.
    async fn is_trusted(server: &TlsServer, client: SharedHttpClient) -> bool {
        let credentials = Credentials::new("local", "local", None, None, "test");
        let config =
            builder(client, credentials).endpoint_url(server.url("/")).region(Region::from_static("us-east-1"));
        let config = config.retry_config(RetryConfig::disabled()).build();
        match Client::new(&config).list_tables().send().await {
            Err(SdkError::DispatchFailure(_)) => false,
            Err(SdkError::ServiceError(error)) => {
                assert_eq!(error.raw().status().as_u16(), 418);
                true
            }
            other => panic!("{other:?}"),
        }
    }

    /// As `.cargo/config.toml` has it built (docs/decisions/0043).
    #[test]
    fn no_jitter_of_the_processor_is_measured_before_the_first_random_number() {
        let program = std::fs::read(env::current_exe().unwrap()).unwrap();
        // Written backwards, or this test's own text would be found.
        let names = |backwards: &[u8]| {
            let (first, name) = (backwards.last(), backwards.iter().rev());
            program.windows(backwards.len()).any(|window| window.first() == first && window.iter().eq(name.clone()))
        };
        assert!(names(b"setyb_DNAR_"), "the names of aws-lc's functions are in it");
        assert!(!names(b"tini_yportne_tnej_"));
    }

    #[test]
    fn what_lambda_gives_is_taken_and_what_is_missing_is_named() {
        let lambda = [("AWS_ACCESS_KEY_ID", "id"), ("AWS_SECRET_ACCESS_KEY", "secret"), ("AWS_REGION", "eu-west-1")];
        let of = |set: &[(&str, &str)]| {
            let set: std::collections::HashMap<_, _> = set.iter().copied().collect();
            of_environment("AWS_ENDPOINT_URL_KMS", |name| set.get(name).map(|value| (*value).to_owned()))
        };
        let config = of(&lambda).unwrap();
        assert_eq!((config.region().map(AsRef::as_ref), config.endpoint_url()), (Some("eu-west-1"), None));
        for (place, (name, _)) in lambda.iter().enumerate() {
            let mut without = lambda.to_vec();
            without.remove(place);
            assert_eq!(of(&without).unwrap_err().to_string(), format!("{name} is not set"));
        }
        let with = |name, value| of(&[&lambda[..], &[(name, value)]].concat()).unwrap();
        assert_eq!(with("AWS_ENDPOINT_URL", "http://a").endpoint_url(), Some("http://a"));
        assert_eq!(with("AWS_ENDPOINT_URL_KMS", "http://b").endpoint_url(), Some("http://b"));
        assert_eq!(with("AWS_ENDPOINT_URL_DYNAMODB", "http://c").endpoint_url(), None);
        assert_eq!(with("AWS_USE_FIPS_ENDPOINT", "true").use_fips(), Some(true));
        assert_eq!(with("AWS_USE_DUALSTACK_ENDPOINT", "TRUE").use_dual_stack(), Some(true));
        assert_eq!((config.use_fips(), config.use_dual_stack()), (None, None));
        let old = [lambda[0], lambda[1], ("AWS_DEFAULT_REGION", "us-east-2")];
        assert_eq!(of(&old).unwrap().region().map(AsRef::as_ref), Some("us-east-2"));
    }

    #[tokio::test]
    async fn only_whose_authority_is_trusted_is_called() {
        let server = TlsServer::start(Router::new().fallback(async || StatusCode::IM_A_TEAPOT)).await;
        let own = TrustStore::empty().with_pem_certificate(server.authority.as_bytes());
        assert!(is_trusted(&server, https(own)).await);
        assert!(!is_trusted(&server, client(Roots::Amazon)).await);
        assert!(!is_trusted(&server, client(Roots::System)).await);
    }
}
