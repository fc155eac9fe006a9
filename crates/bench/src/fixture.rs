//! What is in the store before anything is measured: a client, a key with an agent, a signing key of each algorithm; and
//! the events that show them. The functions have the real time, so everything counts by it.

use axum::body::Bytes;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Claims, KeyState, PublishedKey, Timestamp, random};
use serde_json::{Value, json};
use signing::{Algorithm, PublicJwk, Signer, WrapContext, WrappedKey, Wrapper};
use store::Store;
use store::signing_keys::NewSigningKey;
use testkit::{TestAccount, TestAgent, TestKey, account, act, event};

use crate::clocks;
use crate::failure::Failure;
use crate::store_process::connect;

/// How long a token lives, in seconds: longer than it is measured with.
const LIFETIME: i64 = 3_000;
/// What the agent is called.
const AGENT: &str = "my-analysis-agent";
/// The scopes of the routes that `events/authorizer-rest-*.json` ask for.
const SCOPES: &str = "insights:read workflows:execute";

/// The event for the JWK set.
pub(crate) const JWKS: &str = "jwks-jwks";

/// All of it.
pub(crate) struct Fixture {
    /// What the signing keys are wrapped with.
    pub(crate) master_key: String,
    pub(crate) account: TestAccount,
    pub(crate) key: TestKey,
    agent: TestAgent,
    signers: Vec<(Algorithm, Signer)>,
}

impl Fixture {
    /// Stores it at `endpoint`.
    pub(crate) async fn stored(endpoint: &str) -> Result<Self, Failure> {
        let store = connect(endpoint);
        let master_key = random::base62(48);
        let account = account("bench@example.com").stored(&store).await;
        let key = TestKey::new(&account.client, SCOPES).stored(&store).await;
        let agent = TestAgent::new(&key, AGENT, "insights:read").stored(&store).await;
        let mut signers = Vec::new();
        for algorithm in Algorithm::ALL {
            signers.push((algorithm, published(&store, &master_key, algorithm).await?));
        }
        Ok(Self { master_key, account, key, agent, signers })
    }

    pub(crate) fn signer(&self, algorithm: Algorithm) -> Result<&Signer, Failure> {
        let found = self.signers.iter().find(|(of, _)| *of == algorithm);
        found.map(|(_, signer)| signer).ok_or_else(|| Failure::Start(format!("no signer of {}", algorithm.name())))
    }

    /// The published keys, for those who verify with a JWK set.
    pub(crate) fn jwks(&self) -> Result<String, Failure> {
        let jwks = signing::jwks(self.signers.iter().map(|(_, signer)| signer.public()).map(json_of));
        jwks.map_err(|error| Failure::Start(error.to_string()))
    }

    /// What a token of the key says that is issued now.
    pub(crate) fn claims(&self) -> Claims {
        let mut claims = self.key.claims_in(&self.account.workspace);
        (claims.iat, claims.nbf, claims.exp) = (now().unix(), now().unix(), now().plus(LIFETIME).unix());
        claims
    }

    pub(crate) fn token(&self, algorithm: Algorithm) -> Result<String, Failure> {
        self.signer(algorithm)?.sign(&self.claims()).map_err(|error| Failure::Start(error.to_string()))
    }

    /// A REST API's event with a token.
    pub(crate) fn token_event(&self, algorithm: Algorithm) -> Result<Bytes, Failure> {
        Ok(with_token(&self.token(algorithm)?))
    }

    /// The same event with so many tokens, one each.
    pub(crate) fn token_events(&self, algorithm: Algorithm, tokens: usize) -> Result<Vec<Bytes>, Failure> {
        (0..tokens).map(|_| self.token_event(algorithm)).collect()
    }

    /// The same event with a token that is refused for its form: what an authorizer answers without a call of the store.
    pub(crate) fn misshapen_event(&self) -> Result<Bytes, Failure> {
        let token = self.token(Algorithm::Es256)?;
        Ok(with_token(&with_header(&token, &json!({"typ": "JWT", "alg": "ES256", "kid": "none"}))))
    }

    /// The same event with a token of a signing key that nobody has published; each time another.
    pub(crate) fn unknown_kid_event(token: &str) -> Bytes {
        with_token(&with_header(token, &json!({"typ": "at+jwt", "alg": "ES256", "kid": random::base62(43)})))
    }

    /// An event with the key itself.
    pub(crate) fn key_event(&self) -> Bytes {
        event("authorizer-rest-x-api-key", &[("REPLACE_WITH_KEY", self.key.plain.expose())]).into()
    }

    /// An event with the agent's token.
    pub(crate) fn agent_event(&self) -> Result<Bytes, Failure> {
        let mut event: Value = parse(&with_token(self.agent.plain.expose()))?;
        event["headers"]["X-Agent-ID"] = AGENT.into();
        event["multiValueHeaders"]["X-Agent-ID"] = json!([AGENT]);
        Ok(event.to_string().into())
    }

    /// An event that exchanges the key for a token.
    pub(crate) fn exchange_event(&self) -> Bytes {
        event("token-exchange-auth-token", &[("REPLACE_WITH_KEY", self.key.plain.expose())]).into()
    }
}

/// An event of `events/` that shows nothing.
pub(crate) fn bare_event(name: &str) -> Bytes {
    event(name, &[]).into()
}

pub(crate) fn now() -> Timestamp {
    Timestamp::from_unix(i64::try_from(clocks::since_epoch().as_secs()).unwrap_or(i64::MAX))
}

fn with_token(token: &str) -> Bytes {
    event("authorizer-rest-jwt", &[("REPLACE_WITH_TOKEN", token)]).into()
}

/// A token with another header.
fn with_header(token: &str, header: &Value) -> String {
    let rest = token.split_once('.').map_or("", |(_, rest)| rest);
    format!("{}.{rest}", URL_SAFE_NO_PAD.encode(header.to_string()))
}

fn parse(json: &[u8]) -> Result<Value, Failure> {
    Ok(serde_json::from_slice(json).map_err(std::io::Error::other)?)
}

fn json_of(public: &PublicJwk) -> &str {
    &public.json
}

/// Makes a signing key as `token-exchange` does, so that one that runs here signs with it too.
async fn published(store: &Store, master_key: &str, algorithm: Algorithm) -> Result<Signer, Failure> {
    let failed = |error: &dyn std::error::Error| Failure::Start(format!("no signing key: {error}"));
    let wrapper = Wrapper::from_secret(master_key).map_err(|error| failed(&error))?;
    let mut turn = store.signing_keys().await?.due(algorithm, now());
    turn.wants = Some(PublishedKey { algorithm, state: KeyState::Active(now()) });
    let WrappedKey { public, wrapped } = WrappedKey::make(&wrapper, algorithm).await.map_err(|error| failed(&error))?;
    let context = WrapContext { kid: &public.kid, algorithm };
    let signer = Signer::unwrap(&wrapper, &wrapped, context).await.map_err(|error| failed(&error))?;
    let new = NewSigningKey::new(public.kid, algorithm, public.json, wrapped, now());
    if store.signing_keys_turn(&turn, Some(&new), &act()).await? {
        Ok(signer)
    } else {
        Err(Failure::Start("the signing keys were changed by another".to_owned()))
    }
}
