//! The catalogue of attacks, row by row, through each kind of event. What each row is, and all its forms, is tested where it is
//! judged (`crates/signing/tests/it/refusals.rs`, `crates/identity/tests/it`); here, that no kind of event lets it around that.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use domain::{DenyReason, Environment};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use signing::{Algorithm, KeyMaterial, Signer};
use testkit::{TestAgent, TestKey, moment, now, publish};

use crate::setup::{API, Outcome, Setup, unauthorized};

/// Every kind of event.
const KINDS: [&str; 6] =
    ["REST TOKEN", "REST REQUEST", "REST REQUEST, plain", "HTTP API 1.0", "HTTP API 2.0", "function URL"];

/// A call of `GET /api/v1/users` with these headers, as an event of a kind. A `TOKEN` event has the first `Authorization`
/// alone, and none where there is no such header: then the gateway asks nobody.
fn event(kind: &str, headers: &[(&str, &str)]) -> Option<Value> {
    let (path, arn) = ("/api/v1/users", format!("{API}/GET/api/v1/users"));
    let mut single = serde_json::Map::new();
    let mut joined = serde_json::Map::new();
    let mut multi = serde_json::Map::new();
    for (name, value) in headers {
        single.insert((*name).to_owned(), json!(value));
        let lower = name.to_ascii_lowercase();
        let text = joined.get(&lower).map_or((*value).to_owned(), |one| format!("{},{value}", one.as_str().unwrap()));
        joined.insert(lower, json!(text));
        multi.entry(*name).or_insert_with(|| json!([])).as_array_mut().unwrap().push(json!(value));
    }
    let identity = json!({"identity": {"sourceIp": "192.0.2.1"}});
    let http = json!({"http": {"method": "GET", "path": path, "sourceIp": "192.0.2.1"}});
    Some(match kind {
        "REST TOKEN" => {
            let (_, value) = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("authorization"))?;
            json!({"type": "TOKEN", "methodArn": arn, "authorizationToken": value})
        }
        "REST REQUEST" => {
            json!({"type": "REQUEST", "methodArn": arn, "resource": path, "path": path, "httpMethod": "GET",
                "headers": single, "multiValueHeaders": multi, "requestContext": identity})
        }
        // Where a gateway knows each name once, the last value wins: two spellings are still two.
        "REST REQUEST, plain" => {
            json!({"type": "REQUEST", "methodArn": arn, "headers": single, "multiValueHeaders": null,
                "requestContext": identity})
        }
        "HTTP API 1.0" => {
            json!({"version": "1.0", "type": "REQUEST", "methodArn": arn, "identitySource": "a,b", "headers": single,
                "multiValueHeaders": multi, "requestContext": identity})
        }
        "HTTP API 2.0" => {
            json!({"version": "2.0", "type": "REQUEST", "routeArn": arn, "routeKey": "GET /api/v1/users",
                "identitySource": ["a"], "headers": joined, "requestContext": http})
        }
        _ => json!({"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": "", "headers": joined,
            "requestContext": http}),
    })
}

/// Whether an answer lets the call pass; `None` for a 401.
fn passes(outcome: &Outcome) -> Option<bool> {
    if *outcome == unauthorized() {
        return None;
    }
    let Outcome::Answer(answer) = outcome else { panic!("{outcome:?}") };
    match answer["statusCode"].as_u64() {
        Some(401) => None,
        Some(status) => Some(status == 200),
        None if answer.get("isAuthorized").is_some() => Some(answer["isAuthorized"] == true),
        None => Some(answer["policyDocument"]["Statement"][0]["Effect"] == "Allow"),
    }
}

