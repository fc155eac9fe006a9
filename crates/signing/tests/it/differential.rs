//! Ours against a second verifier, over twenty thousand tokens that were changed in one place: ours takes nothing that the other
//! refuses, and what it refuses beyond that is by a rule that has a name here.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use signing::{Algorithm, TokenRefusal, UnverifiedToken, VerifyingKey};

use crate::forge::{Forge, ISSUER, Outcome, audience};
use crate::mutation::{Dice, mutant};
use crate::second::Second;

/// What ours is stricter in: what was done to a token, and as what it is refused.
const STRICTER: &[(&str, &str)] = &[
    ("another typ", "Malformed"),
    ("no typ or kid", "Malformed"),
    // `crit`, keys that a token brings along, and whatever else (RFC 7515, section 4.1.11).
    ("a header member of no token of ours", "Malformed"),
    ("a member twice", "Claims"),
    // `jti`, `client_id`, `scope` and so on are required, and typed.
    ("a claim of ours", "Claims"),
    // `iss` and `aud` as lists, times with a fraction.
    ("a registered claim's type", "Claims"),
    ("a time", "NotYetValid"),
    ("a time", "Lifetime"),
    // Its end has no leeway.
    ("a time", "Expired"),
];

#[expect(clippy::disallowed_methods, reason = "the other verifier reads this machine's clock")]
fn now() -> domain::Timestamp {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    domain::Timestamp::from_unix(i64::try_from(since.as_secs()).unwrap())
}

fn claims_of_now() -> Value {
    let (mut claims, at) = (Forge::claims(), now().unix());
    for (name, value) in [("iat", at), ("nbf", at), ("exp", at + 900)] {
        claims[name] = json!(value);
    }
    claims
}

fn judge(key: &VerifyingKey, token: &str) -> Outcome {
    match UnverifiedToken::parse(token).map(|token| key.verify(&token, &audience(), now())) {
        Err(_) => Outcome::Malformed,
        Ok(Ok(claims)) => Outcome::Accepted(Box::new(claims)),
        Ok(Err(refusal)) => Outcome::RefusalReason(refusal),
    }
}

fn name(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Accepted(_) => "accepted".to_owned(),
        Outcome::Malformed => "Malformed".to_owned(),
        Outcome::RefusalReason(refusal) => format!("{refusal:?}"),
    }
}

#[test]
fn ours_takes_nothing_that_another_verifier_refuses_and_is_stricter_by_named_rules_alone() {
    let mut dice = Dice(7_515);
    let mut stricter: BTreeMap<(&str, String), usize> = BTreeMap::new();
    let (mut both_take, mut both_refuse) = (0, 0);
    for (algorithm, count) in [(Algorithm::Es256, 7_000), (Algorithm::EdDsa, 12_000), (Algorithm::Rs256, 1_000)] {
        let forge = Forge::new(algorithm);
        let jwk = &forge.signer.public().json;
        let key = VerifyingKey::from_jwk(algorithm, jwk).unwrap();
        let second = Second::new(algorithm, jwk, ISSUER, &[ISSUER, "cl_0123456789abcdef"]);
        let unchanged = forge.with_claims(&claims_of_now());
        assert!(matches!(judge(&key, &unchanged), Outcome::Accepted(_)) && second.judge(&unchanged).is_some());
        for number in 0..count {
            let mutant = mutant(&forge, &unchanged, &claims_of_now(), &mut dice);
            let (ours, others) = (judge(&key, &mutant.token), second.judge(&mutant.token));
            let shown = || format!("{algorithm} {number}: {}: {ours:?}: {}", mutant.class, mutant.token);
            match (&ours, others) {
                (Outcome::Accepted(claims), Some(read)) => {
                    let claims = serde_json::to_value(claims).unwrap();
                    let same = claims.as_object().unwrap().iter().all(|(name, value)| read[name] == *value);
                    assert!(same, "both take it, and read something else: {}", shown());
                    both_take += 1;
                }
                (Outcome::Accepted(_), None) => panic!("ours alone takes it: {}", shown()),
                (_, Some(_)) => {
                    let rule = (mutant.class, name(&ours));
                    assert!(STRICTER.contains(&(rule.0, rule.1.as_str())), "stricter by no named rule: {}", shown());
                    *stricter.entry(rule).or_default() += 1;
                }
                (_, None) => both_refuse += 1,
            }
        }
    }
    println!("both take {both_take}, both refuse {both_refuse}, stricter: {stricter:?}");
    assert!(both_take > 500 && both_refuse > 5_000, "{both_take} {both_refuse}");
    let unmet: Vec<_> =
        STRICTER.iter().filter(|(class, name)| !stricter.contains_key(&(*class, (*name).to_owned()))).collect();
    assert!(unmet.is_empty(), "a rule that nothing meets proves nothing: {unmet:?}");
}

/// ECDSA has two signatures for every one, `s` and `n - s`, and JWS takes both: another text, the same claims by the same key.
#[test]
fn the_other_half_of_an_ecdsa_signature_is_one_for_both() {
    let forge = Forge::new(Algorithm::Es256);
    let jwk = &forge.signer.public().json;
    let second = Second::new(Algorithm::Es256, jwk, ISSUER, &[ISSUER, "cl_0123456789abcdef"]);
    let token = forge.with_claims(&claims_of_now());
    let twin = crate::mutation::ecdsa_twin(&token);
    assert_ne!(token, twin);
    let key = VerifyingKey::from_jwk(Algorithm::Es256, jwk).unwrap();
    assert_eq!(judge(&key, &token), judge(&key, &twin));
    assert!(second.judge(&twin).is_some());
    assert_ne!(judge(&key, &twin), Outcome::RefusalReason(TokenRefusal::Signature));
}
