//! A server that plays KMS: moto's, which checks ciphertext, context and key as KMS does.

use std::fs::File;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};
use signing::{Kms, Wrapper};

use crate::python::python;

/// Runs the server on a free port until its standard input ends, however this process came to its end.
const PROGRAM: &str = r#"
import os, threading
from moto.server import main
threading.Thread(target=lambda: (os.read(0, 1), os._exit(0)), daemon=True).start()
main(["-H", "127.0.0.1", "-p", "0"])
"#;
/// What the server says once it listens, before the port.
const LISTENS: &str = "Running on http://127.0.0.1:";

/// A KMS that ends with this value.
#[derive(Debug)]
pub struct TestKms {
    process: Child,
    endpoint: String,
}

impl TestKms {
    /// Starts one; `kept` is a folder for what it is installed into, which tests of one crate share.
    pub async fn start(kept: &Path) -> Self {
        let requirements = Path::new(env!("CARGO_MANIFEST_DIR")).join("moto.txt");
        let python = python(&kept.join("moto"), &requirements);
        let log = kept.join(format!("moto-{}.log", domain::random::base62(8)));
        let output = File::create(&log).unwrap();
        let mut process = Command::new(python)
            .args(["-c", PROGRAM])
            // It reads settings of its own from the environment.
            .env_clear()
            .env("PYTHONUNBUFFERED", "1")
            .stdin(Stdio::piped())
            .stdout(output.try_clone().unwrap())
            .stderr(output)
            .spawn()
            .unwrap();
        for _ in 0..600 {
            let said = std::fs::read_to_string(&log).unwrap();
            if let Some((_, behind)) = said.split_once(LISTENS)
                && let Some((port, _)) = behind.split_once('\n')
            {
                std::fs::remove_file(&log).unwrap();
                return Self { process, endpoint: format!("http://127.0.0.1:{}", port.trim()) };
            }
            assert!(process.try_wait().unwrap().is_none(), "moto doesn't start: {said}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("moto is not ready after a minute");
    }

    /// Makes a key, and answers its ARN.
    pub async fn key(&self) -> String {
        self.call("CreateKey", &json!({})).await["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
    }

    /// A wrapper by that key.
    #[must_use]
    pub fn wrapper(&self, key: &str) -> Wrapper {
        Wrapper::Kms(Kms::connect_emulated(&self.endpoint, key.to_owned()))
    }

    async fn call(&self, operation: &str, request: &Value) -> Value {
        let call = reqwest::Client::new()
            .post(&self.endpoint)
            .header("x-amz-target", format!("TrentService.{operation}"))
            .header("content-type", "application/x-amz-json-1.1")
            // No signature, but what says for which service it is.
            .header(
                "authorization",
                "AWS4-HMAC-SHA256 Credential=local/20270115/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0",
            )
            .body(request.to_string());
        let answer = call.send().await.unwrap();
        assert!(answer.status().is_success(), "{operation}: {}", answer.status());
        answer.json().await.unwrap()
    }
}

impl Drop for TestKms {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
