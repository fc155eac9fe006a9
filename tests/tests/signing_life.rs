//! Signing keys follow each other while tokens are made and verified all the time, with the functions' own handlers and a
//! clock that is set: no verifier refuses a token that counts, though it keeps the key set for as long as it may and looks
//! for no key that it lacks.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use domain::published_keys::PENDING_FOR;
use domain::{Access, Moment};
use identity::{Call, Credential, Identity, Named};
use serde_json::{Value, json};
use signing::{Algorithm, UnverifiedToken, VerifyingKey, Wrapper};
use store::UsageBuffer;
use testkit::{ISSUER, TestKey, TestStore, audience, moment, now, parts, request};
use token_exchange::SigningKey;

/// Other people's verifiers keep a set for two hours, whatever it says of itself.
const KEPT_ELSEWHERE: i64 = 2 * 3600;
const HOUR: i64 = 3600;

#[tokio::test]
async fn rotating_twice_under_load_refuses_no_token_to_a_verifier_that_keeps_the_set_as_it_may() {
    let mut world = World::new(1, Algorithm::Es256).await;
    Box::pin(world.live(20 * 60)).await;
    for _ in 0..2 {
        world.upkeep(json!({"rotate": "ES256"})).await;
        Box::pin(world.live(PENDING_FOR + 2 * HOUR)).await;
    }
    assert_eq!(world.kids.len(), 3, "three keys have signed");
    Box::pin(world.live(3 * HOUR)).await;
    assert_eq!(world.published().await.len(), 1, "and two of them are gone");
}

#[tokio::test]
async fn another_algorithm_takes_over_and_no_token_is_refused() {
    let mut world = World::new(2, Algorithm::Es256).await;
    Box::pin(world.live(20 * 60)).await;
    world.prefer(Algorithm::EdDsa);
    Box::pin(world.live(PENDING_FOR + 4 * HOUR)).await;
    let algorithms: BTreeSet<_> = world.published().await.into_iter().map(|item| item.algorithm).collect();
    assert_eq!((world.kids.len(), algorithms), (2, BTreeSet::from(["EdDSA".to_owned()])));
}

/// Somebody else's verifier.
struct Verifier {
    publisher: usize,
    /// `None` where it does as the answer's `Cache-Control` says.
    keeps_for: Option<i64>,
    until: i64,
    set: HashMap<String, VerifyingKey>,
}

struct World {
    test: TestStore,
    body: String,
    random: u64,
    time: i64,
    next_run: i64,
    preferred: Algorithm,
    signers: Vec<Arc<token_exchange::App>>,
    publishers: Vec<Arc<jwks::App>>,
    verifiers: Vec<Verifier>,
    authorizers: Vec<Identity>,
    /// Tokens, and when each ends.
    tokens: Vec<(String, i64)>,
    /// The keys that have signed.
    kids: BTreeSet<String>,
}

fn wrapper() -> Wrapper {
    Wrapper::from_secret(&"a".repeat(32)).unwrap()
}

fn at(seconds: i64) -> Moment {
    #[expect(clippy::cast_precision_loss, reason = "some hours in seconds")]
    moment(seconds as f64)
}

impl World {
    async fn new(seed: u64, preferred: Algorithm) -> Self {
        let test = TestStore::start().await;
        let account = test.account().await;
        let key = TestKey::new(&account.client, "read").stored(&test.store).await;
        let publishers =
            (0..3).map(|_| Arc::new(jwks::App::new(test.store.clone(), ISSUER, &Access::built_in().unwrap(), true)));
        let verifier = |publisher, keeps_for| Verifier { publisher, keeps_for, until: 0, set: HashMap::new() };
        let mut world = Self {
            body: json!({"apiKey": key.plain.expose()}).to_string(),
            random: seed,
            time: 0,
            next_run: 0,
            preferred,
            signers: Vec::new(),
            publishers: publishers.collect(),
            verifiers: (0..6).map(|it| verifier(it % 3, (it % 2 == 0).then_some(KEPT_ELSEWHERE))).collect(),
            authorizers: (0..2).map(|_| Identity::new(test.store.clone(), audience())).collect(),
            tokens: Vec::new(),
            kids: BTreeSet::new(),
            test,
        };
        world.upkeep(scheduled()).await;
        world.prefer(preferred);
        world
    }

    /// A deployment: all functions begin anew, with this algorithm.
    fn prefer(&mut self, preferred: Algorithm) {
        self.preferred = preferred;
        self.signers.clear();
        for _ in 0..3 {
            let store = self.test.another_connection();
            self.signers.push(Arc::new(token_exchange::App {
                identity: Identity::new(store.clone(), audience()),
                signing_key: SigningKey::new(store.clone(), wrapper(), preferred),
                usage: Arc::new(UsageBuffer::new(store.clone())),
                access: Access::built_in().unwrap(),
                issuer: ISSUER.to_owned(),
                sign_ups_per_hour: 0,
                store,
            }));
        }
    }

