//! Access tokens.

use std::sync::LazyLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use domain::{Claims, Timestamp};
use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Value, json};
use signing::{Algorithm, Audience, KeyMaterial, Signer, UnverifiedToken, VerifyingKey};

use crate::bytes::{choice, edited, text, two_texts};

const NOW: i64 = 1_800_000_000;
const ISSUER: &str = "https://auth.example";
const CLIENT: &str = "cl_0123456789abcdef";
/// RFC 8037, A.1: a private key that everybody knows.
const SEED: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
/// What stands before it in PKCS #8 (RFC 8410, section 7).
const HEAD: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

struct Known {
    key: VerifyingKey,
    /// Signs any text, as whoever had the key would.
    private: SigningKey,
    kid: String,
    token: String,
}

static KNOWN: LazyLock<Known> = LazyLock::new(|| {
    let seed = URL_SAFE_NO_PAD.decode(SEED).unwrap();
    let pkcs8 = [&HEAD[..], &seed].concat();
    let signer = Signer::new(&KeyMaterial::from_pkcs8(Algorithm::EdDsa, pkcs8)).unwrap();
    let claims: Claims = serde_json::from_value(json!({
        "iss": ISSUER, "sub": "ak_0123456789abcdef", "aud": CLIENT, "client_id": CLIENT, "scope": "read write",
        "iat": NOW, "nbf": NOW, "exp": NOW + 900, "jti": "abc", "key_id": "ak_0123456789abcdef", "secret_version": 1,
        "workspace_id": "ws_0123456789abcdef", "env": "live", "billed_to": "cu_0123456789abcdef",
    }))
    .unwrap();
    let token = signer.sign(&claims).unwrap();
    let key = VerifyingKey::from_jwk(Algorithm::EdDsa, &signer.public().json).unwrap();
    Known { key, kid: signer.public().kid.clone(), token, private: SigningKey::from_bytes(&seed.try_into().unwrap()) }
});

/// Any text as a token; a right token that was changed; any header and claims with a right signature.
pub fn tokens(data: &[u8]) {
    let known = &*KNOWN;
    let (form, rest) = choice(data, 4);
    let (token, may_count) = match form {
        0 => (text(rest), false),
        1 => (edited(&known.token, rest), false),
        2 => {
            let (header, payload) = two_texts(rest);
            (signed(known, &header, &payload), true)
        }
        _ => {
            let header = json!({"typ": "at+jwt", "alg": "EdDSA", "kid": known.kid}).to_string();
            let payload = URL_SAFE_NO_PAD.decode(known.token.split('.').nth(1).unwrap()).unwrap();
            (signed(known, &header, &edited(&text(&payload), rest)), true)
        }
    };
    match judge(known, &token) {
        None => assert_ne!(token, known.token, "what nobody changed counts"),
        Some(claims) => {
            assert!(may_count || token == known.token, "a token that nobody has signed: {token}");
            assert_counts(&token, &claims);
        }
    }
}

fn judge(known: &Known, token: &str) -> Option<Claims> {
    let token = UnverifiedToken::parse(token).ok()?;
    let audience = Audience { issuer: ISSUER.to_owned(), resource: ISSUER.to_owned() };
    known.key.verify(&token, &audience, Timestamp::from_unix(NOW)).ok()
}

fn signed(known: &Known, header: &str, payload: &str) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(payload));
    let signature = known.private.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature.to_bytes()))
}

/// What stands in a token that counts, read without our own types.
fn assert_counts(token: &str, claims: &Claims) {
    let parts: Vec<&str> = token.split('.').collect();
    assert!(parts.len() == 3 && token.len() <= 8192);
    let read = |part: &str| serde_json::from_slice::<Value>(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap();
    let (header, payload) = (read(parts[0]), read(parts[1]));
    assert_eq!(header, json!({"typ": "at+jwt", "alg": "EdDSA", "kid": header["kid"]}));
    assert!(header["kid"].as_str().is_some_and(|kid| !kid.is_empty()));
    assert_eq!(payload["iss"], ISSUER);
    assert!(payload["aud"] == ISSUER || payload["aud"] == payload["client_id"]);
    for name in ["sub", "jti", "scope", "workspace_id", "billed_to", "env"] {
        assert!(payload[name].as_str().is_some_and(|text| !text.is_empty()), "{name}");
    }
    let time = |name: &str| payload[name].as_i64().unwrap_or_else(|| panic!("{name}: {payload}"));
    let (iat, nbf, exp) = (time("iat"), time("nbf"), time("exp"));
    assert!((0..=NOW + 5).contains(&iat) && (0..=NOW + 5).contains(&nbf) && exp > NOW && exp - iat <= 3600);
    assert_eq!((claims.iat, claims.exp), (iat, exp));
    let again = serde_json::to_value(claims).unwrap();
    assert!(again.as_object().unwrap().iter().all(|(name, value)| payload[name] == *value), "{again} {payload}");
}
