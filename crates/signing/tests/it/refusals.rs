//! The catalogue: each way to forge a token, and what becomes of it.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE, URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use signing::{Algorithm, TokenRefusal};
use testkit::now;

use crate::forge::{Forge, ISSUER, Outcome, encode};

fn forge() -> Forge {
    Forge::new(Algorithm::Es256)
}

/// The header with `name` set to `value`, and a right signature over it.
fn with_header(forge: &Forge, name: &str, value: Value) -> String {
    let mut header = forge.header();
    header[name] = value;
    forge.token(&header.to_string(), &Forge::claims().to_string())
}

#[test]
fn the_forge_itself_makes_tokens_that_count() {
    for algorithm in Algorithm::ALL {
        let forge = Forge::new(algorithm);
        assert!(matches!(forge.judge(&forge.with_claims(&Forge::claims())), Outcome::Accepted(_)));
    }
}

#[test]
fn the_key_decides_the_algorithm() {
    let forge = forge();
    for name in ["none", "None", "NONE", "nOnE", "HS256", "ES384", "RS256", "EdDSA", "es256", ""] {
        let outcome = forge.judge(&with_header(&forge, "alg", json!(name)));
        assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Algorithm), "{name}");
    }
    // Unsigned, as `none` asks for it.
    let header = json!({"typ": "at+jwt", "alg": "none", "kid": forge.signer.public().kid});
    let unsigned = format!("{}.{}.", encode(header.to_string()), encode(Forge::claims().to_string()));
    assert_eq!(forge.judge(&unsigned), Outcome::RefusalReason(TokenRefusal::Algorithm));
}

#[test]
fn the_public_key_is_no_shared_secret() {
    for algorithm in Algorithm::ALL {
        let forge = Forge::new(algorithm);
        let jwk = forge.signer.public().json.clone();
        let header = json!({"typ": "at+jwt", "alg": "HS256", "kid": forge.signer.public().kid});
        let message = format!("{}.{}", encode(header.to_string()), encode(Forge::claims().to_string()));
        let der = STANDARD.encode(&jwk);
        let pem = format!("-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n");
        for secret in [jwk.as_bytes(), der.as_bytes(), pem.as_bytes()] {
            let key = jsonwebtoken::EncodingKey::from_secret(secret);
            let signature =
                jsonwebtoken::crypto::sign(message.as_bytes(), &key, jsonwebtoken::Algorithm::HS256).unwrap();
            let outcome = forge.judge(&format!("{message}.{signature}"));
            assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Algorithm));
        }
    }
}

#[test]
fn only_an_access_tokens_own_header_is_read() {
    let forge = forge();
    let jwk: Value = serde_json::from_str(&forge.signer.public().json).unwrap();
    for (name, value) in [
        ("typ", json!("JWT")),
        ("typ", json!("at+JWT")),
        ("typ", json!("refresh+jwt")),
        ("typ", Value::Null),
        ("crit", json!([])),
        ("crit", json!(["b64"])),
        ("crit", json!(["exp"])),
        ("b64", json!(false)),
        ("zip", json!("DEF")),
        ("jwk", jwk),
        ("jku", json!("https://evil.example/jwks.json")),
        ("x5u", json!("https://evil.example/cert.pem")),
        ("x5c", json!(["AAAA"])),
        ("cty", json!("JWT")),
        ("kid", json!(7)),
        ("kid", json!(["a"])),
        ("kid", json!("")),
        ("kid", Value::Null),
        ("kid", json!("k".repeat(10_000))),
        ("alg", json!(["ES256"])),
    ] {
        assert_eq!(forge.judge(&with_header(&forge, name, value.clone())), Outcome::Malformed, "{name}: {value}");
    }
    let claims = Forge::claims().to_string();
    for header in ["{}", "[]", "null", "\"at+jwt\"", r#"{"alg":"ES256","typ":"at+jwt"}"#, ""] {
        assert_eq!(forge.judge(&forge.token(header, &claims)), Outcome::Malformed, "{header}");
    }
}