async fn is_refused_everywhere(setup: &Setup, row: &str, headers: &[(&str, &str)]) {
    for kind in KINDS {
        let Some(event) = event(kind, headers) else { continue };
        let outcome = setup.ask(&event.to_string()).await;
        assert_eq!(passes(&outcome), None, "{row}, by {kind}: {event:.300}");
        let said = format!("{outcome:?}");
        for (_, value) in headers.iter().filter(|(_, value)| value.len() > 20) {
            assert!(!said.contains(value), "{row}, by {kind}: the answer repeats it");
        }
    }
}

/// A published Ed25519 key whose private half signs anything, as it would for whoever had it.
struct Forge {
    private: SigningKey,
    kid: String,
    jwk: String,
    claims: Value,
}

impl Forge {
    async fn new(setup: &Setup, key: &TestKey) -> Self {
        let seed: [u8; 32] = std::array::from_fn(|place| u8::try_from(place).unwrap());
        // RFC 8410, section 7.
        let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
        let signer = Signer::new(&KeyMaterial::from_pkcs8(Algorithm::EdDsa, [&head[..], &seed].concat())).unwrap();
        publish(&setup.test.store, &signer).await;
        let claims = serde_json::to_value(key.claims_in(&setup.account.workspace)).unwrap();
        let public = signer.public();
        Self { private: SigningKey::from_bytes(&seed), kid: public.kid.clone(), jwk: public.json.clone(), claims }
    }

    /// RFC 8410, section 4.
    fn public_der(&self) -> Vec<u8> {
        let head = [0x30, 0x2a, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 3, 0x21, 0];
        [&head[..], self.private.verifying_key().as_bytes()].concat()
    }

    fn header(&self) -> Value {
        json!({"typ": "at+jwt", "alg": "EdDSA", "kid": self.kid})
    }

    fn token(&self, header: &str, claims: &str) -> String {
        self.signed(&format!("{}.{}", encode(header), encode(claims)))
    }

    fn signed(&self, message: &str) -> String {
        format!("{message}.{}", encode(self.private.sign(message.as_bytes()).to_bytes()))
    }

    fn with_header(&self, name: &str, value: Value) -> String {
        let mut header = self.header();
        header[name] = value;
        self.token(&header.to_string(), &self.claims.to_string())
    }

    fn with_claim(&self, name: &str, value: Value) -> String {
        let mut claims = self.claims.clone();
        claims[name] = value;
        self.token(&self.header().to_string(), &claims.to_string())
    }

