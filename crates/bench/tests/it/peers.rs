//! The sources of the peers, and what they are pinned by.

use std::path::Path;

use serde_json::Value;

const PEERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/peers");
/// The one in Rust lies with the floor.
const RUST: &str = "../../floor/src/jsonwebtoken.rs";

fn read(file: &str) -> String {
    std::fs::read_to_string(Path::new(PEERS).join(file)).unwrap()
}

#[test]
fn every_package_of_node_is_pinned_by_the_lock_file() {
    let [package, lock] = ["package.json", "package-lock.json"]
        .map(|file| serde_json::from_str::<Value>(&read(&format!("node/{file}"))).unwrap());
    let wanted = package["dependencies"].as_object().unwrap();
    let names: Vec<_> = wanted.keys().map(String::as_str).collect();
    assert_eq!(names, ["aws-jwt-verify", "aws-lambda-ric", "jose", "oidc-provider"]);
    for (name, version) in wanted {
        assert_eq!(lock["packages"][format!("node_modules/{name}")]["version"], *version, "{name}");
    }
    for (name, locked) in lock["packages"].as_object().unwrap().iter().filter(|(name, _)| !name.is_empty()) {
        assert!(locked["integrity"].is_string() || locked["inBundle"] == true, "{name}");
    }
}

#[test]
fn every_package_of_python_is_pinned_to_one_version() {
    let requirements = read("python/requirements.txt");
    for name in ["awslambdaric", "PyJWT", "cryptography"] {
        assert!(requirements.lines().any(|line| line.starts_with(&format!("{name}=="))), "{name}");
    }
    assert!(requirements.lines().all(|line| line.contains("==")), "{requirements}");
}

#[test]
fn every_peer_verifies_issuer_and_audience() {
    for (file, issuer, audience) in [
        ("node/aws-jwt-verify.mjs", "process.env.ISSUER", "process.env.AUDIENCE"),
        ("node/jose.mjs", "process.env.ISSUER", "process.env.AUDIENCE"),
        ("python/authorizer.py", "os.environ[\"ISSUER\"]", "os.environ[\"AUDIENCE\"]"),
        (RUST, "set_issuer(", "set_audience("),
    ] {
        let source = read(file);
        assert!(source.contains(issuer) && source.contains(audience), "{file}");
    }
}