#[test]
fn a_member_that_stands_twice_is_refused() {
    let forge = forge();
    let (header, claims) = (forge.header().to_string(), Forge::claims().to_string());
    let twice = header.replacen('{', r#"{"alg":"none","#, 1);
    assert_eq!(forge.judge(&forge.token(&twice, &claims)), Outcome::Malformed);
    for more in [r#"{"scope":"admin","#, r#"{"sc\u006fpe":"admin","#, r#"{"x":1,"x":2,"#, r#"{"x":{"y":1,"y":1},"#] {
        let twice = claims.replacen('{', more, 1);
        assert_eq!(forge.judge(&forge.token(&header, &twice)), Outcome::RefusalReason(TokenRefusal::Claims), "{more}");
    }
}

#[test]
fn the_form_is_strict() {
    let forge = forge();
    let token = forge.with_claims(&Forge::claims());
    let parts: Vec<&str> = token.split('.').collect();
    let (header, payload, signature) = (parts[0], parts[1], parts[2]);
    let claims = Forge::claims().to_string();
    let padded = URL_SAFE.encode(format!("{claims} "));
    let cases: [String; 19] = [
        String::new(),
        ".".to_owned(),
        "..".to_owned(),
        header.to_owned(),
        format!("{header}.{payload}"),
        format!("{token}."),
        format!("{token}.{signature}"),
        format!("{token}.{signature}.{signature}"),
        format!(".{token}"),
        format!(" {token}"),
        format!("{token} "),
        format!("{token}\n"),
        format!("{header}=.{payload}.{signature}"),
        format!("{header}.{payload}.{signature}="),
        format!("{header}.{padded}.{signature}"),
        token.replacen("ey", "e/", 1),
        format!("{header}.{payload}.{}", "A".repeat(10_000)),
        "a".repeat(1 << 20),
        format!("sk_live_{}", "0".repeat(54)),
    ];
    for case in cases {
        assert!(!matches!(forge.judge(&case), Outcome::Accepted(_)), "{case:.80}");
    }
    // Stray bits in the last digit of the signature: the same bytes, another text.
    let mut stray = token.clone();
    let last = stray.pop().unwrap();
    let twin = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
        .chars()
        .find(|digit| *digit != last && same_high_bits(*digit, last))
        .unwrap();
    stray.push(twin);
    assert_eq!(forge.judge(&stray), Outcome::RefusalReason(TokenRefusal::Signature));
}

fn same_high_bits(one: char, other: char) -> bool {
    let digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let place = |digit| digits.find(digit).unwrap() >> 4;
    place(one) == place(other)
}

#[test]
fn only_the_right_signature_over_this_very_text_counts() {
    let forge = forge();
    let token = forge.with_claims(&Forge::claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    let order = [
        0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad,
        0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];
    let der = [&[0x30, 68, 2, 32][..], &raw[..32], &[2, 32], &raw[32..]].concat();
    let mut flipped = raw.clone();
    flipped[40] ^= 1;
    let foreign = Forge::new(Algorithm::Es256).signature(message);
    let forgeries = [
        encode([0; 64]),
        encode([order, order].concat()),
        encode([&raw[..32], &[0; 32]].concat()),
        encode([&[0; 32], &raw[32..]].concat()),
        encode([&raw[..32], &order].concat()),
        encode([&order, &raw[32..]].concat()),
        encode(der),
        encode(&raw[..63]),
        encode([&raw[..], &[0]].concat()),
        encode(flipped),
        String::new(),
        foreign,
    ];
    for forged in forgeries {
        let outcome = forge.judge(&format!("{message}.{forged}"));
        assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Signature), "{forged}");
    }

    // One token's claims under another's signature.
    let mut claims = Forge::claims();
    claims["scope"] = "admin".into();
    let other = forge.with_claims(&claims);
    let spliced = format!("{}.{signature}", other.rsplit_once('.').unwrap().0);
    assert_eq!(forge.judge(&spliced), Outcome::RefusalReason(TokenRefusal::Signature));
}

#[test]
fn an_ed25519_signature_has_one_form() {
    let forge = Forge::new(Algorithm::EdDsa);
    let token = forge.with_claims(&Forge::claims());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let mut raw = URL_SAFE_NO_PAD.decode(signature).unwrap();
    // s + L, with L the order of the group (RFC 8032, section 5.1.7 asks for s < L).
    let order: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14, 0, 0, 0, 0, 0,
        0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut carry = 0;
    for (digit, more) in raw[32..].iter_mut().zip(order) {
        carry += u16::from(*digit) + u16::from(more);
        *digit = u8::try_from(carry & 0xff).unwrap();
        carry >>= 8;
    }
    let outcome = forge.judge(&format!("{message}.{}", encode(raw)));
    assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Signature));
}

