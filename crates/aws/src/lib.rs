//! How the functions reach AWS: by the SDK, with whom they trust and how long they wait in one place.
//!
//! A function that starts pays for every certificate authority that it parses, and the system's are about 145. AWS's own
//! endpoints need five (`roots.rs`).

mod roots;

use std::env;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region};
use aws_credential_types::Credentials;
use aws_smithy_http_client::Builder;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

pub use aws_config::SdkConfig;
use roots::Roots;

/// Prepares calls of a service; nothing is sent. Region, credentials and endpoint come from the environment as for every AWS
/// SDK; `endpoint_variable` is the one that names an endpoint of the service which is not Amazon's
/// (`AWS_ENDPOINT_URL_DYNAMODB`).
pub async fn connect(endpoint_variable: &str) -> SdkConfig {
    let variable = |name: &str| env::var(name).ok().filter(|value| !value.is_empty());
    let endpoint = variable(endpoint_variable).or_else(|| variable("AWS_ENDPOINT_URL"));
    let region = variable("AWS_REGION").or_else(|| variable("AWS_DEFAULT_REGION"));
    let named = variable("SSL_CERT_FILE").or_else(|| variable("SSL_CERT_DIR"));
    let roots = Roots::of(endpoint.as_deref(), region.as_deref(), named.is_some());
    loader(client(roots)).load().await
}

/// Prepares calls of a server that plays a service at `endpoint`, and asks for no real credentials.
pub async fn connect_emulated(endpoint: &str, region: &'static str) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "emulated service");
    let loader = loader(client(Roots::of(Some(endpoint), None, false)));
    loader.endpoint_url(endpoint).region(Region::from_static(region)).credentials_provider(credentials).load().await
}

/// A caller waits behind every call: three seconds in all, then it is told 503. Every call here may be sent twice without
/// harm.
fn loader(client: SharedHttpClient) -> ConfigLoader {
    let timeouts = TimeoutConfig::builder()
        .connect_timeout(Duration::from_millis(500))
        .operation_attempt_timeout(Duration::from_secs(1))
        .operation_timeout(Duration::from_secs(3))
        .build();
    let retries = RetryConfig::standard()
        .with_max_attempts(3)
        .with_initial_backoff(Duration::from_millis(25))
        .with_max_backoff(Duration::from_millis(250));
    aws_config::defaults(BehaviorVersion::latest()).http_client(client).timeout_config(timeouts).retry_config(retries)
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
        let loader = loader(client).endpoint_url(server.url("/")).region(Region::from_static("us-east-1"));
        let credentials = Credentials::new("local", "local", None, None, "test");
        let config = loader.credentials_provider(credentials).retry_config(RetryConfig::disabled()).load().await;
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

    #[tokio::test]
    async fn only_whose_authority_is_trusted_is_called() {
        let server = TlsServer::start(Router::new().fallback(async || StatusCode::IM_A_TEAPOT)).await;
        let own = TrustStore::empty().with_pem_certificate(server.authority.as_bytes());
        assert!(is_trusted(&server, https(own)).await);
        assert!(!is_trusted(&server, client(Roots::Amazon)).await);
        assert!(!is_trusted(&server, client(Roots::System)).await);
    }
}
