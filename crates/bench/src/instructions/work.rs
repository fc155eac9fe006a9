//! The hot paths themselves, run so many times by a process that is counted.

use std::hint::black_box;
use std::sync::Arc;

use authorizer::{Event, HttpApiResponse, Policies};
use domain::{Access, Claims, Moment};
use edge::{ApiError, Incoming, Reply, Request};
use identity::Identity;
use serde::{Deserialize, Serialize};
use signing::{Algorithm, KeyMaterial, Signer, Wrapper};
use store::UsageBuffer;
use testkit::{ISSUER, audience};
use token_exchange::SigningKey;

use crate::failure::Failure;
use crate::fixture::{Fixture, JWKS, bare_event, now};
use crate::store_process::connect;

/// The first argument of a process that is counted; only ever started by this program itself.
pub const PATH: &str = "hot-path";

/// More than there are calls, so that none comes twice.
const TOKENS: usize = 600;
/// How often a call is made until an instance is warm.
const ATTEMPTS: usize = 50;

/// A hot path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Path {
    /// The authorizer, from an event's bytes to those of the policy, by a token that is new to it each time.
    Token(Algorithm),
    /// The same by a token that it knows.
    Known,
    /// The same by a raw key.
    Key,
    /// The same by an agent's token.
    Agent,
    /// The exchange of a key, from an event's bytes to the answer's, with its read by the AWS SDK.
    Exchange,
    /// The JWK set, from an event's bytes to the answer's.
    Jwks,
    /// What an exchange does beside its read: claims, and the token that is signed of them.
    Sign(Algorithm),
}

/// What a process is told that runs one.
#[derive(Debug, Serialize, Deserialize)]
pub struct Input {
    store: String,
    /// In turns.
    events: Vec<String>,
    claims: Claims,
    pkcs8: Vec<u8>,
    master_key: String,
}

impl Path {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Token(Algorithm::Es256),
        Self::Token(Algorithm::EdDsa),
        Self::Token(Algorithm::Rs256),
        Self::Known,
        Self::Key,
        Self::Agent,
        Self::Exchange,
        Self::Jwks,
        Self::Sign(Algorithm::Es256),
        Self::Sign(Algorithm::EdDsa),
        Self::Sign(Algorithm::Rs256),
    ];

    /// What it is called.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Token(Algorithm::Es256) => "authorize-jwt-es256",
            Self::Token(Algorithm::EdDsa) => "authorize-jwt-eddsa",
            Self::Token(Algorithm::Rs256) => "authorize-jwt-rs256",
            Self::Known => "authorize-jwt-known",
            Self::Key => "authorize-raw-key",
            Self::Agent => "authorize-agent",
            Self::Exchange => "exchange",
            Self::Jwks => "jwks",
            Self::Sign(Algorithm::Es256) => "issue-es256",
            Self::Sign(Algorithm::EdDsa) => "issue-eddsa",
            Self::Sign(Algorithm::Rs256) => "issue-rs256",
        }
    }

    /// The one that is called so.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|path| path.name() == name)
    }
}

impl Input {
    pub(super) fn of(path: Path, fixture: &Fixture, store: &str) -> Result<Self, Failure> {
        let failed = |error: signing::SigningError| Failure::Start(error.to_string());
        let (events, pkcs8) = match path {
            Path::Token(algorithm) => (fixture.token_events(algorithm, TOKENS)?, Vec::new()),
            Path::Known => (vec![fixture.token_event(Algorithm::Es256)?], Vec::new()),
            Path::Key => (vec![fixture.key_event()], Vec::new()),
            Path::Agent => (vec![fixture.agent_event()?], Vec::new()),
            Path::Exchange => (vec![fixture.exchange_event()], Vec::new()),
            Path::Jwks => (vec![bare_event(JWKS)], Vec::new()),
            Path::Sign(algorithm) => (Vec::new(), KeyMaterial::generate(algorithm).map_err(failed)?.pkcs8().to_vec()),
        };
        let events = events.iter().map(|event| String::from_utf8_lossy(event).into_owned()).collect();
        let (store, master_key) = (store.to_owned(), fixture.master_key.clone());
        Ok(Self { store, events, claims: fixture.claims(), pkcs8, master_key })
    }
}

