//! What calls of AWS say of who makes them.

use aws_runtime::user_agent::UserAgentInterceptor;
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::{
    BeforeSerializationInterceptorContextRef, BeforeTransmitInterceptorContextMut,
};
use aws_smithy_runtime_api::client::interceptors::{Intercept, disable_interceptor};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;

const USER_AGENT: &str = concat!("keygate/", env!("CARGO_PKG_VERSION"));

/// Has each call of a client say `keygate` and its version, in the place of what the SDK puts together anew for every call: its
/// own version, the language's, the system's, and the features in use.
#[derive(Debug)]
pub struct UserAgent;

impl Intercept for UserAgent {
    fn name(&self) -> &'static str {
        "UserAgent"
    }

    fn read_before_execution(
        &self,
        _: &BeforeSerializationInterceptorContextRef<'_>,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        config
            .interceptor_state()
            .store_put(disable_interceptor::<UserAgentInterceptor>("it says who it is by itself"));
        Ok(())
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        context.request_mut().headers_mut().insert("user-agent", USER_AGENT);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use aws_sdk_dynamodb::Client;
    use aws_sdk_dynamodb::config::Builder;
    use axum::Router;
    use axum::http::HeaderMap;
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_call_says_who_makes_it_and_nothing_of_the_sdk() {
        let seen: Arc<Mutex<Option<HeaderMap>>> = Arc::default();
        let told = seen.clone();
        let router = Router::new().fallback(async move |headers: HeaderMap| {
            *told.lock().unwrap() = Some(headers);
            "{}"
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, router).await });
        let config = crate::connect_emulated(&endpoint, "us-east-1");
        let client = Client::from_conf(Builder::from(&config).interceptor(UserAgent).build());
        client.list_tables().send().await.unwrap();
        server.abort();
        let headers = seen.lock().unwrap().take().unwrap();
        assert_eq!(headers["user-agent"], USER_AGENT);
        assert!(headers.contains_key("authorization") && !headers.contains_key("x-amz-user-agent"));
    }
}