    /// A number below `limit`; the same ones in every run.
    fn below(&mut self, limit: i64) -> usize {
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.random >> 33) % u64::try_from(limit).unwrap()).unwrap()
    }

    async fn upkeep(&self, event: Value) {
        let run = || async {
            let (store, wrapper) = (self.test.store.clone(), wrapper());
            let app = upkeep::App { store, wrapper, algorithm: self.preferred };
            // Lambda runs an event again that failed, as where a busy machine's store has answered too late.
            for _ in 0..2 {
                if upkeep::handle(&app, event.clone(), at(self.time)).await.is_ok() {
                    return;
                }
            }
            upkeep::handle(&app, event.clone(), at(self.time)).await.unwrap();
        };
        tokio::join!(run(), run());
    }

    /// Lets time pass, in which tokens are made and verified and upkeep runs at its hours.
    async fn live(&mut self, seconds: i64) {
        let end = self.time + seconds;
        while self.time < end {
            self.time += 1 + i64::try_from(self.below(400)).unwrap();
            if self.time >= self.next_run {
                self.next_run = self.time + HOUR;
                self.upkeep(scheduled()).await;
            }
            Box::pin(self.make_tokens()).await;
            self.tokens.retain(|(_, ends)| *ends > self.time);
            self.verify_tokens().await;
        }
    }

    /// At instances that are asked all the time, and at one that is asked now and then.
    async fn make_tokens(&mut self) {
        let signer = if self.below(20) == 0 { 2 } else { self.below(2) };
        let exchange = || {
            let request = request("POST", "/auth/token", &[("content-type", "application/json")], self.body.as_str());
            token_exchange::handle(self.signers[signer].clone(), request, at(self.time))
        };
        let (one, two) = tokio::join!(exchange(), exchange());
        for reply in [one, two] {
            let (status, answer) = parts(reply.unwrap());
            assert_eq!(status, 200);
            let token = answer["accessToken"].as_str().unwrap().to_owned();
            self.kids.insert(UnverifiedToken::parse(&token).unwrap().kid().to_owned());
            self.tokens.push((token, self.time + answer["expiresIn"].as_i64().unwrap()));
        }
    }

    /// The newest, the one that ends first, and another.
    async fn verify_tokens(&mut self) {
        let any = self.below(i64::try_from(self.tokens.len()).unwrap());
        let chosen = [0, any, self.tokens.len() - 1].map(|place| self.tokens[place].0.clone());
        let verifier = self.below(i64::try_from(self.verifiers.len()).unwrap());
        self.refetch(verifier).await;
        for token in &chosen {
            let unverified = UnverifiedToken::parse(token).unwrap();
            let key = self.verifiers[verifier].set.get(unverified.kid());
            let key = key.unwrap_or_else(|| panic!("at {} verifier {verifier} lacks {}", self.time, unverified.kid()));
            key.verify(&unverified, &audience(), now().plus(self.time)).unwrap();
            for authorizer in &self.authorizers {
                let credential = Credential::Token(UnverifiedToken::parse(token).unwrap());
                let call = Call { credential, address: None, workspace: Named::None };
                authorizer.principal(&call, at(self.time)).await.unwrap();
            }
        }
    }

    /// Only once it may keep its set no longer, whatever it lacks.
    async fn refetch(&mut self, verifier: usize) {
        let verifier = &mut self.verifiers[verifier];
        if self.time < verifier.until {
            return;
        }
        let asked = request("GET", "/.well-known/jwks.json", &[], "");
        let reply = jwks::handle(self.publishers[verifier.publisher].clone(), asked, at(self.time)).await.unwrap();
        let said = reply.headers()["cache-control"].to_str().unwrap().to_owned();
        let said: i64 = said.strip_prefix("public, max-age=").unwrap().parse().unwrap();
        verifier.until = self.time + verifier.keeps_for.unwrap_or(said);
        let (_, set) = parts(reply);
        let keys = set["keys"].as_array().unwrap();
        assert!((1..=10).contains(&keys.len()));
        let parse = |key: &Value| {
            let algorithm = Algorithm::parse(key["alg"].as_str().unwrap()).unwrap();
            (key["kid"].as_str().unwrap().to_owned(), VerifyingKey::from_jwk(algorithm, &key.to_string()).unwrap())
        };
        verifier.set = keys.iter().map(parse).collect();
    }

    async fn published(&self) -> Vec<store::signing_keys::PublicKeyItem> {
        self.test.store.signing_key_publics().await.unwrap()
    }
}

fn scheduled() -> Value {
    serde_json::from_str(&testkit::event("upkeep-scheduled", &[])).unwrap()
}