    fn right(&self) -> String {
        self.token(&self.header().to_string(), &self.claims.to_string())
    }
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The rows of the group "JWT", by the catalogue's own names.
fn jwt_rows(forge: &Forge) -> Vec<(&'static str, String)> {
    let right = forge.right();
    let parts: Vec<&str> = right.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!() };
    let claims = forge.claims.to_string();
    let mut rows = Vec::new();
    let mut row = |name, token: String| rows.push((name, token));
    for none in ["none", "None", "NONE", "nOnE"] {
        let header = json!({"typ": "at+jwt", "alg": none, "kid": forge.kid}).to_string();
        row("none in any case", format!("{}.{payload}.", encode(&header)));
        row("none in any case", forge.token(&header, &claims));
    }
    for other in ["ES256", "RS256", "HS256", "Ed25519", ""] {
        row("another key's alg", forge.with_header("alg", json!(other)));
    }
    for kid in [
        json!("../../../dev/null"),
        json!("' OR 1=1 --"),
        json!("\0"),
        json!("k".repeat(10_000)),
        json!(7),
        json!([forge.kid]),
        json!(null),
        json!(""),
        json!("kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"),
    ] {
        row("kid as path, SQL, NUL, 10 kB, number, array, another's", forge.with_header("kid", kid));
    }
    for name in ["jwk", "jku", "x5u", "x5c"] {
        row("embedded keys", forge.with_header(name, serde_json::from_str(&forge.jwk).unwrap()));
    }
    for crit in [json!([]), json!(["exp"]), json!(["b64"]), json!("exp"), json!(null)] {
        row("crit", forge.with_header("crit", crit));
    }
    let twice = |text: &str, member: &str| text.replacen('{', &format!("{{{member},"), 1);
    row("duplicates", forge.token(&twice(&forge.header().to_string(), r#""alg":"none""#), &claims));
    row("duplicates", forge.token(&forge.header().to_string(), &twice(&claims, r#""scope":"admin""#)));
    row("duplicates", forge.token(&forge.header().to_string(), &twice(&claims, r#""\u0073cope":"admin""#)));
    row("2, 4 or 5 segments", format!("{header}.{payload}"));
    row("2, 4 or 5 segments", format!("{right}.{signature}"));
    row("2, 4 or 5 segments", format!("{right}.{signature}.{signature}"));
    row("2, 4 or 5 segments", format!(".{right}"));
    let deep = format!(r#""x":{}{}"#, "[".repeat(2_500), "]".repeat(2_500));
    row("deep nesting", forge.token(&forge.header().to_string(), &twice(&claims, &deep)));
    let deepest = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    row("10k-deep nesting", forge.token(&deepest, &claims));
    let at = now().unix();
    for (name, value) in [
        ("exp", json!(at.to_string())),
        ("exp", json!(1.8e9)),
        ("exp", json!(u64::MAX)),
        ("exp", json!(i64::MAX)),
        ("exp", json!(null)),
        ("exp", json!(at)),
        ("exp", json!(at + 4_000)),
        ("iat", json!(at + 60)),
        ("nbf", json!(at + 60)),
        ("iat", json!(-1)),
        ("nbf", json!(-1)),
        ("nbf", json!([at])),
    ] {
        row("numeric dates of every wrong kind", forge.with_claim(name, value));
    }
    for audience in [json!(null), json!("cl_fedcba9876543210"), json!([forge.claims["aud"]]), json!("")] {
        row("aud missing, foreign, array", forge.with_claim("aud", audience));
    }
    for issuer in ["https://auth.example/", "https://AUTH.example", "http://auth.example", ""] {
        row("iss with a slash or another case", forge.with_claim("iss", json!(issuer)));
    }
    row("padding", forge.signed(&format!("{}.{payload}", URL_SAFE.encode(format!("{} ", forge.header())))));
    for typ in [json!("JWT"), json!("AT+JWT"), json!("refresh+jwt"), json!(null)] {
        row("another kind of token", forge.with_header("typ", typ));
    }
    rows
}

/// Those of them whose header and claims are right, and whose signature is none. `es256` is a token that counts, of the same key
/// and by another signing key.
fn signature_rows(forge: &Forge, es256: &str) -> Vec<(&'static str, String)> {
    let es256: Vec<&str> = es256.split('.').collect();
    assert!(String::from_utf8_lossy(&URL_SAFE_NO_PAD.decode(es256[0]).unwrap()).contains("\"ES256\""));
    let right = forge.right();
    let parts: Vec<&str> = right.split('.').collect();
    let [header, payload, signature] = parts[..] else { panic!() };
    let mut rows = Vec::new();
    let mut row = |name, token: String| rows.push((name, token));
    let der = forge.public_der();
    let pem = format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(&der));
    let hmac = json!({"typ": "at+jwt", "alg": "HS256", "kid": forge.kid}).to_string();
    for (name, secret) in [
        ("HS256 with the public key as PEM", pem.as_bytes()),
        ("HS256 with the public key as JWK", forge.jwk.as_bytes()),
        ("HS256 with the public key as DER", der.as_slice()),
        ("HS256 with the public key's bytes", forge.private.verifying_key().as_bytes()),
    ] {
        let message = format!("{}.{payload}", encode(&hmac));
        row(name, format!("{message}.{}", encode(hmac_sha256(secret, message.as_bytes()))));
    }
    for same in [[0; 64], [0xff; 64]] {
        row("an Ed25519 signature of one byte", format!("{header}.{payload}.{}", encode(same)));
    }
    for (place, value) in [(0, [0; 32]), (32, [0; 32]), (0, P256_ORDER), (32, P256_ORDER)] {
        let mut raw = URL_SAFE_NO_PAD.decode(es256[2]).unwrap();
        raw[place..place + 32].copy_from_slice(&value);
        row("r or s of 0 or n", format!("{}.{}.{}", es256[0], es256[1], encode(raw)));
    }
    row(
        "DER",
        format!("{header}.{payload}.{}", encode([&[0x30, 68, 2, 32][..], &[1; 32], &[2, 32], &[1; 32]].concat())),
    );
    row("Ed25519 malleable", format!("{header}.{payload}.{}", encode(malleable(signature))));
    for spliced in [[header, es256[1], signature], [header, payload, es256[2]], [es256[0], payload, signature]] {
        row("one token's parts in another", spliced.join("."));
    }
    rows
}

/// The order of P-256's group (FIPS 186-5; SEC 2, section 2.4.2).
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

/// RFC 2104.
fn hmac_sha256(secret: &[u8], message: &[u8]) -> [u8; 32] {
    let hash = |bytes: &[u8]| *domain::HashedKey::of_bytes(bytes).as_bytes();
    let mut key = [0; 64];
    if secret.len() > 64 {
        key[..32].copy_from_slice(&hash(secret));
    } else {
        key[..secret.len()].copy_from_slice(secret);
    }
    let inner = hash(&[&key.map(|byte| byte ^ 0x36)[..], message].concat());
    hash(&[&key.map(|byte| byte ^ 0x5c)[..], &inner].concat())
}

/// `s` and the order of the group (RFC 8032, section 5.1.7, asks for `s` below it).
fn malleable(signature: &str) -> Vec<u8> {
    let order = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10_u8,
    ];
    let mut raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let mut carry = 0;
    for (digit, more) in raw[32..].iter_mut().zip(order) {
        carry += u16::from(*digit) + u16::from(more);
        *digit = u8::try_from(carry & 0xff).unwrap();
        carry >>= 8;
    }
    raw
}

#[tokio::test]
async fn every_row_of_the_group_jwt_is_a_401_by_every_kind_of_event() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let forge = Forge::new(&setup, &key).await;
    let es256 = setup.token(&key);
    for (kind, token) in KINDS.iter().flat_map(|kind| [(kind, forge.right()), (kind, es256.clone())]) {
        let event = event(kind, &[("Authorization", &format!("Bearer {token}"))]).unwrap();
        assert_eq!(passes(&setup.ask(&event.to_string()).await), Some(true), "as it was signed, by {kind}: {token}");
    }
    let rows = [jwt_rows(&forge), signature_rows(&forge, &es256)].concat();
    assert!(rows.len() > 60, "{}", rows.len());
    for (row, token) in &rows {
        is_refused_everywhere(&setup, row, &[("Authorization", &format!("Bearer {token}"))]).await;
        is_refused_everywhere(&setup, row, &[("X-API-Key", token)]).await;
    }
    // Flooded with keys that nobody knows, an authorizer still reads no more than once, and knows the right one.
    setup.test.faults.reset_counts();
    for number in 0..500 {
        let token = forge.with_header("kid", json!(format!("k{number}")));
        is_refused_everywhere(&setup, "unknown kids", &[("Authorization", &format!("Bearer {token}"))]).await;
    }
    let reads: usize = setup.test.faults.counts().values().sum();
    assert!(reads <= 2, "{:?}", setup.test.faults.counts());
}

/// The group "Keys", by the catalogue's own names.
#[tokio::test]
async fn every_row_of_the_group_keys_is_a_401_by_every_kind_of_event() {
    let setup = Setup::new().await;
    let (key, other) = (setup.key("read").await, setup.key("read").await);
    let agent = TestAgent::new(&key, "an-agent", "read").stored(&setup.test.store).await;
    let (raw, token) = (key.plain.expose().to_owned(), setup.token(&key));
    let agent_bearer = format!("Bearer {}", agent.plain.expose());
    // The check comes right again.
    let checked = |body: &str| {
        let crc = !body.bytes().fold(u32::MAX, |crc, byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 })
        });
        let digits = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        let digit = |place: u32| char::from(digits[(crc / 62_u32.pow(place) % 62) as usize]);
        format!("{body}{}", (0..6).rev().map(digit).collect::<String>())
    };
    assert_eq!(checked(&raw[..raw.len() - 6]), raw);
    let body = &raw[..raw.len() - 6];
    let spliced = checked(&format!("{}{}", &raw[..24], &other.plain.expose()[24..56]));
    let test_prefix = checked(
        &body.replace(Environment::Live.default_prefix().as_str(), Environment::Test.default_prefix().as_str()),
    );
    let full_width: String = raw.chars().map(|letter| char::from_u32(u32::from(letter) + 0xfee0).unwrap()).collect();
    let changed = format!("{}{}", &raw[..20], raw[20..].replacen(|_: char| true, "0", 1));
    let one_changed = if changed == raw { format!("{}1{}", &raw[..20], &raw[21..]) } else { changed };
    for (row, value) in [
        ("one character changed", one_changed.clone()),
        ("one character changed, the check recomputed", checked(&one_changed[..one_changed.len() - 6])),
        ("the other environment's prefix with the check recomputed", test_prefix),
        ("cut", raw[..raw.len() - 1].to_owned()),
        ("cut", raw[1..].to_owned()),
        ("longer", format!("{raw}0")),
        ("1 MB", raw.repeat(16_000)),
        ("full-width", full_width),
        ("NUL", format!("{raw}\0")),
        ("CR/LF", format!("{raw}\r\nX-API-Key: {raw}")),
        ("CR/LF", format!("{raw}\n")),
        ("spaces", format!(" {raw}")),
        ("spaces", format!("{raw} ")),
        ("one key's id with another's secret", spliced),
        ("two in one", format!("{raw},{raw}")),
    ] {
        is_refused_everywhere(&setup, row, &[("X-API-Key", &value)]).await;
        is_refused_everywhere(&setup, row, &[("Authorization", &format!("Bearer {value}"))]).await;
    }
    let (bearer, by_token, basic) = (format!("Bearer {raw}"), format!("Bearer {token}"), format!("Basic {raw}"));
    for (row, headers) in [
        ("a JWT as key", vec![("X-API-Key", token.as_str())]),
        ("a key in a cookie", vec![("Cookie", raw.as_str())]),
        ("a key without a scheme", vec![("Authorization", raw.as_str())]),
        ("another scheme", vec![("Authorization", basic.as_str())]),
        ("a JWT's scheme", vec![("Authorization", token.as_str())]),
        ("X-Agent-ID missing", vec![("Authorization", &*agent_bearer)]),
    ] {
        is_refused_everywhere(&setup, row, &headers).await;
    }
    // What a `TOKEN` event can't show: the gateway hands one header on.
    for (row, headers) in [
        ("two credentials", vec![("Authorization", &*bearer), ("X-API-Key", &*raw)]),
        ("two credentials", vec![("X-API-Key", &*raw), ("Authorization", &*by_token)]),
        ("two credentials", vec![("Authorization", &*bearer), ("authorization", &*by_token)]),
        ("X-Agent-ID wrong", vec![("Authorization", &*agent_bearer), ("X-Agent-ID", "another")]),
        (
            "X-Agent-ID doubled",
            vec![("Authorization", &*agent_bearer), ("X-Agent-ID", "an-agent"), ("x-agent-id", "an-agent")],
        ),
        ("X-Agent-ID with a key", vec![("Authorization", &*bearer), ("X-Agent-ID", "an-agent")]),
    ] {
        for kind in &KINDS[1..] {
            let outcome = setup.ask(&event(kind, &headers).unwrap().to_string()).await;
            assert_eq!(passes(&outcome), None, "{row}, by {kind}");
        }
    }
    // And a `TOKEN` event is never given an agent's token, which needs its name beside it.
    let counted = setup.counted(&key).await;
    assert_eq!((counted.allowed, counted.denied.get(&DenyReason::NoRoute)), (0, None));
}

/// The group "HTTP", as far as an authorizer sees it.
#[tokio::test]
async fn every_row_of_the_group_http_that_reaches_an_authorizer_changes_nothing() {
    let setup = Setup::new().await;
    let key = setup.key("read").await;
    let raw = key.plain.expose();
    let by = |name: &'static str, value: &'static str| {
        vec![("Authorization", format!("Bearer {raw}")), (name, value.to_owned())]
    };
    for (row, headers) in [
        ("spoofed X-Forwarded-For", by("X-Forwarded-For", "10.0.0.1, 203.0.113.7")),
        ("spoofed Host", by("Host", "evil.example")),
        ("spoofed Host", by("X-Forwarded-Host", "evil.example")),
        ("method override", by("X-HTTP-Method-Override", "POST")),
        ("method override", by("X-Original-URL", "/admin")),
        ("invalid UTF-8", by("X-Odd", "\u{fffd}\u{fffd}")),
        ("a large header", by("X-Large", "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx")),
    ] {
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        for kind in KINDS {
            let event = event(kind, &headers).unwrap();
            assert_eq!(passes(&setup.ask(&event.to_string()).await), Some(true), "{row}, by {kind}");
        }
    }
    // Paths by each kind that names one: an ARN's, a route's and a function URL's own.
    let bearer = format!("Bearer {raw}");
    for (row, path) in [
        ("//", "//api/v1/users"),
        ("//", "/api//v1/users"),
        ("%2e%2e", "/insights/%2e%2e/api/v1/users"),
        ("..", "/insights/../api/v1/users"),
        ("%2f", "/api/v1%2fusers"),
        ("trailing slash", "/api/v1/users/"),
        ("case", "/API/v1/users"),
        ("backslash", "/api\\v1\\users"),
        (";", "/api/v1/users;x"),
        ("NUL", "/api/v1/users\0"),
        ("BOM", "\u{feff}/api/v1/users"),
        ("nothing", ""),
    ] {
        for kind in KINDS {
            let mut event = event(kind, &[("Authorization", &bearer)]).unwrap();
            for name in ["methodArn", "routeArn"] {
                if event.get(name).is_some() {
                    event[name] = json!(format!("{API}/GET{path}"));
                }
            }
            if event.get("rawPath").is_some() {
                event["rawPath"] = json!(path);
            }
            assert_eq!(passes(&setup.ask(&event.to_string()).await), Some(false), "{row}, by {kind}: {event}");
        }
    }
    // Null, missing and other types, member by member: an answer, and never one that lets pass what the credential is gone of.
    for kind in KINDS {
        let event = event(kind, &[("Authorization", &bearer)]).unwrap();
        for name in event.as_object().unwrap().keys() {
            for value in [
                json!(null),
                json!(1),
                json!("x"),
                json!([]),
                json!({}),
                json!([["x"]]),
                json!({"Authorization": null}),
            ] {
                let mut changed = event.clone();
                changed[name] = value;
                let outcome = setup.ask_at(&changed.to_string(), moment(1.0)).await;
                let is_there = changed.to_string().contains(raw);
                assert!(is_there || passes(&outcome).is_none(), "{kind}: {changed}");
            }
        }
        for (place, _) in event.to_string().char_indices().step_by(7) {
            let cut = &event.to_string()[..place];
            assert_eq!(passes(&setup.ask(cut).await), None, "{kind}, cut: {cut}");
        }
    }
}