#[test]
fn each_claim_is_required_and_typed() {
    let forge = forge();
    let names: Vec<String> = Forge::claims().as_object().unwrap().keys().cloned().collect();
    for name in &names {
        let mut claims = Forge::claims();
        claims.as_object_mut().unwrap().remove(name);
        let outcome = forge.judge(&forge.with_claims(&claims));
        assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Claims), "without {name}");
        for wrong in [Value::Null, json!([]), json!({}), json!(true), json!(["x"])] {
            let mut claims = Forge::claims();
            claims[name] = wrong.clone();
            let outcome = forge.judge(&forge.with_claims(&claims));
            assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Claims), "{name}: {wrong}");
        }
    }
    for (name, wrong) in [
        ("aud", json!(["cl_0123456789abcdef"])),
        ("iss", json!([ISSUER])),
        ("sub", json!("")),
        ("jti", json!("")),
        ("scope", json!("")),
        ("scope", json!("read  write")),
        ("scope", json!(["read"])),
        ("secret_version", json!(-1)),
        ("env", json!("Live")),
        ("client_id", json!("nobody")),
        ("exp", json!("1800000900")),
        ("exp", json!(1_800_000_900.5)),
        ("exp", json!(1.8e9)),
        ("exp", json!(u64::MAX)),
        ("iat", json!(-1)),
        ("nbf", json!(-1)),
        ("iat", json!("now")),
        ("nbf", json!(1e300)),
    ] {
        let mut claims = Forge::claims();
        claims[name] = wrong.clone();
        let outcome = forge.judge(&forge.with_claims(&claims));
        assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Claims), "{name}: {wrong}");
    }
    let deep = format!(r#"{{"x":{}{}"#, "[".repeat(5_000), "]".repeat(5_000));
    let nested = Forge::claims().to_string().replacen('{', &format!("{},", &deep), 1);
    assert!(!matches!(forge.judge(&forge.token(&forge.header().to_string(), &nested)), Outcome::Accepted(_)));
}

#[test]
fn issuer_and_audience_are_compared_letter_by_letter() {
    let forge = forge();
    for issuer in
        ["", "https://auth.example/", "https://AUTH.example", "http://auth.example", "https://auth.example.evil"]
    {
        let mut claims = Forge::claims();
        claims["iss"] = issuer.into();
        let outcome = forge.judge(&forge.with_claims(&claims));
        assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Issuer), "{issuer}");
    }
    for audience in ["", "cl_fedcba9876543210", "CL_0123456789abcdef", "https://auth.example/", "*"] {
        let mut claims = Forge::claims();
        claims["aud"] = audience.into();
        let outcome = forge.judge(&forge.with_claims(&claims));
        assert_eq!(outcome, Outcome::RefusalReason(TokenRefusal::Audience), "{audience}");
    }
}

#[test]
fn times_bound_a_token_on_both_sides() {
    let forge = forge();
    let at = now().unix();
    let judge = |iat: i64, nbf: i64, exp: i64| {
        let mut claims = Forge::claims();
        (claims["iat"], claims["nbf"], claims["exp"]) = (iat.into(), nbf.into(), exp.into());
        forge.judge(&forge.with_claims(&claims))
    };
    let accepted = |outcome| matches!(outcome, Outcome::Accepted(_));
    assert!(accepted(judge(at - 899, at - 899, at + 1)));
    assert_eq!(judge(at - 900, at - 900, at), Outcome::RefusalReason(TokenRefusal::Expired), "an end is an end");
    assert!(accepted(judge(at + 5, at + 5, at + 900)), "the issuer's clock is a little ahead");
    assert_eq!(judge(at + 6, at, at + 900), Outcome::RefusalReason(TokenRefusal::NotYetValid));
    assert_eq!(judge(at, at + 6, at + 900), Outcome::RefusalReason(TokenRefusal::NotYetValid));
    assert!(accepted(judge(at, at, at + 3600)));
    assert_eq!(judge(at, at, at + 3601), Outcome::RefusalReason(TokenRefusal::Lifetime));
    assert_eq!(judge(0, 0, i64::MAX), Outcome::RefusalReason(TokenRefusal::Lifetime));
    assert_eq!(judge(at, at, i64::MIN), Outcome::RefusalReason(TokenRefusal::Expired));
}
