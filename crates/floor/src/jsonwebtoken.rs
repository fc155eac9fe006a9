//! An authorizer in Rust as most write it: Tokio's default runtime of many threads, `jsonwebtoken`, the JWK set fetched at the
//! start and a decoding key for each `kid`, the event and the policy in the types of `aws_lambda_events`.

use std::collections::HashMap;

use aws_lambda_events::event::apigw::{
    ApiGatewayCustomAuthorizerPolicy, ApiGatewayCustomAuthorizerRequestTypeRequest, ApiGatewayCustomAuthorizerResponse,
};
use aws_lambda_events::event::iam::{IamPolicyEffect, IamPolicyStatement};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use lambda_runtime::{Error, LambdaEvent, run, service_fn, tracing};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::runtime::Builder;

#[derive(Debug, Deserialize)]
struct Claims {
    sub: String,
    scope: String,
}

struct Verifier {
    keys: HashMap<String, DecodingKey>,
    validation: Validation,
}

impl Verifier {
    async fn fetch() -> Result<Self, Error> {
        let set: JwkSet = reqwest::get(std::env::var("JWKS_URI")?).await?.json().await?;
        let mut keys = HashMap::new();
        for jwk in &set.keys {
            if let Some(kid) = &jwk.common.key_id {
                keys.insert(kid.clone(), DecodingKey::from_jwk(jwk)?);
            }
        }
        let mut validation = Validation::new(Algorithm::ES256);
        validation.set_issuer(&[std::env::var("ISSUER")?]);
        validation.set_audience(&[std::env::var("AUDIENCE")?]);
        Ok(Self { keys, validation })
    }

    fn verify(&self, token: &str) -> Result<Claims, Error> {
        let kid = decode_header(token)?.kid.ok_or("the token names no key")?;
        let key = self.keys.get(&kid).ok_or("the token names an unknown key")?;
        Ok(decode::<Claims>(token, key, &self.validation)?.claims)
    }
}

#[expect(clippy::unused_async, reason = "handlers are written so")]
async fn handler(
    verifier: &Verifier,
    event: LambdaEvent<ApiGatewayCustomAuthorizerRequestTypeRequest>,
) -> Result<ApiGatewayCustomAuthorizerResponse<Value>, Error> {
    let request = event.payload;
    let header = request.headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    let token = header.strip_prefix("Bearer ").ok_or("Unauthorized")?;
    let claims = verifier.verify(token).map_err(|_| "Unauthorized")?;
    let mut statement = IamPolicyStatement::default();
    statement.action = vec!["execute-api:Invoke".to_owned()];
    statement.effect = IamPolicyEffect::Allow;
    statement.resource = vec![request.method_arn.unwrap_or_default()];
    let mut policy = ApiGatewayCustomAuthorizerPolicy::default();
    policy.version = Some("2012-10-17".to_owned());
    policy.statement = vec![statement];
    let mut response = ApiGatewayCustomAuthorizerResponse::default();
    response.principal_id = Some(claims.sub);
    response.policy_document = policy;
    response.context = json!({"scope": claims.scope});
    Ok(response)
}

async fn serve() -> Result<(), Error> {
    tracing::init_default_subscriber();
    let verifier = &Verifier::fetch().await?;
    run(service_fn(move |event| handler(verifier, event))).await
}

/// What `#[tokio::main]` makes; with `PEER_ONE_THREAD` in the environment on this thread alone, as who knows Lambda has it.
fn main() -> Result<(), Error> {
    let mut threads = match std::env::var_os("PEER_ONE_THREAD") {
        Some(_) => Builder::new_current_thread(),
        None => Builder::new_multi_thread(),
    };
    threads.enable_all().build()?.block_on(serve())
}
