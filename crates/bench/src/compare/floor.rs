//! What things are set against: a function that answers a constant, on `lambda_runtime` and on our own runtime, one that reads an item,
//! one that verifies a signature, and the bare signatures, by keys that are parsed once.

use std::path::Path;
use std::process::Stdio;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair, Ed25519KeyPair, KeyPair,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, VerificationAlgorithm,
};
use axum::body::Bytes;
use signing::Algorithm;
use tokio::process::Command;

use crate::compare::setting::Setting;
use crate::compare::subject::{Expected, Subject};
use crate::compare::warm::Warm;
use crate::failure::Failure;
use crate::keys::KEYS_TABLE;

/// What answers a constant on our own runtime.
pub(super) const OWN_ECHO: &str = "echo, our runtime";
/// What reads an item and makes a signature per event, in one function.
pub(super) const READING_AND_SIGNING: &str = "echo that reads and signs";
/// What verifies one signature per event, by algorithm: how dear that is with caches as cold as a function's are.
pub(super) const VERIFYING: [(&str, Algorithm); 3] = [
    ("echo that verifies ES256", Algorithm::Es256),
    ("echo that verifies EdDSA", Algorithm::EdDsa),
    ("echo that verifies RS256", Algorithm::Rs256),
];

/// The subjects that are warm. The functions are asked by the same event as the authorizer.
pub(super) async fn warm(setting: &Setting) -> Result<Vec<Warm>, Failure> {
    let event = setting.fixture.token_event(Algorithm::Es256)?;
    let mut subjects = vec![echo(setting)?, own_echo(setting)?];
    subjects.extend(VERIFYING.map(|(name, algorithm)| verifying(name, algorithm, setting, event.clone())));
    let mut all = Vec::new();
    for subject in subjects {
        all.push(Warm::function(subject, None).await?);
    }
    for (name, signs) in [("echo + GetItem", false), (READING_AND_SIGNING, true)] {
        // By such a way as our functions have: what sits between them costs the one who waits, too.
        let way = setting.way().await?;
        let subject = reading(name, signs, setting, way.endpoint(), event.clone());
        all.push(Warm::function(subject, Some(way)).await?);
    }
    all.extend(signatures(setting.fixture.token(Algorithm::Es256)?.into_bytes())?);
    Ok(all)
}

/// The subject that is cold.
pub(super) fn cold(setting: &Setting) -> Result<Vec<Subject>, Failure> {
    Ok(vec![echo(setting)?, own_echo(setting)?])
}

/// On `lambda_runtime`, as whoever writes a function in Rust takes it: by this one the goals are judged.
fn echo(setting: &Setting) -> Result<Subject, Failure> {
    constant("echo", &setting.programs.echo, setting)
}

/// On our own runtime.
fn own_echo(setting: &Setting) -> Result<Subject, Failure> {
    constant(OWN_ECHO, &setting.programs.own_echo, setting)
}

fn constant(name: &'static str, program: &Path, setting: &Setting) -> Result<Subject, Failure> {
    let (program, event) = (program.to_owned(), setting.fixture.token_event(Algorithm::Es256)?);
    let start = Box::new(move || bare(&program));
    Ok(Subject { name, start, event, expected: Expected::Constant })
}

fn reading(name: &'static str, signs: bool, setting: &Setting, store: &str, event: Bytes) -> Subject {
    let (program, store) = (setting.programs.get_item.clone(), store.to_owned());
    let key = setting.fixture.key.record.id.to_string();
    let start = move || {
        let mut command = bare(&program);
        command.env("AWS_ENDPOINT_URL_DYNAMODB", &store).env("FLOOR_TABLE", KEYS_TABLE);
        command.env("FLOOR_PK", format!("KEY#{key}")).env("FLOOR_SK", "KEY");
        command.envs(signs.then_some(("FLOOR_SIGN", "1")));
        command
    };
    Subject { name, start: Box::new(start), event, expected: Expected::True }
}

fn verifying(name: &'static str, algorithm: Algorithm, setting: &Setting, event: Bytes) -> Subject {
    let program = setting.programs.verify.clone();
    let start = move || {
        let mut command = bare(&program);
        command.env("FLOOR_ALGORITHM", algorithm.name());
        command
    };
    Subject { name, start: Box::new(start), event, expected: Expected::True }
}

/// A program with no more in its environment than Lambda's runtime asks for.
fn bare(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.env_clear().stderr(Stdio::null());
    for (name, value) in [
        ("AWS_LAMBDA_FUNCTION_NAME", "measured"),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_REGION", "us-east-1"),
    ] {
        command.env(name, value);
    }
    command
}

/// Signatures over as many bytes as a token has.
fn signatures(message: Vec<u8>) -> Result<Vec<Warm>, Failure> {
    let failed = |_| Failure::Start("the cryptographic library failed".to_owned());
    let random = SystemRandom::new();
    let es256 = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map_err(failed)?;
    let ed25519 = Ed25519KeyPair::generate().map_err(failed)?;
    let rsa = RsaKeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let rsa_sign = move |rsa: &RsaKeyPair, message: &[u8]| {
        let mut signature = vec![0; rsa.public_modulus_len()];
        rsa.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature).map(|()| signature)
    };
    let by_es256 = es256.sign(&random, &message).map_err(failed)?.as_ref().to_vec();
    let by_ed25519 = ed25519.sign(&message).as_ref().to_vec();
    let by_rsa = rsa_sign(&rsa, &message).map_err(failed)?;
    let verify = |name, algorithm: &'static dyn VerificationAlgorithm, key: &[u8], signature: Vec<u8>| {
        let key = ParsedPublicKey::new(algorithm, key).map_err(|_| Failure::Start("no public key".to_owned()))?;
        let message = message.clone();
        key.verify_sig(&message, &signature).map_err(failed)?;
        Ok::<_, Failure>(Warm::here(name, move || {
            std::hint::black_box(key.verify_sig(&message, &signature).is_ok());
        }))
    };
    let mut all = vec![
        verify("verify ES256", &ECDSA_P256_SHA256_FIXED, es256.public_key().as_ref(), by_es256)?,
        verify("verify EdDSA", &ED25519, ed25519.public_key().as_ref(), by_ed25519)?,
        verify("verify RS256", &RSA_PKCS1_2048_8192_SHA256, rsa.public_key().as_ref(), by_rsa)?,
    ];
    let [first, second, third] = [message.clone(), message.clone(), message];
    all.push(Warm::here("sign ES256", move || {
        std::hint::black_box(es256.sign(&random, &first).is_ok());
    }));
    all.push(Warm::here("sign EdDSA", move || {
        std::hint::black_box(ed25519.sign(&second));
    }));
    all.push(Warm::here("sign RS256", move || {
        std::hint::black_box(rsa_sign(&rsa, &third).is_ok());
    }));
    Ok(all)
}
