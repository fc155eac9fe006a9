//! Tokens that were changed in one place: anywhere in their text, or before they were signed.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use num_bigint::BigUint;
use serde_json::{Value, json};
use signing::Algorithm;

use crate::forge::{Forge, encode};

/// Numbers that are the same in every run (`SplitMix64`).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// From 0 to one less than `count`.
    pub(crate) fn below(&mut self, count: usize) -> usize {
        usize::try_from(self.next() % count as u64).unwrap()
    }

    pub(crate) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

/// A token, and what was done to it.
pub(crate) struct Mutant {
    pub(crate) token: String,
    pub(crate) class: &'static str,
}

/// Changes a token in one place, or the claims of another before they are signed.
pub(crate) fn mutant(forge: &Forge, token: &str, claims: &Value, dice: &mut Dice) -> Mutant {
    let header = forge.header();
    match dice.below(20) {
        0..8 => text(token, dice),
        8..11 => signature(forge, token, dice),
        11..14 => {
            let (header, class) = header_json(&header, dice);
            Mutant { token: forge.token(&header, &claims.to_string()), class }
        }
        14..18 => {
            let (claims, class) = claims_json(claims, dice);
            Mutant { token: forge.token(&header.to_string(), &claims), class }
        }
        _ => encoding(forge, &header.to_string(), &claims.to_string(), dice),
    }
}

fn text(token: &str, dice: &mut Dice) -> Mutant {
    const LETTERS: &[u8] = b"ABCxyz019-_=+/. \n\t\0%,;~{\"";
    let mut bytes = token.as_bytes().to_vec();
    let place = dice.below(bytes.len());
    match dice.below(9) {
        0 | 1 => bytes[place] = *dice.pick(LETTERS),
        2 => bytes.insert(place, *dice.pick(LETTERS)),
        3 => drop(bytes.remove(place)),
        4 => bytes.truncate(place),
        5 => bytes.swap(place, dice.below(token.len())),
        6 => bytes[place] ^= 0x20,
        7 => {
            let mut parts: Vec<&str> = token.split('.').collect();
            let part = *dice.pick(&parts);
            let at = dice.below(parts.len());
            if dice.below(2) == 0 {
                parts.insert(at, part);
            } else {
                parts[at] = part;
            }
            bytes = parts.join(".").into_bytes();
        }
        _ => bytes.extend(std::iter::repeat_n(*dice.pick(LETTERS), dice.below(3))),
    }
    Mutant { token: String::from_utf8_lossy(&bytes).into_owned(), class: "text" }
}

/// The order of P-256.
const P256_ORDER: [u8; 32] = [
    0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7,
    0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
];

fn signature(forge: &Forge, token: &str, dice: &mut Dice) -> Mutant {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let place = dice.below(raw.len());
    let half = raw.len() / 2 * dice.below(2);
    match dice.below(8) {
        0 | 1 => raw[place] ^= 1 << dice.below(8),
        2 => raw.truncate(place),
        3 => raw.push(0),
        4 => raw.insert(0, 0),
        5 => raw[half..half + 32].fill(u8::try_from(dice.below(2) * 0xff).unwrap()),
        6 => raw[half..half + 32].copy_from_slice(&P256_ORDER),
        _ if forge.algorithm == Algorithm::Es256 => {
            raw = [&[0x30, 68, 2, 32][..], &raw[..32], &[2, 32], &raw[32..]].concat();
        }
        _ => raw.reverse(),
    }
    Mutant { token: format!("{message}.{}", encode(raw)), class: "signature" }
}

/// The same token under `n - s`.
pub(crate) fn ecdsa_twin(token: &str) -> String {
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let (order, s) = (BigUint::from_bytes_be(&P256_ORDER), BigUint::from_bytes_be(&raw[32..]));
    let twin = (order - s).to_bytes_be();
    raw[32..].fill(0);
    raw[64 - twin.len()..].copy_from_slice(&twin);
    format!("{message}.{}", encode(raw))
}

