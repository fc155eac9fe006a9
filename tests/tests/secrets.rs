//! Where secrets are, when everything has been done with them that can be done.

use std::path::{Path, PathBuf};

use serde_json::json;

use crate::support::http::{Credential, Http};
use crate::support::{raw, system};

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap().flatten() {
        let path = entry.path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found
}

/// The names of the files that hold `text`.
fn holders(text: &str) -> Vec<String> {
    let data = system().data_dir();
    let mut names: Vec<String> = files(&data)
        .into_iter()
        .filter(|file| {
            let content = std::fs::read(file).unwrap_or_default();
            content.windows(text.len()).any(|window| window == text.as_bytes())
        })
        .map(|file| file.strip_prefix(&data).unwrap().display().to_string())
        .collect();
    names.sort();
    names
}

/// The part of a key string that nobody else knows: the 32 characters behind prefix and id.
fn secret_part(key: &str) -> &str {
    &key["sk_live_".len() + 16..][..32]
}

#[tokio::test]
async fn no_key_and_no_token_is_written_down_anywhere() {
    let http = Http::new(system());
    let demo = &system().demo;
    let key = http.create_key("secret", &["insights:read", "plans:read"]).await;
    let simcel = http.simcel_exchange(&key.raw).await.expect(200)["accessToken"].as_str().unwrap().to_owned();
    let simbee = http.token(&key.raw).await;
    let wrong = format!("{}x", key.raw);
    for credential in [key.raw.as_str(), &simcel, &simbee, &wrong, &format!("{simbee}x")] {
        for path in ["/insights/v1/pnl-summary", "/v1/models", "/nowhere", &http.keys_path()] {
            let _ = http.get(path, Credential::Bearer(credential)).await;
            let _ = http.get(path, Credential::ApiKey(credential)).await;
        }
        // In places where it doesn't belong, which errors and logs must not repeat.
        for body in [
            json!({"apiKey": credential, "scopes": [credential]}),
            json!({"api_key": credential, "scopes": credential}),
            json!({"apiKey": [credential]}),
            json!({ credential: 1 }),
            json!(credential),
            json!({"name": credential.repeat(9), "scopes": [credential]}),
            json!({"name": "x", "workspace_id": credential}),
            json!({"name": "x", "environment": credential}),
            json!({"name": "x", "expires_at": credential}),
        ] {
            for path in ["/auth/token", "/auth/exchange", &http.keys_path()] {
                let answer = http.post(path, http.admin(), &body).await;
                assert!(!answer.body.contains(credential), "{body} at {path}: {answer:?}");
            }
        }
        let target = format!("{}?cursor={credential}&{credential}=1", http.keys_path());
        let header = format!("Bearer {}", demo.admin_key);
        let answer = raw::exchange(system().port, &raw::request("GET", &target, &[("authorization", &header)], b""));
        assert!(!answer.text().contains(credential) && !answer.head.contains(credential), "{answer:?}");
    }
    assert_eq!(http.revoke_key(&key.id).await.status, 204);
    let _ = http.simcel_exchange(&key.raw).await;

    let login = json!({"email": demo.email, "password": demo.password});
    for body in [&login, &json!({"email": demo.password, "password": demo.password})] {
        let answer = http.send(http.request(reqwest::Method::POST, "/auth/token").json(body)).await;
        assert_eq!(answer.status, if body == &login { 200 } else { 401 }, "{answer:?}");
        assert!(!answer.body.contains(&demo.password), "{answer:?}");
    }

    // That the search finds things: what is meant to be there.
    assert_eq!(holders(secret_part(&demo.api_key)), ["demo.json", "events/authorizer-rest-x-api-key.json"]);
    let database = holders(&key.id);
    assert!(database.iter().any(|name| name.starts_with("keygate.db")), "{database:?}");
    let logs: Vec<_> = files(&system().data_dir().join("logs"));
    assert!(logs.iter().any(|log| std::fs::metadata(log).unwrap().len() > 0));

    assert_eq!(holders(secret_part(&key.raw)), Vec::<String>::new());
    for other in [secret_part(&demo.test_key), secret_part(&demo.admin_key), &demo.password] {
        assert_eq!(holders(other), ["demo.json"]);
    }
    for token in [&simcel, &simbee] {
        assert_eq!(holders(token.rsplit('.').next().unwrap()), Vec::<String>::new());
    }
    let master_key = std::fs::read_to_string(system().data_dir().join("master.key")).unwrap();
    assert_eq!(holders(&master_key), ["master.key"]);
    assert!(!system().output().contains(secret_part(&key.raw)));
}
