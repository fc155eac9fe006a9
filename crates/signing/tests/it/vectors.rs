//! The examples of the RFCs, through our own code where it does that work. Their tokens are no access tokens: ours refuses them as
//! such, and takes their keys, signatures and thumbprints.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use signing::{Algorithm, KeyMaterial, Signer, UnverifiedToken, VerifyingKey, jwks};

use crate::forge::{Forge, audience, encode};
use crate::second::Second;

/// RFC 7515, A.2.1, and its public half.
const RSA: &str = r#"{"kty":"RSA",
  "n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
  "e":"AQAB"}"#;
const RSA_TOKEN: &str = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";

/// RFC 7515, A.3.1.
const EC: &str = r#"{"kty":"EC","crv":"P-256",
  "x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const EC_TOKEN: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

/// RFC 8037, A.1, A.2 and A.4: a private key that everybody knows.
const ED_PRIVATE: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
const ED_TOKEN: &str = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";

fn okp() -> String {
    json!({"kty": "OKP", "crv": "Ed25519", "x": ED_PUBLIC}).to_string()
}

/// The text of an example's header and payload, and its signature.
fn taken_apart(token: &str) -> (&str, Vec<u8>) {
    let (message, signature) = token.rsplit_once('.').unwrap();
    (message, URL_SAFE_NO_PAD.decode(signature).unwrap())
}

#[test]
fn the_signatures_of_rfc_7515_and_8037_verify_under_the_keys_that_stand_beside_them() {
    for (algorithm, jwk, token) in
        [(Algorithm::Rs256, RSA, RSA_TOKEN), (Algorithm::Es256, EC, EC_TOKEN), (Algorithm::EdDsa, &okp(), ED_TOKEN)]
    {
        let key = VerifyingKey::from_jwk(algorithm, jwk).unwrap();
        let (message, signature) = taken_apart(token);
        assert!(key.is_signature(message, &encode(&signature)), "{algorithm}");
        assert!(Second::new(algorithm, jwk, "joe", &[]).is_signature(message.as_bytes(), &signature), "{algorithm}");
        for place in 0..signature.len() {
            let mut changed = signature.clone();
            changed[place] ^= 1;
            assert!(!key.is_signature(message, &encode(changed)), "{algorithm}: byte {place}");
        }
        assert!(!key.is_signature(&message[1..], &encode(&signature)), "{algorithm}");
        // It has no `typ` and no `kid`: a JWT of somebody's, and no access token.
        assert!(UnverifiedToken::parse(token).is_err(), "{algorithm}");
    }
}

/// RFC 8032, section 7.1, test 1 is the key of RFC 8037.
#[test]
fn our_signer_makes_the_signature_of_rfc_8037() {
    let seed = URL_SAFE_NO_PAD.decode(ED_PRIVATE).unwrap();
    // RFC 8410, section 7: what stands before the seed in PKCS #8.
    let head = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];
    let signer = Signer::new(&KeyMaterial::from_pkcs8(Algorithm::EdDsa, [&head[..], &seed].concat())).unwrap();
    let public: Value = serde_json::from_str(&signer.public().json).unwrap();
    assert_eq!(public["x"], ED_PUBLIC);
    // RFC 8037, A.3 (RFC 7638): the thumbprint, which is the key's name.
    assert_eq!(signer.public().kid, "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");

    // Ed25519 signs the same text the same way each time, so a token of ours is the second library's, letter by letter.
    let claims = serde_json::from_value(Forge::claims()).unwrap();
    let token = signer.sign(&claims).unwrap();
    let (message, signature) = taken_apart(&token);
    let key = ed25519_dalek::SigningKey::from_bytes(&seed.try_into().unwrap());
    let expected = ed25519_dalek::Signer::sign(&key, message.as_bytes());
    assert_eq!(signature, expected.to_bytes());
    let (message, signature) = taken_apart(ED_TOKEN);
    assert_eq!(ed25519_dalek::Signer::sign(&key, message.as_bytes()).to_bytes(), *signature, "the RFC's own");
}

/// RFC 7517, A.1: both keys as they stand there, with members that say more than we ask.
#[test]
fn the_keys_of_rfc_7517_are_read_as_keys_of_their_own_kind() {
    let ec = json!({"kty": "EC", "crv": "P-256", "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM", "use": "enc", "kid": "1"});
    let mut rsa: Value = serde_json::from_str(RSA).unwrap();
    (rsa["alg"], rsa["kid"]) = (json!("RS256"), json!("2011-04-29"));
    for (jwk, own) in [(&ec, Algorithm::Es256), (&rsa, Algorithm::Rs256)] {
        for algorithm in Algorithm::ALL {
            assert_eq!(
                VerifyingKey::from_jwk(algorithm, &jwk.to_string()).is_ok(),
                algorithm == own,
                "{jwk} {algorithm}"
            );
        }
    }
    let set: Value = serde_json::from_str(&jwks([ec.to_string().as_str(), &rsa.to_string()]).unwrap()).unwrap();
    assert_eq!(set, json!({"keys": [ec, rsa]}), "RFC 7517, section 5");
    // RFC 7517, A.3: a symmetric key verifies nothing here.
    let oct = json!({"kty": "oct", "alg": "HS256", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"});
    for algorithm in Algorithm::ALL {
        assert!(VerifyingKey::from_jwk(algorithm, &oct.to_string()).is_err());
    }
}

#[test]
fn a_key_that_is_none_is_refused_when_it_is_read_or_verifies_nothing() {
    let ec: Value = serde_json::from_str(EC).unwrap();
    let (message, signature) = taken_apart(EC_TOKEN);
    for (name, value) in [
        // RFC 7518, section 6.2.1.2: the whole coordinate. RFC 7517, section 4.1: kinds as they are written.
        ("x", json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVE")),
        ("y", json!("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a1")),
        ("x", json!("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU=")),
        ("x", json!(7)),
        ("y", Value::Null),
        ("kty", json!("ec")),
        ("kty", json!("RSA")),
        ("crv", json!("P-384")),
        ("crv", json!("p-256")),
    ] {
        let mut jwk = ec.clone();
        jwk[name] = value;
        if let Ok(key) = VerifyingKey::from_jwk(Algorithm::Es256, &jwk.to_string()) {
            assert!(!key.is_signature(message, &encode(&signature)), "{jwk}");
        }
    }
}

/// RFC 7515, A.5 and its section 10.7: a token without a signature is none, whatever its key.
#[test]
fn the_unsecured_example_is_no_token() {
    let unsecured = "eyJhbGciOiJub25lIn0.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.";
    assert!(UnverifiedToken::parse(unsecured).is_err());
    let typed = encode(json!({"alg": "none", "typ": "at+jwt", "kid": "x"}).to_string());
    let token = format!("{typed}.{}", unsecured.split_once('.').unwrap().1);
    let parsed = UnverifiedToken::parse(&token).unwrap();
    let key = VerifyingKey::from_jwk(Algorithm::Es256, EC).unwrap();
    assert!(key.verify(&parsed, &audience(), testkit::now()).is_err());
}