/// Runs a path so many times, after it is warm.
///
/// # Errors
/// [`Failure`] where an answer is wrong.
pub async fn work(path: Path, times: u32, input: Input) -> Result<(), Failure> {
    match path {
        Path::Sign(algorithm) => sign(algorithm, times, input),
        Path::Exchange => exchange(times, &input).await,
        Path::Jwks => jwks(times, &input).await,
        Path::Token(_) | Path::Known | Path::Key | Path::Agent => authorize(path, times, &input).await,
    }
}

/// The time stands still: the feed stays fresh, and no count is written.
fn at() -> Moment {
    Moment { wall_ms: now().unix() * 1000, monotonic: std::time::Duration::ZERO }
}

fn access() -> Result<Access, Failure> {
    Access::built_in().map_err(|error| Failure::Start(error.to_string()))
}

async fn authorize(path: Path, times: u32, input: &Input) -> Result<(), Failure> {
    let store = connect(&input.store);
    let app = authorizer::App {
        identity: Identity::new(store.clone(), audience()),
        usage: Arc::new(UsageBuffer::new(store)),
        access: access()?,
        policies: Policies::OneRoute,
        http_api_response: HttpApiResponse::Simple,
        base_url: ISSUER.to_owned(),
    };
    let now = at();
    repeat(path, times, input, r#""Effect":"Allow""#, async |event| {
        let answer = authorizer::handle(&app, &Event::read(event), now).await;
        answer.map_or_else(|error| format!("{error:?}"), |answer| serde_json::to_string(&answer).unwrap_or_default())
    })
    .await
}

async fn exchange(times: u32, input: &Input) -> Result<(), Failure> {
    let store = connect(&input.store);
    let wrapper = Wrapper::from_secret(&input.master_key).map_err(|error| Failure::Start(error.to_string()))?;
    let app = Arc::new(token_exchange::App {
        store: store.clone(),
        identity: Identity::new(store.clone(), audience()),
        signing_key: SigningKey::new(store.clone(), wrapper, Algorithm::Es256),
        usage: Arc::new(UsageBuffer::new(store)),
        access: access()?,
        issuer: ISSUER.to_owned(),
        sign_ups_per_hour: 0,
    });
    let now = at();
    answer(Path::Exchange, times, input, async |request| token_exchange::handle(app.clone(), request, now).await).await
}

async fn jwks(times: u32, input: &Input) -> Result<(), Failure> {
    let app = Arc::new(jwks::App::new(connect(&input.store), ISSUER, &access()?, false));
    let now = at();
    answer(Path::Jwks, times, input, async |request| jwks::handle(app.clone(), request, now).await).await
}

/// Runs the path of a function behind a gateway.
async fn answer(
    path: Path,
    times: u32,
    input: &Input,
    handler: impl AsyncFn(Request) -> Result<Reply, ApiError>,
) -> Result<(), Failure> {
    repeat(path, times, input, r#""statusCode":200"#, async |event| {
        let answer = edge::answer(Incoming::read(event), ISSUER, |request| Box::pin(handler(request))).await;
        serde_json::to_string(&answer).unwrap_or_default()
    })
    .await
}

/// Asks until an instance is warm, and then so many times. `right` is in every right answer.
async fn repeat(
    path: Path,
    times: u32,
    input: &Input,
    right: &str,
    ask: impl AsyncFn(&[u8]) -> String,
) -> Result<(), Failure> {
    let mut events = input.events.iter().cycle().map(String::as_bytes);
    let mut ask = async || {
        let answer = ask(black_box(events.next().unwrap_or_default())).await;
        if answer.contains(right) { Ok(()) } else { Err(Failure::Answer { call: path.name(), reason: answer }) }
    };
    // What is counted runs so slowly that the first calls of the store come too late for its client.
    for _ in 0..ATTEMPTS {
        if ask().await.is_ok() {
            break;
        }
    }
    for _ in 0..times {
        ask().await?;
    }
    Ok(())
}

fn sign(algorithm: Algorithm, times: u32, input: Input) -> Result<(), Failure> {
    let failed = |error: signing::SigningError| Failure::Start(error.to_string());
    let signer = Signer::new(&KeyMaterial::from_pkcs8(algorithm, input.pkcs8)).map_err(failed)?;
    for _ in 0..times {
        black_box(signer.sign(black_box(&input.claims)).map_err(failed)?);
    }
    Ok(())
}