fn header_json(header: &Value, dice: &mut Dice) -> (String, &'static str) {
    let mut changed = header.clone();
    let members = changed.as_object_mut().unwrap();
    let class = match dice.below(6) {
        0 => {
            let types = ["JWT", "at+JWT", "AT+JWT", "application/at+jwt", "at+jwt ", "", "refresh+jwt", "logout+jwt"];
            members.insert("typ".to_owned(), json!(dice.pick(&types)));
            "another typ"
        }
        1 => {
            let algorithms = ["none", "HS256", "ES384", "ES256", "RS256", "PS256", "EdDSA", "Ed25519", "es256", ""];
            let other: Vec<_> = algorithms.iter().filter(|name| header["alg"] != **name).collect();
            members.insert("alg".to_owned(), json!(dice.pick(&other)));
            "alg"
        }
        2 => {
            let name = *dice.pick(&["typ", "kid", "alg"]);
            members.remove(name);
            if name == "alg" { "alg" } else { "no typ or kid" }
        }
        3 => {
            let more = [
                ("crit", json!([])),
                ("crit", json!(["b64"])),
                ("crit", json!(["exp"])),
                ("b64", json!(false)),
                ("zip", json!("DEF")),
                ("jku", json!("https://evil.example/jwks.json")),
                ("x5u", json!("https://evil.example/cert.pem")),
                ("x5c", json!(["AAAA"])),
                ("jwk", json!({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})),
                ("cty", json!("JWT")),
                ("x", json!(null)),
            ];
            let (name, value) = dice.pick(&more).clone();
            members.insert(name.to_owned(), value);
            "a header member of no token of ours"
        }
        4 => {
            let wrong = [json!(null), json!(7), json!([]), json!({}), json!(["at+jwt"]), json!("")];
            let name = *dice.pick(&["typ", "kid"]);
            members.insert(name.to_owned(), dice.pick(&wrong).clone());
            "no typ or kid"
        }
        _ => {
            let twice = [r#"{"alg":"none","#, r#"{"typ":"JWT","#, r#"{"kid":"x","#, r#"{"\u0061lg":"none","#];
            let text = header.to_string().replacen('{', dice.pick::<&str>(&twice), 1);
            return (text, "a member twice");
        }
    };
    (changed.to_string(), class)
}

fn claims_json(claims: &Value, dice: &mut Dice) -> (String, &'static str) {
    const REGISTERED: &[&str] = &["iss", "aud", "sub", "exp", "nbf"];
    let mut changed = claims.clone();
    let members = changed.as_object_mut().unwrap();
    let names: Vec<String> = members.keys().cloned().collect();
    let name = dice.pick(&names).as_str();
    let own = if REGISTERED.contains(&name) { "a registered claim's type" } else { "a claim of ours" };
    let shift = i64::try_from(dice.below(12_000)).unwrap() - 6_000;
    let class = match dice.below(9) {
        0 => {
            members.remove(name);
            own
        }
        1 | 2 => {
            let wrong = [
                json!(null),
                json!(true),
                json!(-1),
                json!(1.5),
                json!(1e300),
                json!(u64::MAX),
                json!(""),
                json!("x"),
                json!([]),
                json!({}),
                json!(["x"]),
                json!([members[name].clone()]),
                json!(members[name].to_string()),
            ];
            members.insert(name.to_owned(), dice.pick(&wrong).clone());
            own
        }
        3 | 4 => {
            let name = *dice.pick(&["exp", "nbf", "iat"]);
            // Not just at a bound: the two look at the clock one after the other.
            let shift = if shift.abs() <= 100 { -2 } else { shift };
            let at = members["iat"].as_i64().unwrap();
            members.insert(name.to_owned(), json!(at + shift));
            "a time"
        }
        5 => {
            let issuers = ["https://auth.example/", "https://AUTH.example", "http://auth.example", "auth.example", "*"];
            members.insert("iss".to_owned(), json!(dice.pick(&issuers)));
            "issuer"
        }
        6 => {
            let audiences = ["cl_fedcba9876543210", "CL_0123456789abcdef", "https://auth.example/", "*", " "];
            members.insert("aud".to_owned(), json!(dice.pick(&audiences)));
            "audience"
        }
        7 => {
            let twice = [
                r#"{"iss":"x","#,
                r#"{"scope":"admin","#,
                r#"{"\u0073cope":"admin","#,
                r#"{"exp":1,"#,
                r#"{"a":{"b":1,"b":1},"#,
            ];
            return (claims.to_string().replacen('{', dice.pick::<&str>(&twice), 1), "a member twice");
        }
        _ => {
            let deep = format!("{}{}", "[".repeat(dice.below(300)), "]".repeat(300));
            let more =
                [r#""x":null"#, r#""admin":true"#, r#""cnf":{"jkt":"x"}"#, r#""":"""#, &format!(r#""x":{deep}"#)];
            return (claims.to_string().replacen('{', &format!("{{{},", dice.pick(&more)), 1), "more claims");
        }
    };
    (changed.to_string(), class)
}

/// Other ways to write the same bytes, signed as they are written.
fn encoding(forge: &Forge, header: &str, claims: &str, dice: &mut Dice) -> Mutant {
    // Behind `?` and `~` the two alphabets differ.
    let claims = claims.replacen('{', r#"{"x":"???~~~>>>","#, 1);
    let stray = |text: &str| {
        let mut text = format!("{text} ").into_bytes();
        while text.len() % 3 != 1 {
            text.push(b' ');
        }
        let mut encoded = encode(&text).into_bytes();
        // Two digits stand for the last byte; the last of them has four bits to spare.
        *encoded.last_mut().unwrap() = b'B';
        String::from_utf8(encoded).unwrap()
    };
    let (header, payload, class) = match dice.below(7) {
        0 => (URL_SAFE.encode(format!("{header} ")), encode(&claims), "padding"),
        1 => (encode(header), URL_SAFE.encode(format!("{claims} ")), "padding"),
        2 => (encode(header), STANDARD_NO_PAD.encode(&claims), "alphabet"),
        3 => (stray(header), encode(&claims), "stray bits"),
        4 => (encode(header), stray(&claims), "stray bits"),
        5 => (encode(format!("\u{feff}{header}")), encode(&claims), "a byte order mark"),
        _ => (encode(format!(" \r\n{header}\t")), encode(format!("\n{claims} ")), "spaces"),
    };
    let message = format!("{header}.{payload}");
    Mutant { token: format!("{message}.{}", forge.signature(&message)), class }
}
